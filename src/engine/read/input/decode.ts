import { InputError } from '../../../core/errors';

/** Byte order marks. UTF-32's come first, because the one of UTF-16 LE begins that of UTF-32 LE. */
const marks = [
  { encoding: 'UTF-32', bytes: [0xff, 0xfe, 0, 0] },
  { encoding: 'UTF-32', bytes: [0, 0, 0xfe, 0xff] },
  { encoding: 'UTF-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'UTF-16 LE', bytes: [0xff, 0xfe] },
  { encoding: 'UTF-16 BE', bytes: [0xfe, 0xff] },
] as const;

/** The byte order mark with which bytes begin; undefined where there is none, as in most UTF-8. */
export function markOf(bytes: Uint8Array): (typeof marks)[number] | undefined {
  return marks.find((mark) => mark.bytes.every((byte, index) => bytes[index] === byte));
}

/**
 * The text of a file or a pipe: UTF-8 with or without a byte order mark, or UTF-16 of either order with its mark.
 *
 * One byte order mark is left out; nothing else is changed, line ends included.
 *
 * @param name names the input in refusals
 * @throws InputError for UTF-32, for binary content, and for bytes that are no text; offsets in it count bytes from 0 and
 * include the mark
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const mark = markOf(bytes);
  switch (mark?.encoding) {
    case 'UTF-32':
      throw new InputError(`${name} is UTF-32 text; convert it to UTF-8.`);
    case 'UTF-16 LE':
    case 'UTF-16 BE':
      return fromUtf16(bytes, mark.encoding, name);
    default:
      return fromUtf8(bytes, name);
  }
}

function fromUtf8(bytes: Uint8Array, name: string): string {
  checkNoNul(bytes.indexOf(0), name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const offset = brokenUtf8(bytes);
    throw new InputError(`${name} is not UTF-8 text at byte ${offset} (${hex(bytes[offset], 2)}); convert it to UTF-8.`);
  }
}

/** Offset of the first byte that is no part of a character. */
function brokenUtf8(bytes: Uint8Array): number {
  // A lenient decoder puts U+FFFD where it finds a fault; all before the first fault are characters of the text itself.
  const parts = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\uFFFD');
  let offset = 0;
  for (const part of parts) {
    offset += Buffer.byteLength(part);
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) {
      break;
    }
    offset += 3;
  }
  return offset;
}

function fromUtf16(bytes: Uint8Array, encoding: string, name: string): string {
  const markBytes = 2;
  if (bytes.length % 2 !== 0) {
    throw new InputError(`${name} is not ${encoding} text at byte ${bytes.length - 1}: its last character is cut; convert it to UTF-8.`);
  }
  const units = Buffer.from(bytes.subarray(markBytes));
  const text = (encoding === 'UTF-16 BE' ? units.swap16() : units).toString('utf16le');
  const nul = text.indexOf('\0');
  checkNoNul(nul < 0 ? nul : markBytes + 2 * nul, name);
  // With the flag u, a surrogate of a pair is no character of its own.
  const lone = text.search(/\p{Surrogate}/u);
  if (lone >= 0) {
    throw new InputError(
      `${name} is not ${encoding} text at byte ${markBytes + 2 * lone} (${hex(text.charCodeAt(lone), 4)} is half a character); convert it to UTF-8.`,
    );
  }
  return text;
}

function checkNoNul(offset: number, name: string): void {
  if (offset >= 0) {
    throw new InputError(
      `${name} is a binary file (it holds NUL bytes, the first at byte ${offset}); give text in UTF-8, or in UTF-16 with its byte order mark.`,
    );
  }
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
