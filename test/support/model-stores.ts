import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModelStores } from '../../src/engine/read/model/found/stores';
import { count, list, real, text, writeGgufFile, type Metadata } from './llama-cpp/gguf-file';
import { root } from './paths';
import { temporaryFolder } from './temporary';

/** Revisions as the hub has them. */
export const revisions = { first: '1234abcd'.repeat(5), second: '5678ef01'.repeat(5), third: '12340000'.repeat(5) } as const;

/** Empty stores in a folder that goes when the test ends, and variables that name them. */
export function emptyStores(): { readonly home: string; readonly stores: ModelStores; readonly environment: Record<string, string> } {
  const home = temporaryFolder();
  const stores = {
    hub: join(home, 'hf', 'hub'),
    lmStudio: [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')],
    ollama: [join(home, 'ollama')],
  };
  const environment = { HOME: home, USERPROFILE: home, HF_HOME: join(home, 'hf'), HF_HUB_CACHE: '', OLLAMA_MODELS: join(home, 'ollama') };
  return { home, stores, environment };
}

/**
 * Puts a model into Hugging Face's cache as huggingface_hub does: every file a link into `../../blobs`.
 *
 * @param files the model's folder
 * @param main whether the ref of `main` names this revision
 */
export function storeInHub(hub: string, repository: string, revision: string, files: string, main = true): string {
  const folder = join(hub, `models--${repository.replaceAll('/', '--')}`);
  const snapshot = join(folder, 'snapshots', revision);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(folder, 'blobs'), { recursive: true });
  for (const file of readdirSync(files)) {
    const blob = `${revision.slice(0, 8)}-${file}`;
    cpSync(join(files, file), join(folder, 'blobs', blob));
    symlinkSync(join('..', '..', 'blobs', blob), join(snapshot, file));
  }
  if (main) {
    mkdirSync(join(folder, 'refs'), { recursive: true });
    writeFileSync(join(folder, 'refs', 'main'), revision);
  }
  return snapshot;
}

/** A folder with a tiny model that runs: weights of the golden Llama, and the tokenizer of the model that ships. */
export function tinyModel(): string {
  const folder = join(temporaryFolder(), 'tiny');
  cpSync(join(root, 'media', 'models', 'tiny-docs-5m'), folder, { recursive: true });
  return folder;
}

/** Metadata of a small model of an architecture, by llama.cpp's keys. */
export function ggufMetadata(architecture: string, own: Metadata = {}): Metadata {
  const keys: Metadata = {
    block_count: count(4),
    context_length: count(8192),
    embedding_length: count(64),
    feed_forward_length: count(128),
    'attention.head_count': count(8),
    'attention.head_count_kv': count(2),
    'attention.layer_norm_rms_epsilon': real(1e-6),
    'rope.freq_base': real(10_000),
    ...own,
  };
  return {
    'general.architecture': text(architecture),
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value] as const)),
    'tokenizer.ggml.tokens': list(['a', 'b', 'c', 'd'].map(text)),
  };
}

/** Writes a GGUF file of a small model, with its embedding as its only tensor. */
export async function writeTinyGguf(path: string, architecture = 'llama', own: Metadata = {}): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const embedding = { name: 'token_embd.weight', shape: [64, 4], data: new Float32Array(256) };
  await writeGgufFile(path, ggufMetadata(architecture, own), [embedding]);
}

/** Puts a GGUF file into Ollama's store. @param place `host/namespace/model/tag` */
export async function storeInOllama(store: string, place: string, digest: string, architecture = 'llama'): Promise<void> {
  const manifest = join(store, 'manifests', place);
  mkdirSync(dirname(manifest), { recursive: true });
  const layers = [
    { mediaType: 'application/vnd.ollama.image.template', digest: `sha256:${'0'.repeat(64)}`, size: 1 },
    { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: 1 },
  ];
  writeFileSync(manifest, JSON.stringify({ schemaVersion: 2, layers }));
  await writeTinyGguf(join(store, 'blobs', `sha256-${digest}`), architecture);
}
