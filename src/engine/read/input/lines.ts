import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { markOf } from './decode';
import { readPieces } from './regular-file';
import { checkSize } from './text';

/** A line of a text file. */
export interface Line {
  /** Without its end, but with the `\r` of `\r\n`; undefined where the bytes are not UTF-8, such as those that a crash left. */
  readonly text: string | undefined;
  /** False for a last line without `\n`. */
  readonly ended: boolean;
  /** The byte of the file after the line and its end. */
  readonly end: number;
}

/** The most bytes of a file of lines, and of one line. */
interface LineLimits {
  readonly maximumBytes: number;
  readonly maximumLineBytes: number;
  /** The byte at which a line begins that is read first; 0 by default. */
  readonly from?: number;
}

const newline = 0x0a;

/**
 * Reads a file of lines in UTF-8, with or without a byte order mark, holding one line at a time.
 *
 * @param name names the file in errors, such as `--results x.jsonl`
 * @param fix what to do about a file that cannot be read; the end of the message
 * @throws InputError for another encoding, and for a file or a line over its limit, while it is read
 */
export async function* readLines(
  path: string,
  name: string,
  { maximumBytes, maximumLineBytes, from: first = 0 }: LineLimits,
  fix: string,
): AsyncGenerator<Line> {
  let bytes = first;
  let end = first;
  let number = 1;
  /** The beginning of a line whose end has not been read. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  const add = (part: Uint8Array): void => {
    begunBytes += part.length;
    if (begunBytes > maximumLineBytes) {
      throw new InputError(`${name}: line ${number} has more than ${formatBytes(maximumLineBytes)}, which is the limit; ${fix}.`);
    }
    begun.push(part);
  };
  const take = (ended: boolean): Line => {
    const line = Buffer.concat(begun, begunBytes);
    const text = lineText(number === 1 && first === 0 ? withoutMark(line, name, fix) : line);
    end += begunBytes + Number(ended);
    begun = [];
    begunBytes = 0;
    number += 1;
    return { text, ended, end };
  };
  for await (const piece of readPieces(path, fix, (size) => checkSize(name, size, maximumBytes, fix), first)) {
    bytes += piece.length;
    checkSize(name, bytes, maximumBytes, fix);
    let from = 0;
    for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, from)) {
      add(piece.subarray(from, at));
      yield take(true);
      from = at + 1;
    }
    add(piece.subarray(from));
  }
  if (begunBytes > 0) {
    yield take(false);
  }
}

/** The first line without UTF-8's byte order mark. @throws InputError for the mark of another encoding */
function withoutMark(line: Uint8Array, name: string, fix: string): Uint8Array {
  const mark = markOf(line);
  if (mark !== undefined && mark.encoding !== 'UTF-8') {
    throw new InputError(`${name} is ${mark.encoding} text, and lines are read and added in UTF-8; ${fix}, or convert it to UTF-8.`);
  }
  return mark === undefined ? line : line.subarray(mark.bytes.length);
}

function lineText(line: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    return undefined;
  }
}
