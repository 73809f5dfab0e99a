import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readPieces } from '../../../../src/engine/read/input/regular-file';
import { readRegularText, readTextInput } from '../../../../src/engine/read/input/text';
import { plainSource } from '../../../../src/core/source/options';
import { promptFromBytes, promptFromText, readPrompt } from '../../../../src/engine/read/prompt';
import { readReports } from '../../../../src/engine/read/report/reports';
import { readExperiment } from '../../../../src/engine/tasks/evaluate/experiment-file';
import { Results } from '../../../../src/engine/tasks/evaluate/results';
import { modelsFolder } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';
import { refusalOf } from '../malformed/outcome';

const read = (path: string, limit = 1000): Promise<string> => readRegularText(path, limit, 'give another', 'cut it');

function file(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'x.txt');
  writeFileSync(path, content);
  return path;
}

describe('a text file', () => {
  it('is read whole, up to its limit', async () => {
    expect(await read(file(''))).toBe('');
    expect(await read(file('x'.repeat(1000)))).toBe('x'.repeat(1000));
    expect(await refusalOf(() => read(file('x'.repeat(1001)), 1000))).toMatch(/x\.txt has 1,001 B; the limit is 1,000 B: cut it\.$/);
    const long = 'long'.repeat(1_000_000);
    expect(await read(file(long), 4_000_000)).toBe(long);
  });

  it('is refused where it grows beyond the limit while it is read', async () => {
    const path = file('x');
    let bytes = 0;
    for await (const piece of readPieces(path, 'give another')) {
      bytes += piece.length;
      if (bytes < 10_000) {
        appendFileSync(path, 'x'.repeat(1000));
      }
    }
    expect(bytes).toBe(10_001);
  });

  it.runIf(process.platform === 'linux')('is read to its end where the system does not tell its size', async () => {
    expect(await read('/proc/self/status', 100_000)).toMatch(/^Name:/);
    expect(await refusalOf(() => read('/proc/self/status', 100))).toBe(
      '/proc/self/status has more than 100 B, which is the limit: cut it.',
    );
  });
});

describe('standard input', () => {
  const readInput = (stdin: AsyncIterable<Uint8Array>): Promise<string> => readTextInput('-', stdin, 1000, 'give another', 'cut it');
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream gives its pieces one after the other
  async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }

  it('may cut a character between two pieces', async () => {
    const bytes = Buffer.from('Grüße');
    expect(await readInput(piecesOf(bytes.subarray(0, 3), bytes.subarray(3)))).toBe('Grüße');
  });

  it('without end is refused as soon as it passes the limit, and closed', async () => {
    let given = 0;
    let closed = false;
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given += 300;
          yield new Uint8Array(300).fill(0x78);
        }
      } finally {
        closed = true;
      }
    }
    expect(await refusalOf(() => readInput(endless()))).toBe('Standard input (-) has more than 1,000 B, which is the limit: cut it.');
    expect([given, closed]).toEqual([1200, true]);
  });

  it('that breaks is refused in one line', async () => {
    // eslint-disable-next-line @typescript-eslint/require-await, require-yield -- it fails at its first piece
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('EISDIR: illegal operation on a directory, read');
    }
    expect(await refusalOf(() => readInput(broken()))).toMatch(/^Standard input \(-\) cannot be read \(EISDIR.*\); give another\.$/);
  });
});

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  const others: readonly [string, RegExp, (path: string) => void | Promise<void>][] = [
    ['a folder', /is not a file but a folder; /, (path) => mkdirSync(path)],
    ['a named pipe', /is not a file but a named pipe; /, (path) => void execFileSync('mkfifo', [path])],
    ['a link to a device without end', /is not a file but a device; /, (path) => symlinkSync('/dev/zero', path)],
    [
      'a link to nothing',
      /\(a link that leads nowhere(?:, ENOENT: no such file or directory)?\); /,
      (path) => symlinkSync('nowhere/x', path),
    ],
    [
      'a socket',
      /is not a file but a socket; /,
      async (path) => {
        const server = createServer();
        onTestFinished(() => void server.close());
        await new Promise<void>((resolve) => server.listen(path, resolve));
      },
    ],
  ];
  // A folder of results has a file for each writer.
  const readers: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    text: read,
    prompt: (path) => readPrompt(path),
    reports: (path) => readReports(path, process.stdin),
    experiment: (path) => readExperiment(path, modelsFolder),
    results: (path) => Results.open(path),
  };

  it.each(others)('is refused by name, at once: %s', async (what, message, make) => {
    const path = join(temporaryFolder(), 'x');
    await make(path);
    for (const reader of Object.values(readers).filter((each) => what !== 'a folder' || each !== readers.results)) {
      const refusal = await refusalOf(() => reader(path));
      expect(refusal).toMatch(message);
      expect(refusal).toContain(path);
    }
  });
});

describe('a prompt', () => {
  const text = 'Grüße,\r\nWorld';

  it('is the same in each encoding, in a file and in the editor', () => {
    const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const expected = { path: 'a.md', text, source: plainSource, bytes: bytes.length, sha256 };
    expect(promptFromText('a.md', text)).toEqual(expected);
    for (const written of [bytes, Buffer.from(`\uFEFF${text}`), utf16, Buffer.from(utf16).swap16()]) {
      expect(promptFromBytes('a.md', written)).toEqual(expected);
    }
  });

  it('that begins with a byte order mark in the editor keeps it: it is text there', () => {
    expect(promptFromText('a.md', '\uFEFFa').text).toBe('\uFEFFa');
  });

  it.each([
    ['nothing', []],
    ['only a byte order mark', [0xef, 0xbb, 0xbf]],
    ['only the mark of UTF-16', [0xff, 0xfe]],
  ])('of %s is empty', async (_, bytes) => {
    expect(await refusalOf(() => promptFromBytes('a.md', Uint8Array.from(bytes)))).toMatch(/^a\.md is empty; /);
  });

  it('over the limit is refused before reading', async () => {
    const path = file('');
    truncateSync(path, 64 * 1024 * 1024 + 1);
    expect(await refusalOf(() => readPrompt(path))).toMatch(/has 64\.0 MiB; the limit is 64\.0 MiB: cut the text\.$/);
  });
});
