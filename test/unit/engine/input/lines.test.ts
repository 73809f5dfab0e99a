import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, readLines } from '../../../../src/engine/read/input/lines';
import { Results } from '../../../../src/engine/tasks/evaluate/results';
import { temporaryFolder } from '../../../support/temporary';
import { refusalOf } from '../malformed/outcome';

function file(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'x.jsonl');
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string, maximumBytes = 10_000_000, maximumLineBytes = 5_000_000): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(path, '--results x.jsonl', { maximumBytes, maximumLineBytes }, 'give another')) {
    lines.push(line);
  }
  return lines;
}

describe('lines', () => {
  it('are those of the text, whether it has a byte order mark or not', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\r', '€') });
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), async (content, mark) => {
        const lines = await linesOf(file(mark ? `\uFEFF${content}` : content));
        // A file that holds only the mark has one line without an end.
        const joined = lines.map((line) => `${line.text}${line.ended ? '\n' : ''}`).join('');
        expect(joined).toBe(content);
      }),
      { numRuns: 50 },
    );
  });

  it('may be longer than a piece of the file', async () => {
    const long = 'x'.repeat(3_000_000);
    expect(await linesOf(file(`${long}\n${long}`))).toEqual([
      { text: long, ended: true, end: long.length + 1 },
      { text: long, ended: false, end: 2 * long.length + 1 },
    ]);
  });

  it('tell where they end, from where the rest can be read', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\r', '€') });
    await fc.assert(
      fc.asyncProperty(text, fc.nat({ max: 9 }), async (content, index) => {
        const path = file(`\uFEFF${content}`);
        const lines = await linesOf(path);
        const from = lines.slice(0, index + 1).at(-1)?.end ?? 0;
        const rest: Line[] = [];
        for await (const line of readLines(path, 'x', { maximumBytes: 1000, maximumLineBytes: 1000, from }, 'fix')) {
          rest.push(line);
        }
        expect(rest).toEqual(lines.slice(index + 1));
      }),
      { numRuns: 50 },
    );
  });

  it('that are no text are known as such, and take no other with them', async () => {
    const content = Buffer.concat([Buffer.from('one\n'), Buffer.from([0xe2, 0x82, 0x0a]), Buffer.from('two\n')]);
    expect((await linesOf(file(content))).map(({ text }) => text)).toEqual(['one', undefined, 'two']);
  });

  it('over a limit are refused, with their number', async () => {
    const path = file(`a\n${'b'.repeat(100)}\n`);
    expect(await refusalOf(() => linesOf(path, 1000, 99))).toBe(
      '--results x.jsonl: line 2 has more than 99 B, which is the limit; give another.',
    );
    expect(await refusalOf(() => linesOf(path, 50))).toBe('--results x.jsonl has 103 B; the limit is 50 B: give another.');
  });

  it.each([
    ['UTF-16 LE', Buffer.from('\uFEFF{}\n', 'utf16le')],
    ['UTF-16 BE', Buffer.from('\uFEFF{}\n', 'utf16le').swap16()],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0])],
  ])('of %s are refused: lines in UTF-8 are added to them', async (encoding, content) => {
    expect(await refusalOf(() => linesOf(file(content)))).toBe(
      `--results x.jsonl is ${encoding} text, and lines are read and added in UTF-8; give another, or convert it to UTF-8.`,
    );
  });
});

describe('a results file', () => {
  const line = (unit: string, rank: number): string => JSON.stringify({ version: 1, unit, result: { logProbability: null, rank } });
  const known = async (path: string): Promise<readonly unknown[]> => {
    const results = await Results.open(path);
    return ['one', 'two'].map((unit) => results.get(unit)).map((result) => result && 'rank' in result && result.rank);
  };

  it('may have been saved by an editor: with a byte order mark, and with Windows line ends', async () => {
    expect(await known(file(`\uFEFF${line('one', 1)}\r\n${line('two', 2)}\r\n`))).toEqual([1, 2]);
  });

  it('loses only the lines that a power cut left as NUL, or cut inside a character', async () => {
    const torn = Buffer.concat([Buffer.from(`${line('one', 1)}\n\0\0\0\n${line('two', 2)}\n`), Buffer.from('{"unit":"ü').subarray(0, -1)]);
    const path = file(torn);
    expect(await known(path)).toEqual([1, 2]);
    // What is added is not glued to what a power cut left.
    await (await Results.open(path)).add('three', {}, { logProbability: NaN, rank: 3 });
    expect((await Results.open(path)).get('three')).toMatchObject({ rank: 3 });
  });

  it('that is not UTF-8 is left as it is', async () => {
    const content = Buffer.from('\uFEFF{}', 'utf16le');
    const path = file(content);
    expect(await refusalOf(() => Results.open(path))).toContain(`--results ${path} is UTF-16 LE text`);
    expect(readFileSync(path)).toEqual(content);
  });
});
