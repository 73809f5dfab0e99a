import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError, messageOf } from '../core/errors';
import { variableOptions } from '../core/source/options';
import { findBase } from '../engine/read/model/adapter/adapter';
import { isAdapter } from '../engine/read/model/adapter/config';
import { ggufParts, kindAt } from '../engine/read/model/found/folders';
import { findModel } from '../engine/read/model/found/resolve';
import { type Given, type Io, unwritable } from './io';
import { textGiven } from './options';

/** A file that a command writes, and what the user calls it: a flag. */
interface Output {
  readonly flag: string;
  readonly path: string | undefined;
}

/** What a command reads, and must not write over. */
interface Sources {
  /** Files, after folders and patterns are expanded; `-` is none. */
  readonly files: readonly string[];
  /** As the user named it. */
  readonly model?: string;
  /** Results that are read and written on: each a file, or a folder of files. */
  readonly results?: readonly (string | null | undefined)[];
}

/**
 * Refuses outputs that could not be written, or would replace what is read, results, or another output, before anything runs.
 * Files are the same by their path, and by device and inode: a link has another path.
 *
 * @param given the flags of the command: a file of variables is read too
 * @throws InputError that names the flag and the path
 */
export async function checkOutputs(outputs: readonly Output[], sources: Sources, given: Given, io: Io): Promise<void> {
  const named = outputs.flatMap(({ flag, path }) => (path === undefined ? [] : [{ flag, path }]));
  const results = (sources.results ?? []).filter((path) => typeof path === 'string');
  if (named.length + results.length === 0) {
    return;
  }
  const taken = new Map<string, string>();
  const take = (keys: readonly string[], what: string): void => keys.forEach((key) => taken.set(key, what));
  const variables = textGiven(variableOptions.file, given);
  const model = sources.model === undefined ? [] : await filesOfModel(sources.model, io.modelsFolder);
  for (const path of [...sources.files, ...(variables === undefined ? [] : [variables]), ...model]) {
    take(path === '-' ? [] : await keysOf(path), 'what is read');
  }
  // Whether they are what they are to be, their reader says: it appends to nothing else.
  for (const path of results) {
    for (const file of await filesOfResults(path)) {
      take(await keysOf(file), 'results');
    }
  }
  const folders = await Promise.all(results.map((path) => realOf(path.replace(/(?<=.)[\\/]+$/, ''))));
  for (const { flag, path } of named) {
    await checkPlace(path, flag);
    const keys = await keysOf(path);
    const what = keys.map((key) => taken.get(key)).find((each) => each !== undefined);
    if (what !== undefined) {
      throw new InputError(`${flag} ${path} would replace ${what}; give another path.`);
    }
    if (path.endsWith(resultsEnding) && folders.includes(dirname(await realOf(path)))) {
      throw new InputError(`${flag} ${path} would be read as results; give another path.`);
    }
    take(keys, `what ${flag} ${path} writes`);
  }
}

/** How the files in a folder of results end. */
const resultsEnding = '.jsonl';

/** Refuses a path that `writeWhole` could not write. @throws InputError where the folder is missing or closed, or the path is a folder */
async function checkPlace(path: string, flag: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
  if ((await kindAt(path)) === 'folder') {
    throw unwritable(path, 'it is a folder', flag);
  }
}

/** Where a path leads; of one at which nothing is, where it would be. */
async function realOf(path: string): Promise<string> {
  const folder = (): Promise<string> => realpath(dirname(path)).catch(() => resolve(dirname(path)));
  return realpath(path).catch(async () => join(await folder(), basename(path)));
}

/** By what a file is the same as another. Devices, pipes and folders are none: they may be named twice. */
async function keysOf(path: string): Promise<string[]> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found?.isFile() === false) {
    return [];
  }
  // Some file systems number no files.
  const numbered = found === undefined || found.ino === 0n ? [] : [`${found.dev}:${found.ino}`];
  return [await realOf(path), ...numbered];
}

/** The files of results, which are a file or a folder; one that is not there yet counts. */
async function filesOfResults(path: string): Promise<string[]> {
  if (!/[\\/]$/.test(path) && (await kindAt(path)) !== 'folder') {
    return [path];
  }
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => name.endsWith(resultsEnding)).map((name) => join(path, name));
}

/** All files beside a model's configuration, or the parts of its GGUF file, and those of an adapter's base. */
async function filesOfModel(asked: string, modelsFolder: string): Promise<readonly string[]> {
  try {
    const own = await findModel(asked, modelsFolder);
    const adapts = own.kind === 'folder' && (await isAdapter(own.path));
    const places = adapts ? [own, (await findBase(own.path, modelsFolder)).base] : [own];
    const files = places.map(async ({ kind, path }) =>
      kind === 'gguf' ? ggufParts(path) : (await readdir(path)).map((name) => join(path, name)),
    );
    return (await Promise.all(files)).flat();
  } catch {
    // The command itself says what is wrong with the model, before it writes.
    return [];
  }
}
