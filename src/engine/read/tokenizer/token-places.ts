import { lastAtMost } from '../../../core/math/search';

/** Where the tokens of a run begin. It is never changed, so that versions of a text can share it. */
export interface ChunkPlaces {
  /** Where tokens begin, from the start of the chunk, in UTF-16 code units; ascending. */
  readonly starts: Int32Array;
  /** Length of its text. */
  readonly units: number;
}

/**
 * How the chunks of one version follow from those of another: all but the first `head` and the last `tail` are new.
 *
 * The new ones are columns: thousands of arrays take long to cross to another thread, and one can be moved there.
 */
export interface ChunkChange {
  readonly head: number;
  readonly tail: number;
  /** Where the tokens of the new chunks begin, from the start of their own chunk. */
  readonly starts: Int32Array;
  /** Of each new chunk, how many tokens it has, and how many code units. */
  readonly counts: Int32Array;
  readonly units: Int32Array;
}

/**
 * The places of a text's tokens: which token is where, without decoding and without the text.
 *
 * Tokens of the tokenizer's own before and after a text count as well; they begin at its start and at its end. Offsets are
 * UTF-16 code units; a token that begins within a character begins where the character does.
 */
export class TokenPlaces<Chunk extends ChunkPlaces = ChunkPlaces> {
  /** N: all tokens, with those before and after the text. */
  readonly tokens: number;
  /** Offsets and token numbers at which chunks begin, and the ends. */
  protected readonly firstOffset: Float64Array;
  protected readonly firstToken: Float64Array;

  /** @param before @param after tokens of the tokenizer's own before and after the text */
  constructor(
    protected readonly chunks: readonly Chunk[],
    before: number,
    after: number,
  ) {
    this.firstOffset = sums(chunks.map(({ units }) => units));
    this.firstToken = sums(chunks.map(({ starts }) => starts.length)).map((tokens) => tokens + before);
    this.tokens = this.firstToken[chunks.length] + after;
  }

  /** Length of the text. */
  get units(): number {
    return this.firstOffset[this.chunks.length];
  }

  /** Where a token begins. `tokens` itself begins at the end of the text. */
  offsetOf(token: number): number {
    const { chunks, firstToken, firstOffset } = this;
    if (token < firstToken[0] || chunks.length === 0) {
      return token < firstToken[0] ? 0 : this.units;
    }
    if (token >= firstToken[chunks.length]) {
      return this.units;
    }
    const index = lastAtMost(firstToken, chunks.length, token);
    return firstOffset[index] + chunks[index].starts[token - firstToken[index]];
  }

  /** The token that holds the character at an offset: of those that begin there or before, the last one. */
  tokenAt(offset: number): number {
    const { tokens, chunks, firstToken, firstOffset } = this;
    if (offset >= this.units || chunks.length === 0) {
      return Math.max(0, tokens - 1);
    }
    let index = lastAtMost(firstOffset, chunks.length, offset);
    // A chunk without tokens is text that the tokenizer drops.
    while (index > 0 && (chunks[index].starts.length === 0 || firstOffset[index] + chunks[index].starts[0] > offset)) {
      index -= 1;
    }
    const { starts } = chunks[index];
    return firstToken[index] + lastAtMost(starts, starts.length, offset - firstOffset[index]);
  }

  /** The first token that begins at or after an offset; those before the text begin at its start. `tokens` if there is none. */
  firstTokenFrom(offset: number): number {
    if (offset <= 0) {
      return 0;
    }
    let low = 0;
    let high = this.tokens;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsetOf(middle) < offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The tokens `[from, to)` that begin in a range of the text. */
  tokensIn(from: number, to: number): { readonly from: number; readonly to: number } {
    return { from: this.firstTokenFrom(from), to: this.firstTokenFrom(to) };
  }

  /** How these chunks follow from those of another version; chunks that both share are not sent again. */
  changeSince(before: TokenPlaces | undefined): ChunkChange {
    const [old, now] = [before?.chunks ?? [], this.chunks];
    const most = Math.min(old.length, now.length);
    let head = 0;
    while (head < most && old[head] === now[head]) {
      head += 1;
    }
    let tail = 0;
    while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) {
      tail += 1;
    }
    const chunks = now.slice(head, now.length - tail);
    const counts = Int32Array.from(chunks, ({ starts }) => starts.length);
    const starts = new Int32Array(counts.reduce((sum, count) => sum + count, 0));
    let at = 0;
    for (const chunk of chunks) {
      starts.set(chunk.starts, at);
      at += chunk.starts.length;
    }
    return { head, tail, starts, counts, units: Int32Array.from(chunks, ({ units }) => units) };
  }

  /** The chunks of a version that follows from this one. */
  chunksAfter({ head, tail, starts, counts, units }: ChunkChange): readonly ChunkPlaces[] {
    let at = 0;
    const chunks = Array.from(counts, (count, index): ChunkPlaces => {
      at += count;
      return { starts: starts.subarray(at - count, at), units: units[index] };
    });
    return [...this.chunks.slice(0, head), ...chunks, ...this.chunks.slice(this.chunks.length - tail)];
  }
}

/** The sums of numbers, from 0 to that of all. */
function sums(values: readonly number[]): Float64Array {
  const result = new Float64Array(values.length + 1);
  values.forEach((value, index) => (result[index + 1] = result[index] + value));
  return result;
}
