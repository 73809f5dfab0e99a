import { z } from 'zod';
import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';

/** Converts text to token ids and back: a model's own tokenizer, or a stand-in. */
export interface Codec {
  /** @param special whether to add the model's special tokens around the text */
  encode(text: string, special: boolean): readonly number[];
  decode(ids: readonly number[]): string;
}

/** Encodings in `gpt-tokenizer`, by their OpenAI names. */
export const encodings = ['r50k_base', 'cl100k_base', 'o200k_base'] as const;
type Encoding = (typeof encodings)[number];

/** Modules of up to a few megabytes each, loaded at first use. */
const modules = {
  r50k_base: () => import('gpt-tokenizer/encoding/r50k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
} as const;

/** In a prompt, text that looks like a special token is plain text. */
const asText = { disallowedSpecial: new Set<string>() };

/**
 * The longest run without white space that is encoded as one piece, in UTF-16 code units.
 *
 * The encoder's time grows with the square of the length, and a megabyte of one letter must not hang. A longer run is cut,
 * which can add a token or two at the cut.
 */
const longestRun = 2048;
const longRun = new RegExp(`\\S{${longestRun}}`);

/** The codec of an encoding. */
export async function encodingCodec(encoding: Encoding): Promise<Codec> {
  const { encode, decode } = await modules[encoding]();
  return {
    encode: (text) => pieces(text).flatMap((piece) => encode(piece, asText)),
    decode: (ids) => decode(ids),
  };
}

/** A text, cut only inside overlong runs without white space, and never inside a surrogate pair. */
function pieces(text: string): string[] {
  const cut: string[] = [];
  let rest = text;
  for (let found = longRun.exec(rest); found !== null; found = longRun.exec(rest)) {
    const end = found.index + longestRun;
    const at = /[\uD800-\uDBFF]/.test(rest[end - 1]) ? end - 1 : end;
    cut.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return [...cut, rest];
}

/** The file in a model's folder that names an encoding in place of a `tokenizer.json`. */
export const standInName = 'tokenizer-stand-in.json';

/** An encoding that stands in for a model's tokenizer. */
interface StandIn {
  readonly encoding: Encoding;
  readonly exact: boolean;
  readonly reason: string;
}

const standIn: z.ZodType<StandIn> = z.object({ encoding: z.enum(encodings), exact: z.boolean(), reason: z.string().min(1).max(300) });

/** Reads a stand-in. @param path named in errors @throws InputError where it is not JSON or lacks a field */
export function parseStandIn(text: string, path: string): StandIn {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; give {"encoding", "exact", "reason"}.`);
  }
  const parsed = standIn.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || 'the file'}: ${shown(issue.message)}; give {"encoding": one of ${encodings.join(', ')}, "exact", "reason"}.`,
    );
  }
  return parsed.data;
}
