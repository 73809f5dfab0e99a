import { changedSegments, lastAtMost } from './segments';
import type { PromptTokenizer } from './tokenizer';

/** The positions of tokens in one version of a prompt's text. */
export interface TokenMap {
  /** N, including the prefix. */
  readonly tokens: number;
  /** Where a token begins, in UTF-16 code units. `tokens` itself maps to the end of the text. */
  offsetOf(token: number): number;
  /** The token that holds the character at an offset. */
  tokenAt(offset: number): number;
}

/**
 * The first token that begins at or after an offset; tokens of the prefix begin at the start of the text. `tokens` if there
 * is none.
 */
export function firstTokenFrom(map: TokenMap, offset: number): number {
  if (offset <= 0) {
    return 0;
  }
  let token = map.tokenAt(offset);
  if (map.offsetOf(token) < offset) {
    return token + 1;
  }
  // Tokens that split one character begin at the same offset.
  while (map.offsetOf(token - 1) >= offset) {
    token -= 1;
  }
  return token;
}

/** A version of a prompt as segments, with their tokens. */
interface Version {
  readonly text: string;
  readonly segments: readonly string[];
  readonly ids: readonly (readonly number[])[];
  /** Start of each segment, and the length of the text. */
  readonly firstOffset: Float64Array;
}

const emptyVersion: Version = { text: '', segments: [], ids: [], firstOffset: new Float64Array(1) };

/**
 * Maps a prompt's text to tokens repeatedly during edits.
 *
 * It caches the segments of the previous version, so that a keystroke costs the segments around it and not the whole
 * prompt.
 */
export class TokenMapper {
  private before: Version = emptyVersion;
  /** Tokens of segments from a version whose mapping was abandoned. */
  private unfinished = new Map<string, readonly number[]>();

  constructor(private readonly tokenizer: PromptTokenizer) {}

  /**
   * Maps a text. Yields to other work every few milliseconds.
   *
   * @returns undefined once `isStale` says that the result is no longer needed
   */
  async map(text: string, isStale: () => boolean): Promise<TokenMap | undefined> {
    const { before } = this;
    const { head, tail, segments: changed } = changedSegments(before.firstOffset, before.text, text);
    const known = this.unfinished;
    const ids: (readonly number[])[] = [];
    let resumed = performance.now();
    for (const [index, segment] of changed.entries()) {
      const own = known.get(segment) ?? this.tokenizer.encodePart(segment);
      known.set(segment, own);
      ids.push(own);
      if (index % 32 === 31 && performance.now() - resumed > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve));
        if (isStale()) {
          return undefined;
        }
        resumed = performance.now();
      }
    }
    const end = before.segments.length - tail;
    const segments = [...before.segments.slice(0, head), ...changed, ...before.segments.slice(end)];
    const firstOffset = new Float64Array(segments.length + 1);
    segments.forEach((segment, index) => (firstOffset[index + 1] = firstOffset[index] + segment.length));
    this.before = { text, segments, ids: [...before.ids.slice(0, head), ...ids, ...before.ids.slice(end)], firstOffset };
    this.unfinished = new Map();
    return this.lookup(this.before);
  }

  private lookup({ segments, ids, firstOffset }: Version): TokenMap {
    const firstToken = new Float64Array(segments.length + 1);
    firstToken[0] = this.tokenizer.prefix.length;
    for (let index = 0; index < segments.length; index += 1) {
      firstToken[index + 1] = firstToken[index] + ids[index].length;
    }
    const tokens = firstToken[segments.length];
    const offsetIn = (index: number, token: number): number =>
      firstOffset[index] + this.tokenizer.offsetInPart(segments[index], ids[index], token - firstToken[index]);
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
        let high = low + ids[index].length - 1;
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

/** Longest time that mapping blocks its thread, in milliseconds. */
const sliceMs = 8;
