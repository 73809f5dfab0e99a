import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InputError, messageOf } from '../../core/errors';
import { formatBytes } from '../../core/format';
import { maximumPromptBytes } from '../../core/options/read';

/** A prompt's text, with its description for reports. */
export interface Prompt {
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
  /** Hex digest of the UTF-8 bytes. */
  readonly sha256: string;
}

/**
 * Reads a prompt from a file's bytes.
 *
 * @param path named in the report and in errors
 * @throws InputError for an empty, binary or oversized prompt
 */
export function promptFromBytes(path: string, bytes: Uint8Array): Prompt {
  checkSize(path, bytes.length);
  if (bytes.length === 0) {
    throw new InputError(`${path} is empty; give a prompt of at least one character.`);
  }
  if (bytes.includes(0)) {
    throw new InputError(`${path} is a binary file (it holds NUL bytes); give a text file in UTF-8.`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { path, text, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch {
    throw new InputError(`${path} is not UTF-8 text; convert it to UTF-8.`);
  }
}

/** A prompt from text in an editor. @throws InputError as `promptFromBytes` */
export function promptFromText(path: string, text: string): Prompt {
  return promptFromBytes(path, new TextEncoder().encode(text));
}

/** Refuses a prompt over the size limit, before reading it. @throws InputError that names the size and the limit */
export function checkSize(path: string, bytes: number): void {
  if (bytes > maximumPromptBytes) {
    throw new InputError(`${path} has ${formatBytes(bytes)}; the limit is ${formatBytes(maximumPromptBytes)}: cut the file.`);
  }
}

/**
 * Reads a prompt from a file, or from standard input if the path is `-`.
 *
 * @param stdin what standard input is
 * @throws InputError if there is no such file, or it is empty, binary or too large
 */
export async function readPrompt(path: string, stdin: AsyncIterable<Uint8Array> = process.stdin): Promise<Prompt> {
  if (path === '-') {
    return promptFromBytes('-', await buffer(stdin));
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

/** File names of prompts in a folder. */
const promptFile = /\.(md|txt|prompt)$/i;

/** Reads the prompts of files and folders, in the given order. @throws InputError that names the path and the fix */
export async function readPrompts(paths: readonly string[], stdin?: AsyncIterable<Uint8Array>): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    for (const file of found?.isDirectory() === true ? await promptsIn(path) : [path]) {
      prompts.push(await readPrompt(file, stdin));
    }
  }
  return prompts;
}

/** The prompt files directly in a folder, by name. */
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
