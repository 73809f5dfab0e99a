import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../../core/errors';
import { said } from '../../../../core/l10n';
import { standInName } from '../../tokenizer/encodings';
import { unreadTokenizer } from '../../tokenizer/gguf/definition';
import { readGgufHeader } from '../gguf/header';
import { tokenizerFile } from '../../tokenizer/tokenizer';
import { exists } from '../../input/regular-file';
import { isAdapter } from '../adapter/config';
import { checkLoadable, type ModelFolder, openFound } from '../load';
import { openTensors } from '../open-tensors';
import { unreadWeights } from '../shards';
import { foldersIn, ggufParts, ggufsIn, kindAt } from './folders';
import { refOf, repositoryOf, revisionName, snapshotOf, snapshotsOf } from './hub-cache';
import { ollamaName, type OllamaPlace, ollamaWeights } from './ollama';
import { findModel, type FoundModel, shippedModels } from './resolve';
import { type ModelStores, modelStores } from './stores';

/** Which program put a model on the machine. */
export type StoreName = 'shipped' | 'hugging-face' | 'lm-studio' | 'ollama';

/** What can be done with a model: run; planned only; nothing. */
export type ModelUse = 'runs' | 'plans' | 'refused';

/** A model on the machine; plain data. */
export interface ListedModel {
  /** What `--model` takes for it. */
  readonly name: string;
  readonly store: StoreName;
  /** Its folder, or its GGUF file. */
  readonly path: string;
  /** Bytes of its weights on disk; null if it has none. */
  readonly bytes: number | null;
  /** Of its weights, such as `safetensors BF16` or `GGUF Q4_K`, or `LoRA BF16` with the type of its base; null if it has none that are known. */
  readonly format: string | null;
  /** As its configuration says; null if that was not read. */
  readonly modelType: string | null;
  readonly trainedTokens: number | null;
  readonly use: ModelUse;
  /** Why it is not run, or not even planned; null if it runs. */
  readonly reason: string | null;
}

/** A model that is somewhere, or why there is none. */
type Candidate = { readonly name: string; readonly store: StoreName; readonly path: string } & (
  { readonly kind: FoundModel['kind'] } | { readonly kind: 'broken'; readonly reason: string }
);

/**
 * Lists the models that ship and those that other programs have fetched. Of each only its configuration and the headers of its
 * weights are read; a broken one is listed with what is wrong.
 *
 * @param modelsFolder the folder of the models that ship
 */
export async function listModels(modelsFolder: string, stores: ModelStores = modelStores()): Promise<readonly ListedModel[]> {
  const candidates = [
    ...(await shippedModels(modelsFolder)).map((name) => ({
      ...{ name, store: 'shipped' as const, path: join(modelsFolder, name), kind: 'folder' as const },
    })),
    ...(await inStore('hugging-face', stores.hub, inHub)),
    ...(await Promise.all(stores.lmStudio.map((store) => inStore('lm-studio', store, inLmStudio)))).flat(),
    ...(await Promise.all(stores.ollama.map((store) => inStore('ollama', store, inOllama)))).flat(),
  ];
  const models: ListedModel[] = [];
  for (const candidate of candidates) {
    const { kind, path, name } = candidate;
    // A name that means another model as well, or first a path, does not find this one.
    const found = kind === 'broken' ? undefined : await findModel(name, modelsFolder, stores).catch(() => ({ path: undefined }));
    const line = found === undefined || found.path === path ? candidate : { ...candidate, name: path };
    models.push(await listed(line, modelsFolder, stores));
  }
  return models;
}

/** What is in a store; one that is there and cannot be read is listed itself. */
async function inStore(store: StoreName, folder: string, list: (folder: string) => Promise<Candidate[]>): Promise<Candidate[]> {
  return readdir(folder).then(
    () => list(folder),
    (error: unknown) =>
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? []
        : [{ name: folder, store, path: folder, kind: 'broken', reason: said`this store cannot be read (${messageOf(error)})` }],
  );
}

/** Every revision of every repository in Hugging Face's cache; that of `main` by the repository's name alone. */
async function inHub(hub: string): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of await foldersIn(hub)) {
    const repository = repositoryOf(name);
    if (repository === undefined) {
      continue;
    }
    const folder = join(hub, name);
    const about = { name: repository, store: 'hugging-face' as const, path: folder };
    const snapshots = await snapshotsOf(folder);
    if (snapshots.length === 0) {
      const isBegun = (await readdir(join(folder, 'blobs')).catch(() => [])).length > 0;
      const reason = isBegun
        ? said`its fetch was interrupted; fetch it again to continue (two-heads fetch ${repository})`
        : said`it has no snapshots: its download did not begin or was removed`;
      found.push({ ...about, kind: 'broken', reason });
      continue;
    }
    const main = await refOf(folder, 'main').catch(messageOf);
    if (main !== undefined && !snapshots.some(({ revision }) => revision === main)) {
      const reason = await snapshotOf(folder, undefined).then(() => '', messageOf);
      found.push({ ...about, kind: 'broken', reason });
    }
    for (const snapshot of snapshots) {
      const isMain = snapshot.revision === main || (main === undefined && snapshots.length === 1);
      found.push(
        ...(await inFolder({ ...about, path: snapshot.folder, name: isMain ? repository : revisionName(repository, snapshot.revision) })),
      );
    }
  }
  return found;
}

/** The folders `org/name` of LM Studio. */
async function inLmStudio(store: string): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const owner of await foldersIn(store)) {
    for (const name of await foldersIn(join(store, owner))) {
      found.push(...(await inFolder({ name: `${owner}/${name}`, store: 'lm-studio', path: join(store, owner, name) })));
    }
  }
  return found;
}

/** The model of a folder, or those in GGUF of one without a configuration. */
async function inFolder(about: Pick<Candidate, 'name' | 'store' | 'path'>): Promise<Candidate[]> {
  if ((await exists(join(about.path, 'config.json'))) || (await isAdapter(about.path))) {
    return [{ ...about, kind: 'folder' }];
  }
  const files = await ggufsIn(about.path);
  return files.length === 0
    ? [{ ...about, kind: 'broken', reason: said`it has neither config.json nor a .gguf file` }]
    : files.map((file) => ({
        ...{ store: about.store, path: join(about.path, file), kind: 'gguf' },
        name: files.length === 1 ? about.name : `${about.name}/${file}`,
      }));
}

/** Every manifest of Ollama: `manifests/host/namespace/model/tag`. */
async function inOllama(store: string): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const manifests = join(store, 'manifests');
  for (const host of await foldersIn(manifests)) {
    for (const namespace of await foldersIn(join(manifests, host))) {
      for (const model of await foldersIn(join(manifests, host, namespace))) {
        for (const tag of await filesIn(join(manifests, host, namespace, model))) {
          found.push(await ofOllama(store, [host, namespace, model, tag]));
        }
      }
    }
  }
  return found;
}

async function ofOllama(store: string, place: OllamaPlace): Promise<Candidate> {
  const about = { name: ollamaName(place), store: 'ollama' as const, path: join(store, 'manifests', ...place) };
  try {
    return { ...about, path: (await ollamaWeights(store, place)).path, kind: 'gguf' };
  } catch (error) {
    return { ...about, kind: 'broken', reason: messageOf(error) };
  }
}

/** Reads of a model what its line says. */
async function listed(candidate: Candidate, modelsFolder: string, stores: ModelStores): Promise<ListedModel> {
  const { name, store, path, kind } = candidate;
  const about = { name, store, path, bytes: null, format: null, modelType: null, trainedTokens: null };
  // What is wrong is said without the path, which the line has.
  const reasonOf = (text: string): string =>
    text
      .replace(`${join(path, 'config.json')}: `, '')
      .replaceAll(`${path}: `, '')
      .replaceAll(`${path} `, '');
  if (kind === 'broken') {
    return { ...about, use: 'refused', reason: reasonOf(candidate.reason) };
  }
  let model: ModelFolder;
  try {
    model = await openFound({ name, path: kind === 'gguf' ? ggufParts(path)[0] : path, kind }, modelsFolder, stores);
  } catch (error) {
    const bytes = kind === 'gguf' ? await sizeOf(path) : null;
    return { ...about, bytes, format: kind === 'gguf' ? 'GGUF' : null, use: 'refused', reason: reasonOf(messageOf(error)) };
  }
  const { config, storedBytes } = model;
  const { format, reason } = await whyNoRun(model, kind);
  const tokenized = kind === 'gguf' || (await hasTokenizer(model.folder));
  return {
    ...about,
    ...{ bytes: storedBytes ?? null, format, modelType: config.modelType, trainedTokens: config.shape.trainedTokens ?? null },
    use: !tokenized ? 'refused' : reason === null ? 'runs' : 'plans',
    reason: !tokenized ? said`it has no ${tokenizerFile}, without which prompts have no tokens` : reason === null ? null : reasonOf(reason),
  };
}

/** The format of a model's weights, and why they are not run, as far as their headers say; null if nothing is in the way. */
async function whyNoRun(model: ModelFolder, kind: FoundModel['kind']): Promise<Pick<ListedModel, 'format' | 'reason'>> {
  const lacks = model.config.lacks.length === 0 ? null : model.config.lacks.join('; ');
  if (model.storedBytes === undefined) {
    return { format: null, reason: lacks ?? (await unreadWeights(model.folder)) ?? said`no safetensors files are there` };
  }
  const named = model.adapter !== undefined ? 'LoRA' : kind === 'gguf' ? 'GGUF' : 'safetensors';
  let format = `${named} ${model.storedType ?? ''}`.trim();
  try {
    const files = await openTensors(model);
    format = `${named} ${model.storedType ?? files.mainType ?? ''}`.trim();
    if (lacks === null) {
      checkLoadable(model, files);
    }
    return { format, reason: lacks ?? (await whyEstimated(model, kind)) };
  } catch (error) {
    return { format, reason: lacks ?? messageOf(error) };
  }
}

/** Why its tokens are only estimated, which no run can do with; null if they are counted. */
async function whyEstimated({ folder }: ModelFolder, kind: FoundModel['kind']): Promise<string | null> {
  if (kind === 'gguf') {
    return unreadTokenizer((await readGgufHeader(folder, folder)).metadata) ?? null;
  }
  return (await exists(join(folder, tokenizerFile))) ? null : said`${standInName} only estimates its tokens`;
}

async function hasTokenizer(folder: string): Promise<boolean> {
  return (await exists(join(folder, tokenizerFile))) || exists(join(folder, standInName));
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const kinds = await Promise.all(names.map((name) => kindAt(join(folder, name))));
  return names.filter((_, index) => kinds[index] === 'file').sort();
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}
