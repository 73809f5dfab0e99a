import * as z from 'zod';
import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { textKinds, type TokenizerDescription } from '../../../core/report/report';
import { shown } from '../../../core/text/printable';
import { parseJson } from '../input/json';
import { AddedTokens } from './added-tokens';
import { BytePairModel } from './byte-pair';
import { inByteAlphabet } from './characters';
import { type Codec, decoderOf } from './codec';
import { Cl100kScanner, Gpt2Scanner, O200kScanner } from './gpt-scanners';
import { VocabularyMerges } from './merges';
import { RememberingModel } from './model';
import { normalizerOf } from './normalizer';
import type { Scanner } from './scanner';

/** Encodings in `gpt-tokenizer`, by their OpenAI names. */
export const encodings = ['r50k_base', 'p50k_base', 'cl100k_base', 'o200k_base'] as const;
type Encoding = (typeof encodings)[number];

/** Vocabularies of up to a few megabytes each, loaded at first use. */
const vocabularies = {
  r50k_base: () => import('gpt-tokenizer/bpeRanks/r50k_base'),
  p50k_base: () => import('gpt-tokenizer/bpeRanks/p50k_base'),
  cl100k_base: () => import('gpt-tokenizer/bpeRanks/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/bpeRanks/o200k_base'),
} as const;

/** How each cuts text, as in tiktoken. */
const scanners: Readonly<Record<Encoding, () => Scanner>> = {
  r50k_base: () => new Gpt2Scanner(),
  p50k_base: () => new Gpt2Scanner(),
  cl100k_base: () => new Cl100kScanner(3),
  o200k_base: () => new O200kScanner(3, true),
};

/** The codec of an encoding. In a prompt, text that looks like a special token is plain text. */
export async function encodingCodec(encoding: Encoding): Promise<Codec> {
  const { default: ranks } = await vocabularies[encoding]();
  const utf8 = new TextEncoder();
  const tokens = ranks.map((token) => inByteAlphabet(typeof token === 'string' ? utf8.encode(token) : token));
  const ids = new Map<string, number>();
  // p50k_base leaves out the number of a special token.
  tokens.forEach((token, id) => ids.set(token, id));
  const model = new BytePairModel({
    ids,
    merges: new VocabularyMerges(ids, tokens),
    bytes: true,
    ignoreMerges: true,
    byteFallback: false,
    unknown: undefined,
    fuseUnknown: false,
    continuingPrefix: '',
    wordSuffix: '',
  });
  return {
    pipeline: {
      rawTokens: new AddedTokens([]),
      normalizer: normalizerOf(null),
      normalizedTokens: new AddedTokens([]),
      preTokenizer: { scanner: scanners[encoding], bytes: true, prefix: undefined, blank: ' ', whole: false, approximation: null },
      model: new RememberingModel(model),
    },
    prefix: [],
    suffix: [],
    decode: decoderOf({ type: 'ByteLevel' }, tokens, []),
    approximation: null,
  };
}

/** The encoding whose vocabulary is about as large as a model's, which counts tokens of English about as the model's own does. */
export function encodingFor(vocabulary: number): Encoding {
  return vocabulary < 75_000 ? 'r50k_base' : vocabulary < 160_000 ? 'cl100k_base' : 'o200k_base';
}

/** The file in a model's folder that names an encoding in place of a `tokenizer.json`. */
export const standInName = 'tokenizer-stand-in.json';

/** An encoding that stands in for a model's tokenizer. */
export interface StandIn extends Pick<TokenizerDescription, 'exact' | 'error'> {
  readonly encoding: Encoding;
  readonly reason: string;
}

/** Tokens that an encoding counts too many, as a share of the model's own: -1 where it counts none. */
const deviation = z.number().min(-1).max(1000);

const standIn: z.ZodType<StandIn> = z.object({
  encoding: z.enum(encodings),
  exact: z.boolean(),
  reason: z.string().min(1).max(300),
  error: z.record(z.enum(textKinds), deviation).nullable().default(null),
});

/** Reads a stand-in. @param path named in errors @throws InputError where it is not JSON or lacks a field */
export function parseStandIn(text: string, path: string): StandIn {
  const parsed = standIn.safeParse(parseJson(text, path, said`give {"encoding", "exact", "reason"}`));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || said`the file`}: ${shown(issue.message)}; give {"encoding": one of ${encodings.join(', ')}, "exact", "reason"}.`,
    );
  }
  return parsed.data;
}
