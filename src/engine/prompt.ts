import { createHash } from 'node:crypto';
import { InputError } from '../core/errors';
import { formatBytes } from '../core/format';
import { maximumPromptBytes } from '../core/options/options';

/** A prompt as text, with what a report says about it. */
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

/** Refuses a prompt over the limit, before it is read. @throws InputError that names the size and the limit */
export function checkSize(path: string, bytes: number): void {
  if (bytes > maximumPromptBytes) {
    throw new InputError(`${path} has ${formatBytes(bytes)}; the limit is ${formatBytes(maximumPromptBytes)}: cut the file.`);
  }
}
