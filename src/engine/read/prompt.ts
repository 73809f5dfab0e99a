import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { InputError, messageOf } from '../../core/errors';
import { said } from '../../core/l10n';
import { plainSource, presumedFormat, type PromptSource } from '../../core/source/options';
import { isPattern, matchesPattern, withoutBraces } from '../../core/text/glob';
import { linesOf } from '../../core/text/lines';
import { shown } from '../../core/text/printable';
import { decodeText } from './input/decode';
import { inputLimits } from './input/limits';
import { checkSize, inputName, readTextInput } from './input/text';
import { conversationLines } from './source/chat';

/** A prompt as it is kept, with its description for reports. `readSource` says what a model reads of it. */
export interface Prompt {
  readonly path: string;
  /** The whole document. */
  readonly text: string;
  /** How a prompt is read from it. */
  readonly source: PromptSource;
  /** Bytes of the text in UTF-8, however its file has it: without a byte order mark. */
  readonly bytes: number;
  /** Hex digest of those bytes, so that one text has one digest in every encoding, and in the editor. */
  readonly sha256: string;
}

/** What to do about a prompt over the size limit. */
const repair = said`cut the text`;

/**
 * Reads a prompt from a file's bytes, in an encoding that `decodeText` knows.
 *
 * @param path named in the report and in errors
 * @throws InputError for an empty, binary or oversized prompt, and for bytes that are no text
 */
export function promptFromBytes(path: string, bytes: Uint8Array, source = plainSource): Prompt {
  checkPromptSize(path, bytes.length);
  return promptFromText(path, decodeText(bytes, path), source);
}

/** A prompt from text that is decoded already, such as an editor's. @throws InputError for an empty, binary or oversized prompt */
export function promptFromText(path: string, text: string, source = plainSource): Prompt {
  if (text === '') {
    throw new InputError(`${inputName(path)} is empty; give a prompt of at least one character.`);
  }
  const bytes = Buffer.from(text);
  checkPromptSize(path, bytes.length);
  if (bytes.includes(0)) {
    throw new InputError(`${inputName(path)} is a binary file (it holds NUL bytes); give text.`);
  }
  // An editor's text may hold half of a surrogate pair; what is read is what UTF-8 can say.
  return { path, text: bytes.toString(), source, bytes: bytes.length, sha256: digestOf(bytes) };
}

/** The hex SHA-256 by which reports and results know a text in UTF-8. */
export function digestOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
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
export async function readPrompt(path: string, stdin: AsyncIterable<Uint8Array> = process.stdin, source = plainSource): Promise<Prompt> {
  const fix = said`give the path of a prompt file, or - for standard input`;
  return promptFromText(path, await readTextInput(path, stdin, inputLimits.prompt, fix, repair), source);
}

/**
 * File names of prompts in a folder: text, prompt files and JSON lines. JSON is more often something else there, program text
 * too, and a notebook is rarely a prompt: those are named one by one.
 */
const promptFile = /\.(md|txt|prompt|prompty|jsonl)$/i;

/**
 * The files that files, folders and patterns such as `docs/*.md` stand for, in the given order.
 *
 * @param results a file or a folder that is no prompt, although it may lie among them
 * @throws InputError that names the path and the fix
 */
export async function promptFiles(paths: readonly string[], results: string | null = null): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    for (const file of found === undefined && isPattern(path)
      ? await promptsMatching(path, results)
      : found?.isDirectory() === true
        ? await promptsIn(path, results)
        : [path]) {
      // One by one: arguments have a limit, files of a folder have none.
      files.push(file);
    }
  }
  return files;
}

/**
 * Reads the prompts of files, folders and patterns, as `promptFiles`. Each conversation of JSON lines is a prompt of its own.
 *
 * @param results a file or a folder that is no prompt, although it may lie among them
 * @throws InputError that names the path and the fix
 */
export async function readPrompts(
  paths: readonly string[],
  stdin?: AsyncIterable<Uint8Array>,
  source = plainSource,
  results: string | null = null,
): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for (const file of await promptFiles(paths, results)) {
    for (const prompt of conversationsOf(await readPrompt(file, stdin, source))) {
      prompts.push(prompt);
    }
  }
  return prompts;
}

/** The conversations of JSON lines as prompts of their own, named by their lines; any other prompt is one. */
export function conversationsOf(prompt: Prompt): Prompt[] {
  const { path, text, source } = prompt;
  const { format, isPresumed } = presumedFormat(prompt);
  const places = format === 'chat' ? conversationLines(path, text, isPresumed) : undefined;
  if (places === undefined) {
    return [prompt];
  }
  const lines = linesOf(
    text,
    places.map(({ from }) => from),
  );
  return places.map(({ from, to }, index) => promptFromText(`${path}:${lines[index]}`, text.slice(from, to), { ...source, as: 'chat' }));
}

/** Folders that hold other people's texts, or a tool's: their own names are given where they are meant. */
const skippedFolder = /^(\..*|node_modules)$/;

/** One of the patterns that braces stand for: a folder, and the names below it that fit. */
interface Listed {
  readonly folder: string;
  readonly names: readonly string[];
}

/** What is listed for a pattern. A folder whose own name looks like a pattern, such as `[slug]`, is that folder. @throws InputError for braces that stand for too much */
async function listedFor(pattern: string): Promise<Listed[]> {
  const names = pattern.replaceAll('\\', '/').split('/');
  let own = names.findIndex(isPattern);
  while (own < names.length - 1 && (await isFolder(folderOf(names.slice(0, own + 1))))) {
    own += 1;
  }
  return withoutBraces(names.slice(own).join('/')).map((each) => {
    const below = each.split('/');
    const fixed = below.findIndex(isPattern);
    const last = fixed < 0 ? below.length - 1 : fixed;
    return { folder: folderOf([...names.slice(0, own), ...below.slice(0, last)]), names: below.slice(last) };
  });
}

/** The folder with these names, from the root where the first is empty. */
function folderOf(names: readonly string[]): string {
  return names.join('/') || (names.length > 0 ? '/' : '.');
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Where prompts are looked for under a path, before anything is: the path itself, and the folders that it names as a pattern. */
export async function promptPlaces(path: string): Promise<readonly string[]> {
  return [path, ...(isPattern(path) ? (await listedFor(path)).map(({ folder }) => folder) : [])];
}

/** The files that fit a pattern, whatever their names end with, by name. Links and other people's folders are not followed. */
async function promptsMatching(pattern: string, results: string | null): Promise<string[]> {
  const files = new Set<string>();
  for (const { folder, names } of await listedFor(pattern)) {
    const below = (await isFolder(folder))
      ? await filesBelow(
          folder,
          results === null ? undefined : resolve(results),
          () => true,
          names.includes('**') ? Infinity : names.length,
        )
      : [];
    below.filter((file) => matchesPattern(names, relative(folder, file).split(sep))).forEach((file) => files.add(file));
  }
  if (files.size === 0) {
    throw new InputError(
      `${shown(pattern, 200)} fits no file; give a pattern such as docs/**/*.md that does, or the path of a file or a folder.`,
    );
  }
  return [...files];
}

/** The prompt files in a folder and in those below it, by name. Links are not followed. */
async function promptsIn(folder: string, results: string | null): Promise<string[]> {
  const files = await filesBelow(folder, results === null ? undefined : resolve(results), (name) => promptFile.test(name));
  if (files.length === 0) {
    throw new InputError(
      `${folder} holds no prompt; give a folder with .md, .txt, .prompt, .prompty or .jsonl files, or name its files one by one.`,
    );
  }
  return files;
}

/**
 * The files in a folder and in those below it, by name.
 *
 * @param except a file or a folder
 * @param isWanted by its name
 * @param depth names of a path that is found, at most
 */
async function filesBelow(
  folder: string,
  except: string | undefined,
  isWanted: (name: string) => boolean,
  depth = Infinity,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new InputError(`${folder} cannot be read (${messageOf(error)}); give a folder that you may list.`);
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (resolve(path) === except) {
      continue;
    }
    if (entry.isFile() && isWanted(entry.name)) {
      found.push(path);
    } else if (depth > 1 && entry.isDirectory() && !skippedFolder.test(entry.name)) {
      // One by one: arguments have a limit, files below a folder have none.
      for (const below of await filesBelow(path, except, isWanted, depth - 1)) {
        found.push(below);
      }
    }
  }
  return found;
}
