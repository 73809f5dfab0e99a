import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from '../../src/core/math/random';
import type { Codec } from '../../src/engine/read/tokenizer/codec';
import { codecOf } from '../../src/engine/read/tokenizer/definition';
import { encodingCodec } from '../../src/engine/read/tokenizer/encodings';
import { TokenIndex } from '../../src/engine/read/tokenizer/token-index';
import { definitions } from '../support/tokenizers/definitions';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';

/** Longest time that an edit may take, in milliseconds. */
const editGoalMs = 50;

/** Tokenizers of each kind of model and of cutting. */
const kinds = ['Llama 2', 'Llama 3.1', 'Qwen 3', 'Gemma 3', 'GPT-4o', 'BERT', 'T5 (words, Metaspace)'];

/** A megabyte of each kind of text. @param next numbers from 0 to below 1 */
function textsOf(units: number, next: () => number): Readonly<Record<string, string>> {
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
    Thai: made(() => `${run(30 + below(200), 0x0e01, 58)} `),
    'minified JSON': made(() => `{"id":${below(1e6)},"n":"${run(8, 0x61, 26)}","v":[${next()},${next()},null,true]},`),
    base64: made(() => Buffer.from(run(300, 0, 256), 'latin1').toString('base64')),
    CSV: made(() => `${below(1e5)},${run(6, 0x61, 26)},${next().toFixed(4)},"${run(9, 0x41, 26)}"\n`),
    spaces: ` a${' '.repeat(units - 3)}b`,
    'line breaks': `a${'\n'.repeat(units - 2)}b`,
    'one letter': 'a'.repeat(units),
  };
}

/** Tokens of a text as a whole, and again after each of some edits: text kinds by tokenizer kinds. */
export async function tokens({ quick, log }: BenchContext): Promise<Section> {
  const units = quick ? 20_000 : 1_000_000;
  const texts = textsOf(units, uniform(1));
  const rows: Record<string, Figure>[] = [];
  for (const kind of ['r50k_base', ...kinds]) {
    const codec = kind === 'r50k_base' ? await encodingCodec(kind) : codecOf(definitions[kind]());
    for (const [text, content] of Object.entries(texts)) {
      log(`tokens of ${text} by ${kind}`);
      rows.push({ kind, text, ...measure(codec, content, quick ? 5 : 20) });
    }
  }
  const slow = rows.filter(({ worst }) => Number(worst) > editGoalMs).map(({ kind, text }) => `${kind} ${text}`);
  return {
    name: 'tokens',
    title: 'Tokens of a megabyte, as a whole and after an edit',
    method: `Texts of ${units.toLocaleString('en-US')} UTF-16 code units. Whole: from an empty index. Edit: a letter typed or removed at a random place.`,
    columns: { kind: 'tokenizer', text: 'text', n: 'N', wholeMs: 'whole, ms', p50: 'edit: median, ms', worst: 'edit: longest, ms' },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: `Every edit of a megabyte within ${editGoalMs} ms`,
            measured: slow.length === 0 ? 'all' : `not ${slow.join(', ')}`,
            reached: slow.length === 0,
          },
        ],
  };
}

function measure(codec: Codec, content: string, edits: number): Record<string, Figure> {
  let start = performance.now();
  let index = TokenIndex.of(codec, content);
  const wholeMs = performance.now() - start;
  const next = uniform(2);
  const times: number[] = [];
  let text = content;
  for (let edit = 0; edit < edits; edit += 1) {
    const at = Math.floor(next() * text.length);
    // In one piece, as an editor gives it.
    text = Buffer.from(text.slice(0, at) + (edit % 2 === 0 ? 'e' : '') + text.slice(at + (edit % 2))).toString();
    start = performance.now();
    index = index.edited(text);
    times.push(performance.now() - start);
  }
  return { n: index.tokens, wholeMs, p50: median(times), worst: percentile(times, 1) };
}
