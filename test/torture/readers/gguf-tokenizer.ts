import type { Metadata, MetadataValue, TextList } from '../../../src/engine/read/model/gguf/metadata';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { ggufDefinition } from '../../../src/engine/read/tokenizer/gguf/definition';
import { firstIds } from '../../../src/engine/read/tokenizer/token-index';
import { nastyStrings, type Next, pick } from '../../support/mutate';
import type { Reader } from './reader';

const sample = 'The cat, 12 ▁cats \n\u00e9\u{1f600}</s> [MASK] don\u2019t  x';

const texts = (...values: readonly (string | undefined)[]): MetadataValue => {
  const list: TextList = { length: values.length, at: (index) => values[index] };
  return { length: values.length, values: undefined, texts: list };
};
const numbers = (values: readonly number[]): MetadataValue => ({ length: values.length, values });

const words = [
  '<unk>',
  '<s>',
  '</s>',
  '<0x0A>',
  '\u2581',
  'a',
  'c',
  't',
  'at',
  'cat',
  '\u2581cat',
  's',
  '\u0120',
  '1',
  '2',
  '12',
  ' ',
  '[MASK]',
];
const kinds = [2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 3];

/** Whole metadata of every kind. */
const originals: readonly Metadata[] = ['gpt2', 'llama', 'bert', 't5', 'gemma4'].flatMap((model) =>
  ['llama', 'gemma3', 'phi3'].map(
    (architecture): Metadata =>
      new Map<string, MetadataValue>([
        ['general.architecture', architecture],
        ['tokenizer.ggml.model', model],
        ['tokenizer.ggml.pre', 'qwen2'],
        ['tokenizer.ggml.tokens', texts(...words)],
        ['tokenizer.ggml.token_type', numbers(kinds)],
        ['tokenizer.ggml.scores', numbers(words.map((_, id) => -id))],
        ['tokenizer.ggml.merges', texts('a t', 'c at', '1 2')],
        ['tokenizer.ggml.bos_token_id', 1],
        ['tokenizer.ggml.eos_token_id', 2],
        ['tokenizer.ggml.unknown_token_id', 0],
        ['tokenizer.ggml.cls_token_id', 1],
        ['tokenizer.ggml.seperator_token_id', 2],
        ['tokenizer.ggml.add_bos_token', true],
        ['tokenizer.ggml.add_eos_token', false],
        ['tokenizer.ggml.add_space_prefix', true],
        ['tokenizer.ggml.remove_extra_whitespaces', true],
      ]),
  ),
);

const pres = [
  'llama-bpe',
  'gpt-2',
  'smollm',
  'qwen35',
  'gpt-4o',
  'tekken',
  'deepseek-coder',
  'deepseek-v3',
  'bloom',
  'default',
  'toString',
];
const models = ['gpt2', 'llama', 'bert', 't5', 'gemma4', 'rwkv', '__proto__'];
const oddNumbers = [0, -1, 0.5, 1, 2, 3, 5, 6, 17, 18, 1e9, 2 ** 53, -1e9, NaN, Infinity, -Infinity];

/** A value of any kind. */
function odd(next: Next): MetadataValue {
  switch (next(7)) {
    case 0:
      return oddNumbers[next(oddNumbers.length)];
    case 1:
      return next(2) === 0;
    case 2:
      return nastyStrings[next(nastyStrings.length)];
    case 3:
      return numbers(Array.from({ length: next(24) }, () => oddNumbers[next(oddNumbers.length)]));
    case 4:
      return texts(
        ...Array.from({ length: next(24) }, () => (next(9) === 0 ? nastyStrings[next(nastyStrings.length)] : words[next(words.length)])),
      );
    case 5:
      return { length: 2 ** 53, values: undefined };
    default:
      return texts(undefined, 'a');
  }
}

/** A copy of a list of texts with one of them changed, moved or left out. */
function oddTexts(value: MetadataValue | undefined, next: Next): MetadataValue {
  const list = typeof value === 'object' ? value.texts : undefined;
  const copied = Array.from({ length: list?.length ?? 0 }, (_, index) => list?.at(index));
  const change = [
    words[next(words.length)],
    nastyStrings[next(nastyStrings.length)],
    undefined,
    'aa',
    'a '.repeat(next(5)),
    `##${words[next(words.length)]}`,
  ];
  copied.splice(next(copied.length + 1), next(3), ...(next(3) === 0 ? [] : [change[next(change.length)]]));
  return texts(...copied);
}

function mutated(original: Metadata, next: Next): Metadata {
  const changed = new Map(original);
  const keys = [...original.keys()];
  for (let changes = 1 + next(3); changes > 0; changes -= 1) {
    const key = keys[next(keys.length)];
    const kind = next(10);
    if (kind < 4) {
      const list = next(2) === 0 ? 'tokenizer.ggml.tokens' : 'tokenizer.ggml.merges';
      changed.set(list, oddTexts(changed.get(list), next));
    } else if (kind === 4) {
      changed.delete(key);
    } else if (kind === 5) {
      changed.set('tokenizer.ggml.pre', pres[next(pres.length)]);
    } else if (kind === 6) {
      changed.set('tokenizer.ggml.model', models[next(models.length)]);
    } else if (kind === 7) {
      changed.set('tokenizer.ggml.scores', numbers(words.map(() => oddNumbers[next(8)])));
      changed.set('tokenizer.ggml.token_type', numbers(words.map(() => next(8))));
    } else if (kind === 8) {
      const bytes = Array.from({ length: next(40) }, () => next(256));
      changed.set('tokenizer.ggml.precompiled_charsmap', numbers(next(2) === 0 ? bytes : [16, 0, 0, 0, ...bytes]));
    } else {
      changed.set(key, odd(next));
    }
  }
  return changed;
}

/** What became of metadata: they are stood in for, or give tokens that they have. */
function read(metadata: Metadata): 'stood in for' | 'read' {
  const found = ggufDefinition(metadata, 'm.gguf');
  if (found.definition === undefined) {
    return 'stood in for';
  }
  const ids = firstIds(codecOf(found.definition), sample);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const most = typeof tokens === 'object' ? tokens.length : 0;
  if (!ids.every((id) => id >= 0 && id < most)) {
    throw new Error(`These are no tokens of ${most}: ${ids.join()}`);
  }
  return 'read';
}

/** What a GGUF file says of its tokenizer. */
export const ggufTokenizer: Reader = {
  title: 'tokenizers of GGUF files',
  share: 150,
  open: () => Promise.resolve((next) => read(mutated(pick(originals, next), next))),
};
