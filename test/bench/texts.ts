import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text of each kind. @param units its length in UTF-16 code units @param next numbers from 0 to below 1 */
export function textsOf(units: number, next: () => number): Readonly<Record<string, string>> {
  const below = (limit: number): number => Math.floor(next() * limit);
  const made = (piece: () => string): string => {
    const pieces: string[] = [];
    for (let length = 0; length < units;) {
      const text = piece();
      pieces.push(text);
      length += text.length;
    }
    return Buffer.from(pieces.join('').slice(0, units)).toString();
  };
  const character = (from: number, count: number): string => String.fromCharCode(from + below(count));
  const run = (length: number, from: number, count: number): string => Array.from({ length }, () => character(from, count)).join('');
  const lines = readFileSync(join(process.cwd(), 'media', 'samples', 'long-prompt.md'), 'utf8').split('\n');
  return {
    English: made(() => `${lines[below(lines.length)]}\n`),
    Chinese: made(() => `${run(5 + below(30), 0x4e00, 3000)}${below(3) === 0 ? '。\n' : '，'}`),
    Japanese: made(() => `${run(3 + below(9), 0x3042, 80)}${run(1 + below(4), 0x4e00, 3000)}${below(4) === 0 ? '。\n' : 'を'}`),
    Thai: made(() => `${run(30 + below(200), 0x0e01, 58)} `),
    emoji: made(() => `${String.fromCodePoint(0x1f600 + below(60))}${below(5) === 0 ? '\u{1f468}\u200d\u{1f4bb}\ufe0f ' : ''}`),
    headings: made(() => `${'#'.repeat(1 + below(3))} ${run(6, 0x61, 26)}\n\n${run(60, 0x61, 26)}\n`),
    'minified JSON': made(() => `{"id":${below(1e6)},"n":"${run(8, 0x61, 26)}","v":[${next()},${next()},null,true]},`),
    base64: made(() => Buffer.from(run(300, 0, 256), 'latin1').toString('base64')),
    CSV: made(() => `${below(1e5)},${run(6, 0x61, 26)},${next().toFixed(4)},"${run(9, 0x41, 26)}"\n`),
    'one line': made(() => `${lines[below(lines.length)]} `),
    spaces: ` a${' '.repeat(units - 3)}b`,
    'line breaks': `a${'\n'.repeat(units - 2)}b`,
    'one letter': 'a'.repeat(units),
  };
}
