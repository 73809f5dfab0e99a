import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { embeddedModel } from '../../../../core/options/table';
import { shown } from '../../../../core/text/printable';
import { exists } from '../../input/regular-file';
import { foldersIn, ggufParts, ggufsIn, kindAt } from './folders';
import { repositoryFolder, repositoryOf, revisionName, snapshotName, snapshotOf } from './hub-cache';
import { findOllama, ollamaScheme } from './ollama';
import { type ModelStores, modelStores } from './stores';

/** Where a model is, before anything of it is read. */
export interface FoundModel {
  /** How reports name it: `org/name@1234abcd` where its repository and revision are known, else by its folder or its file. */
  readonly name: string;
  /** A folder in Hugging Face's layout, or a GGUF file. */
  readonly path: string;
  readonly kind: 'folder' | 'gguf';
  /** What a user should know of how it was found, a sentence each. */
  readonly notes: readonly string[];
}

type Place = Omit<FoundModel, 'notes'>;

/** A name of a repository, perhaps with a revision, and with a GGUF file in it. */
interface StoredName {
  readonly repository: string;
  readonly revision: string | undefined;
  readonly file: string | undefined;
}

/**
 * Finds a model: one that ships, a folder or a GGUF file, or one that another program has fetched.
 *
 * A path counts before a name in a store, and the model says so where the store has that name too.
 *
 * @param asked the name of a model that ships; a folder in Hugging Face's layout, or one of its cache (`models--org--name`); a
 * `.gguf` file; `org/name`, `org/name@revision` or `org/name/file.gguf` of Hugging Face's cache and of LM Studio; `ollama:name:tag`
 * @param modelsFolder the folder of the models that ship
 * @throws InputError where there is no such model, or several could be meant; it names where it was looked for
 */
export async function findModel(asked: string, modelsFolder: string, stores: ModelStores = modelStores()): Promise<FoundModel> {
  if (asked.trim() === '') {
    throw new InputError(
      `Model "${shown(asked)}" names none; use a model's folder, ${embeddedModel}, or another that two-heads models lists.`,
    );
  }
  const shipped = await shippedModels(modelsFolder);
  if (shipped.includes(asked)) {
    return { name: asked, path: join(modelsFolder, asked), kind: 'folder', notes: [] };
  }
  if (asked.startsWith(ollamaScheme)) {
    return { ...(await findOllama(asked, stores.ollama)), kind: 'gguf', notes: [] };
  }
  const path = resolve(asked);
  const name = storedName(asked);
  const kind = await kindAt(path);
  if (kind === 'folder' || kind === 'file') {
    const found = await placeAt(path, kind);
    const others = name === undefined ? [] : await placesOf(name, stores);
    const note = (folder: string): string =>
      said`${shown(asked, 100)} is taken as the path ${shown(path, 200)}; the model of that name in ${shown(folder, 200)} is not used.`;
    return { ...found, notes: others.map(({ folder }) => note(folder)) };
  }
  const places = name === undefined ? [] : await placesOf(name, stores);
  if (places.length > 1) {
    throw new InputError(
      `Model "${shown(asked, 100)}" is in ${places.map(({ folder }) => shown(folder, 120)).join(' and in ')}; give the path of one.`,
    );
  }
  if (name !== undefined && places.length === 1) {
    return { ...(await placeIn(places[0], name)), notes: [] };
  }
  const stored =
    name === undefined
      ? ''
      : ` and no fetched model (looked in ${lookedIn(stores)}; two-heads fetch ${shown(name.repository, 60)} gets one from Hugging Face's hub)`;
  throw new InputError(
    `Model "${shown(asked)}" is no folder or .gguf file (looked for ${shown(path)})${stored}; use a model's folder, ${embeddedModel}, or another that two-heads models lists.`,
  );
}

/** In Restricted Mode some stores are none. */
function lookedIn({ hub, lmStudio }: ModelStores): string {
  const names = [hub, ...lmStudio.slice(0, 1)].filter((store) => store !== '').map((store) => shown(store, 60));
  return names.length === 0 ? text('no store') : names.join(' and ');
}

/** The names of the models that ship: one with weights, the others for planning. */
export async function shippedModels(modelsFolder: string): Promise<readonly string[]> {
  return modelsFolder === '' ? [] : foldersIn(modelsFolder);
}

/** Whether a model of this name is in a store: then its text is no path that moves with the file that it stands in. */
export async function isStored(asked: string, stores: ModelStores = modelStores()): Promise<boolean> {
  const name = storedName(asked);
  return asked.startsWith(ollamaScheme) || (name !== undefined && (await placesOf(name, stores)).length > 0);
}

function storedName(asked: string): StoredName | undefined {
  const match = /^([\w.-]+(?:\/[\w.-]+)?)(?:@([\w.-]+?(?:\/[\w.-]+?)*?))?(?:\/([^\\/]+\.gguf))?$/i.exec(asked);
  if (match === null || asked.split(/[/@]/).some((part) => /^\.*$/.test(part))) {
    return undefined;
  }
  // A group that matched nothing is undefined, whatever its type says.
  const [, repository, revision, file] = match as unknown as readonly [string, string, string | undefined, string | undefined];
  return { repository, revision, file };
}

/** A store's folder of a repository. */
interface StoreFolder {
  readonly store: 'hub' | 'lmStudio';
  readonly folder: string;
}

/** Where a name is stored. LM Studio has no revisions. */
async function placesOf({ repository, revision }: StoredName, { hub, lmStudio }: ModelStores): Promise<readonly StoreFolder[]> {
  const places: readonly StoreFolder[] = [
    { store: 'hub', folder: join(hub, repositoryFolder(repository)) },
    ...(revision === undefined && repository.includes('/')
      ? lmStudio.map((store) => ({ store: 'lmStudio' as const, folder: join(store, repository) }))
      : []),
  ];
  const kinds = await Promise.all(places.map(({ folder }) => kindAt(folder)));
  return places.filter((_, index) => kinds[index] === 'folder');
}

async function placeIn({ store, folder }: StoreFolder, { repository, revision, file }: StoredName): Promise<Place> {
  if (store === 'lmStudio') {
    return inFolder(folder, repository, file);
  }
  const snapshot = await snapshotOf(folder, revision);
  return inFolder(snapshot.folder, revisionName(repository, snapshot.revision), file);
}

/** What a path means that the user gave. */
async function placeAt(path: string, kind: 'folder' | 'file'): Promise<Place> {
  if (kind === 'file') {
    const folder = snapshotName(resolve(path, '..'));
    return { name: folder === undefined ? basename(path) : `${folder}/${basename(path)}`, path: ggufParts(path)[0], kind: 'gguf' };
  }
  const repository = repositoryOf(path);
  if (repository !== undefined && (await kindAt(join(path, 'snapshots'))) === 'folder') {
    const { revision, folder } = await snapshotOf(path, undefined);
    return inFolder(folder, revisionName(repository, revision), undefined);
  }
  return inFolder(path, snapshotName(path) ?? basename(path), undefined);
}

/**
 * The model in a folder: the folder itself, or the only GGUF file of one without a `config.json`.
 *
 * @param file the GGUF file that is meant; undefined if none was named
 * @throws InputError where there are several, or not the one that was named
 */
async function inFolder(folder: string, name: string, file: string | undefined): Promise<Place> {
  const ggufs = await ggufsIn(folder);
  if (file === undefined && (ggufs.length === 0 || (await exists(join(folder, 'config.json'))))) {
    return { name, path: folder, kind: 'folder' };
  }
  const meant = file ?? (ggufs.length === 1 ? ggufs[0] : undefined);
  if (meant === undefined || !(await readdir(folder)).includes(meant)) {
    const place = shown(folder, 120);
    const there = shown(ggufs.join(', '), 150);
    throw new InputError(
      file === undefined
        ? `${place} has ${ggufs.length} models in GGUF (there: ${there}); give the path of one file.`
        : ggufs.length === 0
          ? `${place} has no ${shown(file, 80)} in GGUF (there is none); give the path of one file.`
          : `${place} has no ${shown(file, 80)} in GGUF (there: ${there}); give the path of one file.`,
    );
  }
  return { name: `${name}/${meant}`, path: ggufParts(join(folder, meant))[0], kind: 'gguf' };
}
