import type { JsonObject } from '../json';

/** What `tokenizer.ggml.pre` stands for: parts of the `tokenizer.json` of the models that have this name. */
export interface NamedPreTokenizer {
  readonly normalizer: JsonObject | null;
  readonly pre_tokenizer: JsonObject;
  /** Whether a piece that is a token needs no merges. */
  readonly ignoreMerges: boolean;
  /** Whether a text begins with the token of the beginning where the file does not say. */
  readonly addsBeginning: boolean;
}

const split = (pattern: string): JsonObject => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
const bytes = (cuts: boolean): JsonObject => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: cuts });
const digits: JsonObject = { type: 'Digits', individual_digits: true };
const sequence = (...pretokenizers: readonly JsonObject[]): JsonObject => ({ type: 'Sequence', pretokenizers });
const nfc: JsonObject = { type: 'NFC' };

const contraction = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const lines = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const head = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const tail = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const cl100k = (number: string): string => String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|${number}| ?[^\s\p{L}\p{N}]+[\r\n]*|${lines}`;
const o200k = (number: string, after: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?${head}*${tail}+${after}|[^\r\n\p{L}\p{N}]?${head}+${tail}*${after}|${number}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${lines}`;
/** The contractions in words that mean the same to Oniguruma and to JavaScript: the long s is an s to the former. */
const spelledContraction = String.raw`'[sS\u017f]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`;

const named = (
  pre_tokenizer: JsonObject,
  { normalizer = null, ignoreMerges = false, addsBeginning = false }: Partial<NamedPreTokenizer> = {},
): NamedPreTokenizer => ({ normalizer, pre_tokenizer, ignoreMerges, addsBeginning });

const llama3 = sequence(split(cl100k(String.raw`\p{N}{1,3}`)), bytes(false));
const qwen2 = named(sequence(split(cl100k(String.raw`\p{N}`)), bytes(false)), { normalizer: nfc });
const starcoder = named(sequence(digits, bytes(true)));
const neox = named(bytes(true), { normalizer: nfc });
const llama3Own = named(llama3, { ignoreMerges: true, addsBeginning: true });

/**
 * By `tokenizer.ggml.pre`, as llama.cpp's converter names pre-tokenizers. Only names whose `tokenizer.json` is known are here;
 * llama.cpp has more, and for some of these patterns that come near. It knows no normalizers (NFC); these are the files' own.
 */
const preTokenizers: Readonly<Record<string, NamedPreTokenizer>> = {
  'llama-bpe': llama3Own,
  llama3: llama3Own,
  'llama-v3': llama3Own,
  // SmolLM3 and others with Llama 3's vocabulary, in which 588 words are no products of merges, and without its beginning.
  'smaug-bpe': named(llama3, { ignoreMerges: true }),
  // OLMo 2, Phi-4.
  dbrx: named(llama3),
  'gpt-2': named(bytes(true)),
  // Pythia, OLMo 1.
  mpt: neox,
  olmo: neox,
  // StarCoder 2; Granite 3; SmolLM.
  starcoder,
  refact: starcoder,
  smollm: starcoder,
  'command-r': named(sequence(digits, bytes(true)), { normalizer: nfc }),
  qwen2,
  'deepseek-r1-qwen': qwen2,
  qwen35: named(
    sequence(
      split(String.raw`${spelledContraction}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${lines}`),
      bytes(false),
    ),
    { normalizer: nfc },
  ),
  // GPT-4o, gpt-oss, Phi-4-mini: every token is a product of merges, so that it does not matter whether they are ignored.
  'gpt-4o': named(sequence(split(o200k(String.raw`\p{N}{1,3}`, `${contraction}?`)), bytes(false))),
  // Mistral NeMo.
  tekken: named(sequence(split(o200k(String.raw`\p{N}`, '')), bytes(false)), { ignoreMerges: true, addsBeginning: true }),
  'deepseek-coder': named(
    sequence(
      split(String.raw`[\r\n]`),
      split(String.raw`\s?\p{L}+`),
      split(String.raw`\s?\p{P}+`),
      split('[一-龥\u0800-一가-\ud7ff]+'),
      digits,
      bytes(false),
    ),
  ),
  'deepseek-v3': named(
    sequence(
      split(String.raw`\p{N}{1,3}`),
      split('[一-龥぀-ゟ゠-ヿ]+'),
      split(
        String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${lines}`,
      ),
      bytes(false),
    ),
  ),
  bloom: named(sequence(split(String.raw` ?[^(\s|.,!?…。，、।۔،)]+`), bytes(false))),
};

/** The pre-tokenizer of a name; undefined for one that is not known. */
export function preTokenizerNamed(name: string): NamedPreTokenizer | undefined {
  return Object.hasOwn(preTokenizers, name) ? preTokenizers[name] : undefined;
}
