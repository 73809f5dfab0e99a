import { InputError } from '../../../core/errors';

/** Text that came from other text. Offsets are UTF-16 code units. */
export interface AlignedText {
  readonly text: string;
  /** Where in the original each code unit comes from; undefined if they are the same. */
  readonly origins: Int32Array | undefined;
}

/** A change of text that keeps track of where its parts come from. */
export type Change = (text: string) => AlignedText;

/** Changes text part by part. Parts that stay the same stay aligned; a changed part begins as a whole where it began. */
export function changeParts(parts: Iterable<string>, change: (part: string) => string): AlignedText {
  const changed: string[] = [];
  const origins: number[] = [];
  let from = 0;
  for (const part of parts) {
    const now = change(part);
    changed.push(now);
    const same = now === part;
    for (let at = 0; at < now.length; at += 1) {
      origins.push(same ? from + at : from);
    }
    from += part.length;
  }
  return { text: changed.join(''), origins: Int32Array.from(origins) };
}

/** Greatest growth of text by one normalizer: the longest decomposition in Unicode has 18 characters. */
const mostGrowth = 32;

/** Applies changes one after another. @throws InputError if text grows as no real tokenizer makes it grow */
export function inSequence(changes: readonly Change[]): Change {
  return (original) => {
    let text = original;
    let origins: Int32Array | undefined;
    for (const change of changes) {
      const next = change(text);
      const before: Int32Array | undefined = origins;
      origins = before === undefined || next.origins === undefined ? (next.origins ?? before) : next.origins.map((at) => before[at]);
      text = next.text;
      if (text.length > original.length * mostGrowth + mostGrowth) {
        throw new InputError(`its normalizer makes text more than ${mostGrowth} times as long`);
      }
    }
    return { text, origins };
  };
}
