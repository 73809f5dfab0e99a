import { InputError, messageOf } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { text } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { decodeText } from './decode';
import { readPieces } from './regular-file';

/** The path that stands for standard input. */
export const standardInput = '-';

/** How an input is called in messages: by its path, or as standard input. */
export function inputName(path: string): string {
  return path === standardInput ? text('Standard input (-)') : path;
}

/**
 * Reads a text file, in an encoding that `decodeText` knows.
 *
 * @param maximumBytes a larger file is refused before reading, and one that grows beyond it while it is read
 * @param fix what to do about a file that cannot be read, and `repair` about one that is too large
 * @throws InputError that names the path, what is wrong and the fix
 */
export async function readRegularText(path: string, maximumBytes: number, fix: string, repair: string): Promise<string> {
  const pieces = readPieces(path, fix, (bytes) => checkSize(path, bytes, maximumBytes, repair));
  return decodeText(await collect(pieces, path, maximumBytes, repair), path);
}

/**
 * Reads a text file as `readRegularText` does, or standard input if the path is `-`.
 *
 * Standard input may be a pipe, and one without end is refused as soon as it passes the limit.
 *
 * @param stdin what standard input is
 * @throws InputError that names the input, what is wrong and the fix
 */
export async function readTextInput(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  maximumBytes: number,
  fix: string,
  repair: string,
): Promise<string> {
  if (path !== standardInput) {
    return readRegularText(path, maximumBytes, fix, repair);
  }
  const name = inputName(path);
  const bytes = await collect(stdin, name, maximumBytes, repair).catch((error: unknown) => {
    throw error instanceof InputError ? error : new InputError(`${name} cannot be read (${shown(messageOf(error))}); ${fix}.`);
  });
  return decodeText(bytes, name);
}

/** Refuses an input over its limit, before reading it. @throws InputError that names the size and the limit */
export function checkSize(name: string, bytes: number, maximumBytes: number, repair: string): void {
  if (bytes > maximumBytes) {
    throw new InputError(`${name} has ${formatBytes(bytes)}; the limit is ${formatBytes(maximumBytes)}: ${repair}.`);
  }
}

/** All bytes of an input, at most `maximumBytes`. */
async function collect(pieces: AsyncIterable<Uint8Array>, name: string, maximumBytes: number, repair: string): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > maximumBytes) {
      // Leaving the loop closes the file or the pipe, so that the writer of a pipe stops.
      throw new InputError(`${name} has more than ${formatBytes(maximumBytes)}, which is the limit: ${repair}.`);
    }
    read.push(piece);
  }
  return Buffer.concat(read, bytes);
}
