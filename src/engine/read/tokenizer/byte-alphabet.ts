/**
 * GPT-2's alphabet for bytes: printable characters of Latin-1 stand for themselves, the other bytes for characters from 256 on.
 * Vocabularies of byte-level tokenizers are written in it.
 */
export const byteCharacters: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
})();

/** Bytes in the alphabet. */
export function inByteAlphabet(bytes: Uint8Array | readonly number[]): string {
  let text = '';
  for (const byte of bytes) {
    text += byteCharacters[byte];
  }
  return text;
}

/** The token that stands for a byte in SentencePiece's vocabularies, such as `<0x0A>`. */
export function byteTokenOf(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Calls back with the bytes of a code point in UTF-8. */
export function forEachByte(point: number, use: (byte: number) => void): void {
  if (point < 0x80) {
    use(point);
  } else if (point < 0x800) {
    use(0xc0 | (point >> 6));
    use(0x80 | (point & 63));
  } else if (point < 0x10000) {
    use(0xe0 | (point >> 12));
    use(0x80 | ((point >> 6) & 63));
    use(0x80 | (point & 63));
  } else {
    use(0xf0 | (point >> 18));
    use(0x80 | ((point >> 12) & 63));
    use(0x80 | ((point >> 6) & 63));
    use(0x80 | (point & 63));
  }
}
