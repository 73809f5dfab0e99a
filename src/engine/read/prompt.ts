import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InputError, messageOf } from '../../core/errors';
import { checkSize, promptFromBytes, type Prompt } from '../prompt';

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
