import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../../../src/engine/read/input/decode';
import { outcomeOf, refusalOf } from '../malformed/outcome';

/** Every encoding that is read, as somebody would write it. */
const writers: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-8 with its mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-16 LE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'UTF-16 BE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
};

/** Text of any characters but NUL, which is taken for binary content. */
const anyText = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));

describe('text', () => {
  it.each(Object.entries(writers))('in %s is read back as it was, line ends included', (name, write) => {
    fc.assert(
      fc.property(anyText, (text) => {
        // Without a mark of its own, text that begins with one has it as its mark.
        fc.pre(name !== 'UTF-8' || !text.startsWith('\uFEFF'));
        expect(decodeText(write(text), 'x.md')).toBe(text);
      }),
    );
    expect(decodeText(write('one\r\ntwo\rthree\n'), 'x.md')).toBe('one\r\ntwo\rthree\n');
    expect(decodeText(write('\uFEFFtwice').subarray(0), 'x.md')).toBe(name === 'UTF-8' ? 'twice' : '\uFEFFtwice');
    expect(decodeText(write(''), 'x.md')).toBe('');
  });

  it('is read from a view that begins in the middle of its memory', () => {
    const whole = Buffer.concat([Buffer.from('?'), writers['UTF-16 BE']('Grüße'), Buffer.from('?')]);
    expect(decodeText(new Uint8Array(whole).subarray(1, -1), 'x.md')).toBe('Grüße');
  });

  it('is left as it was by reading', () => {
    const bytes = writers['UTF-16 BE']('Hello');
    const before = Uint8Array.from(bytes);
    decodeText(bytes, 'x.md');
    expect(Uint8Array.from(bytes)).toEqual(before);
  });
});

describe('bytes that may be no text', () => {
  const bytesOfCharacters = [
    0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd, 0xbb, 0xed, 0xa0, 0xf4, 0xff, 0xfe,
  ];
  const anyBytes = fc.oneof(
    fc.uint8Array({ min: 1 }),
    fc.array(fc.constantFrom(...bytesOfCharacters), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
  );
  const strict = (bytes: Uint8Array): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return undefined;
    }
  };

  it('are what a strict decoder makes of them, or are refused at the end of the longest text that they begin with', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        fc.pre(!/^(fffe|feff)/.test(Buffer.from(bytes).toString('hex')));
        const { value, refusal } = await outcomeOf(() => decodeText(bytes, 'x.md'));
        expect(value).toBe(strict(bytes));
        if (value === undefined) {
          let end = bytes.length;
          while (strict(bytes.subarray(0, end)) === undefined) {
            end -= 1;
          }
          const byte = `0x${bytes[end].toString(16).padStart(2, '0')}`;
          expect(refusal).toBe(`x.md is not UTF-8 text at byte ${end} (${byte}); convert it to UTF-8.`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are UTF-16 as its decoder says, or are refused', async () => {
    const units = fc.array(fc.constantFrom(0x41, 0x20ac, 0xd83d, 0xde00, 0xdc00, 0xfeff), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(units, fc.boolean(), async (codes, big) => {
        const bytes = Buffer.from(`\uFEFF${String.fromCharCode(...codes)}`, 'utf16le');
        const { value, refusal } = await outcomeOf(() => decodeText(big ? bytes.swap16() : bytes, 'x.md'));
        const lone = String.fromCharCode(...codes).search(/\p{Surrogate}/u);
        if (lone < 0) {
          expect(value).toBe(String.fromCharCode(...codes));
        } else {
          expect(refusal).toContain(`at byte ${2 + 2 * lone} (0x${codes[lone].toString(16)} is half a character)`);
        }
      }),
    );
  });

  it.each<[string, readonly number[], string]>([
    ['UTF-32 LE', [0xff, 0xfe, 0, 0, 0x41, 0, 0, 0], 'x.md is UTF-32 text; convert it to UTF-8.'],
    ['UTF-32 BE', [0, 0, 0xfe, 0xff, 0, 0, 0, 0x41], 'x.md is UTF-32 text; convert it to UTF-8.'],
    [
      'UTF-16 of an odd length',
      [0xff, 0xfe, 0x41, 0, 0x42],
      'x.md is not UTF-16 LE text at byte 4: its last character is cut; convert it to UTF-8.',
    ],
    [
      'UTF-16 without its mark',
      [0x41, 0, 0x42, 0],
      'x.md is a binary file (it holds NUL bytes, the first at byte 1); give text in UTF-8, or in UTF-16 with its byte order mark.',
    ],
    [
      'NUL in UTF-16',
      [0xfe, 0xff, 0, 0x41, 0, 0],
      'x.md is a binary file (it holds NUL bytes, the first at byte 4); give text in UTF-8, or in UTF-16 with its byte order mark.',
    ],
    ['a character that is cut', [0xef, 0xbb, 0xbf, 0x41, 0xe2, 0x82], 'x.md is not UTF-8 text at byte 4 (0xe2); convert it to UTF-8.'],
  ])('are refused in one line: %s', async (_, bytes, refusal) => {
    expect(await refusalOf(() => decodeText(Uint8Array.from(bytes), 'x.md'))).toBe(refusal);
  });
});
