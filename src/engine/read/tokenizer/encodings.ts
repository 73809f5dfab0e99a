import type { Codec } from '../../tokenizer/codec';

/** Encodings that `gpt-tokenizer` ships, by their names at OpenAI. */
export const encodings = ['r50k_base', 'cl100k_base', 'o200k_base'] as const;
export type Encoding = (typeof encodings)[number];

/** Each is a module of up to a few megabytes, loaded when a model first needs it. */
const modules = {
  r50k_base: () => import('gpt-tokenizer/encoding/r50k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
} as const;

/** What looks like a special token in a prompt is text. */
const asText = { disallowedSpecial: new Set<string>() };

/**
 * The longest run without white space that is encoded in one piece, in UTF-16 code units.
 *
 * The encoder's time grows with the square of it, and a megabyte of one letter must not hang. A longer run is cut, which
 * can add a token or two at the cut.
 */
const longestRun = 2048;
const longRun = new RegExp(`\\S{${longestRun}}`);

/** An encoding. */
export async function encodingCodec(encoding: Encoding): Promise<Codec> {
  const { encode, decode } = await modules[encoding]();
  return {
    encode: (text) => pieces(text).flatMap((piece) => encode(piece, asText)),
    decode: (ids) => decode(ids),
  };
}

/** A text, cut only where a run without white space is too long; never inside of a surrogate pair. */
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
