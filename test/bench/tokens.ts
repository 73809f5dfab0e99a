import { uniform } from '../../src/core/math/random';
import type { Codec } from '../../src/engine/read/tokenizer/codec';
import { codecOf } from '../../src/engine/read/tokenizer/definition';
import { encodingCodec } from '../../src/engine/read/tokenizer/encodings';
import { TokenIndex } from '../../src/engine/read/tokenizer/token-index';
import { definitions } from '../support/tokenizers/definitions';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';
import { textsOf } from './texts';

/** Longest time that an edit may take, in milliseconds. */
const editGoalMs = 50;

/** Tokenizers of each kind of model and of cutting. */
const kinds = ['Llama 2', 'Llama 3.1', 'Qwen 3', 'Gemma 3', 'GPT-4o', 'BERT', 'T5 (words, Metaspace)'];

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
    cross: { down: 'text', across: 'kind', figures: ['wholeMs', 'worst'] },
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
