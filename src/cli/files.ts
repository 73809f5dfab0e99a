import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InputError, messageOf } from '../core/errors';
import { checkSize, promptFromBytes, type Prompt } from '../engine/prompt';
import { writeWhole as write } from '../engine/write-whole';

/**
 * Reads a prompt from a file, or from standard input where the path is `-`.
 *
 * @throws InputError where there is no such file, or it is empty, binary or too large
 */
export async function readPrompt(path: string): Promise<Prompt> {
  if (path === '-') {
    return promptFromBytes('-', await buffer(process.stdin));
  }
  const found = await stat(path).catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); give the path of a prompt file, or - for standard input.`);
  });
  if (!found.isFile()) {
    throw new InputError(`${path} is not a file; give the path of a prompt file.`);
  }
  checkSize(path, found.size);
  return promptFromBytes(path, await readFile(path));
}

/** Files of a folder that are prompts. */
const promptFile = /\.(md|txt|prompt)$/i;

/** Reads the prompts of files and of folders, in this order. @throws InputError that names the path and the fix */
export async function readPrompts(paths: readonly string[]): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    for (const file of found?.isDirectory() === true ? await promptsIn(path) : [path]) {
      prompts.push(await readPrompt(file));
    }
  }
  return prompts;
}

/** The prompt files right in a folder, by name. */
async function promptsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new InputError(`${folder} cannot be read (${messageOf(error)}); give a folder that you may list.`);
  });
  const names = entries.filter((entry) => entry.isFile() && promptFile.test(entry.name)).map(({ name }) => name);
  if (names.length === 0) {
    throw new InputError(`${folder} holds no prompt; give a folder with .md, .txt or .prompt files.`);
  }
  return names.sort().map((name) => join(folder, name));
}

/**
 * Refuses a path that `writeWhole` could not write, before a long run is made for it.
 *
 * @param flag where the user named the path, for the refusal
 * @throws InputError where the folder is missing or closed, or the path is a folder
 */
export async function checkWritable(path: string, flag = '--out'): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) {
    throw unwritable(path, 'it is a folder', flag);
  }
}

/**
 * Writes a file whole or not at all.
 *
 * @param flag where the user named the path, for the refusal
 * @throws InputError where the folder cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array | readonly Uint8Array[], flag = '--out'): Promise<void> {
  await write(path, content).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
}

function unwritable(path: string, reason: string, flag = '--out'): InputError {
  return new InputError(`${flag} ${path} cannot be written (${reason}); give a path in a folder that exists.`);
}
