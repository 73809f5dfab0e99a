import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchProgress, Offer } from '../../src/core/fetch/offer';
import { HubConnection } from '../../src/engine/tasks/fetch/connection';
import { type FetchedModel, fetchOffer } from '../../src/engine/tasks/fetch/fetch';
import { askedModel } from '../../src/engine/tasks/fetch/files';
import { offerOf } from '../../src/engine/tasks/fetch/offer';
import { type HubServer, large, type ServedFile, small } from './hub-server';
import { temporaryFolder } from './temporary';

/** What the test's hub has. */
export const repository = 'org/tiny';
/** Numbers that stand for weights. */
export const weights = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));

/** A repository with what a run needs, and more. */
export function usual(): Record<string, ServedFile> {
  return {
    'README.md': small('# tiny'),
    'config.json': small('{"model_type":"llama"}'),
    'tokenizer.json': small('{}'),
    'tokenizer_config.json': small('{}'),
    'model.safetensors': large(weights),
    'pytorch_model.bin': large(Buffer.from('pickle')),
  };
}

/** The same without a file. */
export function without(name: string): Record<string, ServedFile> {
  return Object.fromEntries(Object.entries(usual()).filter(([each]) => each !== name));
}

interface Fetching {
  readonly hub?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly patience?: number;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Between the offer and the fetch. */
  readonly meanwhile?: (offer: Offer) => void;
}

/** Looks and fetches as the command does. */
export async function fetchFrom(
  server: HubServer,
  asked = repository,
  { hub = temporaryFolder(), token, signal = new AbortController().signal, patience, onProgress, meanwhile }: Fetching = {},
): Promise<{ readonly offer: Offer; readonly fetched: FetchedModel; readonly hub: string }> {
  const connection = new HubConnection({ endpoint: server.endpoint, token }, globalThis.fetch, signal, patience);
  const offer = await offerOf(askedModel(asked), connection, hub);
  meanwhile?.(offer);
  const fetched = await fetchOffer(offer, { connection, signal, pauseMs: 1, onProgress: onProgress ?? (() => undefined) });
  return { offer, fetched, hub };
}

/** The repository's folder in the cache. */
export const folderIn = (hub: string): string => join(hub, 'models--org--tiny');
/** Its commits there. */
export const snapshotsIn = (hub: string): string[] =>
  existsSync(join(folderIn(hub), 'snapshots')) ? readdirSync(join(folderIn(hub), 'snapshots')) : [];
