import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, messageOf } from '../../core/errors';
import { decodeText } from './input/decode';
import { inputLimits } from './input/limits';
import { checkSize, inputName, readTextInput } from './input/text';

/** A prompt's text, with its description for reports. */
export interface Prompt {
  readonly path: string;
  readonly text: string;
  /** Bytes of the text in UTF-8, however its file has it: without a byte order mark. */
  readonly bytes: number;
  /** Hex digest of those bytes, so that one text has one digest in every encoding, and in the editor. */
  readonly sha256: string;
}

/** What to do about a prompt over the size limit. */
const repair = 'cut the text';

/**
 * Reads a prompt from a file's bytes, in an encoding that `decodeText` knows.
 *
 * @param path named in the report and in errors
 * @throws InputError for an empty, binary or oversized prompt, and for bytes that are no text
 */
export function promptFromBytes(path: string, bytes: Uint8Array): Prompt {
  checkPromptSize(path, bytes.length);
  return promptFromText(path, decodeText(bytes, path));
}

/** A prompt from text that is decoded already, such as an editor's. @throws InputError for an empty, binary or oversized prompt */
export function promptFromText(path: string, text: string): Prompt {
  if (text === '') {
    throw new InputError(`${inputName(path)} is empty; give a prompt of at least one character.`);
  }
  const bytes = Buffer.from(text);
  checkPromptSize(path, bytes.length);
  if (bytes.includes(0)) {
    throw new InputError(`${inputName(path)} is a binary file (it holds NUL bytes); give text.`);
  }
  // An editor's text may hold half of a surrogate pair; what is read is what UTF-8 can say.
  return { path, text: bytes.toString(), bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Refuses a prompt over the size limit, before reading it. @throws InputError that names the size and the limit */
export function checkPromptSize(path: string, bytes: number): void {
  checkSize(inputName(path), bytes, inputLimits.prompt, repair);
}

/**
 * Reads a prompt from a file, or from standard input if the path is `-`.
 *
 * @param stdin what standard input is
 * @throws InputError if there is no such file, or it is empty, binary or too large
 */
export async function readPrompt(path: string, stdin: AsyncIterable<Uint8Array> = process.stdin): Promise<Prompt> {
  const fix = 'give the path of a prompt file, or - for standard input';
  return promptFromText(path, await readTextInput(path, stdin, inputLimits.prompt, fix, repair));
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
