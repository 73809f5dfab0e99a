import { cutSegments } from './segments';
import type { PromptTokenizer } from './tokenizer';

/** Where the tokens of one version of a prompt lie in its text. */
export interface TokenMap {
  /** N, the prefix included. */
  readonly tokens: number;
  /** Where a token begins, in UTF-16 code units. `tokens` itself maps to the end of the text. */
  offsetOf(token: number): number;
  /** The token that holds the character at an offset. */
  tokenAt(offset: number): number;
}

/**
 * Maps prompts to tokens again and again while they are edited.
 *
 * It keeps the tokens of every segment it has seen lately, so that a keystroke costs one segment's tokenization.
 */
export class TokenMapper {
  private cache = new Map<string, readonly number[]>();

  constructor(private readonly tokenizer: PromptTokenizer) {}

  /**
   * Maps a text. Gives way to other work every few milliseconds.
   *
   * @returns undefined once `isStale` says that the answer is no longer wanted
   */
  async map(text: string, isStale: () => boolean): Promise<TokenMap | undefined> {
    const segments = cutSegments(text);
    const kept = new Map<string, readonly number[]>();
    const firstToken = new Float64Array(segments.length + 1);
    const firstOffset = new Float64Array(segments.length + 1);
    firstToken[0] = this.tokenizer.prefix.length;
    let resumed = performance.now();
    for (let index = 0; index < segments.length; index += 1) {
      const segment = segments[index];
      const ids = kept.get(segment) ?? this.cache.get(segment) ?? this.tokenizer.encodePart(segment);
      kept.set(segment, ids);
      firstToken[index + 1] = firstToken[index] + ids.length;
      firstOffset[index + 1] = firstOffset[index] + segment.length;
      if (index % 32 === 31 && performance.now() - resumed > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve));
        if (isStale()) {
          // What was tokenized so far is still worth keeping for the version that superseded this one.
          this.cache = new Map([...this.cache, ...kept]);
          return undefined;
        }
        resumed = performance.now();
      }
    }
    this.cache = kept;
    return this.lookup(segments, kept, firstToken, firstOffset);
  }

  private lookup(
    segments: readonly string[],
    idsOf: ReadonlyMap<string, readonly number[]>,
    firstToken: Float64Array,
    firstOffset: Float64Array,
  ): TokenMap {
    const tokens = firstToken[segments.length];
    const idsAt = (index: number): readonly number[] => idsOf.get(segments[index]) ?? [];
    const offsetIn = (index: number, token: number): number =>
      firstOffset[index] + this.tokenizer.offsetInPart(segments[index], idsAt(index), token - firstToken[index]);
    return {
      tokens,
      offsetOf: (token) => {
        if (token >= tokens) {
          return firstOffset[segments.length];
        }
        return token < firstToken[0] ? 0 : offsetIn(lastAtMost(firstToken, token), token);
      },
      tokenAt: (offset) => {
        if (segments.length === 0 || offset >= firstOffset[segments.length]) {
          return Math.max(0, tokens - 1);
        }
        const index = lastAtMost(firstOffset, offset);
        let low = firstToken[index];
        let high = low + idsAt(index).length - 1;
        while (low < high) {
          const middle = Math.ceil((low + high) / 2);
          if (offsetIn(index, middle) <= offset) {
            low = middle;
          } else {
            high = middle - 1;
          }
        }
        return low;
      },
    };
  }
}

/** Longest time that mapping holds its thread, in milliseconds. */
const sliceMs = 8;

/** The last index, sentinel excluded, whose value is at most `target`, in an ascending array. */
function lastAtMost(values: Float64Array, target: number): number {
  let low = 0;
  let high = values.length - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= target) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}
