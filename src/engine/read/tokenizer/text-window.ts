import type { FoundToken } from './added-tokens';
import { isSpace, splitsPair, wellFormed } from './characters';
import type { Pipeline } from './codec';

/** Code units that are read at once. */
const blockUnits = 8192;

/**
 * The normalized text of a part of a prompt, read as far as it is needed: a part ends at an added token or with the prompt.
 *
 * It knows where in the prompt every code unit comes from, and how far into the prompt one had to look to know it.
 */
export class TextWindow {
  /** Normalized text that was not yet dropped. */
  text = '';
  /** Where it comes from, as offsets in the prompt; undefined: from `base` on, unchanged. */
  private origins: Int32Array | undefined;
  private base: number;
  /** The prompt was read up to here. */
  private read: number;
  /** Whether the part was read to its end. */
  complete = false;
  /** The added token that ends the part. */
  found: FoundToken | undefined;

  /** @param start where the part begins in the prompt */
  constructor(
    private readonly pipeline: Pipeline,
    private readonly prompt: string,
    start: number,
  ) {
    this.base = start;
    this.read = start;
  }

  /** Where a code unit comes from; for the end of the text, where the prompt goes on. */
  originOf(at: number): number {
    return at >= this.text.length ? this.read : this.origins === undefined ? this.base + at : this.origins[at];
  }

  /** Drops text that is done with, and reads more: at least as much as is left. */
  extend(done: number): void {
    const { prompt, pipeline, read } = this;
    const { rawTokens, normalizer } = pipeline;
    const left = this.text.length - done;
    let end = Math.min(prompt.length, read + Math.max(blockUnits, left));
    while (end < prompt.length && !this.canPart(end)) {
      end += 1;
    }
    this.found = rawTokens.find(prompt, read, end);
    if (this.found !== undefined) {
      end = this.found.from;
    }
    this.complete = this.found !== undefined || end === prompt.length;
    const { text, origins } = normalizer.change(wellFormed(prompt.slice(read, end)));
    this.append(done, text, origins, read);
    this.read = end;
  }

  /** Puts text before all the rest; it comes from where that begins. */
  insert(at: number, text: string): void {
    const start = this.originOf(at);
    const origins = this.explicitOrigins(at);
    const after = new Int32Array(origins.length + text.length).fill(start, 0, text.length);
    after.set(origins, text.length);
    this.text = text + this.text.slice(at);
    this.origins = after;
  }

  /**
   * Whether text could be read from here as if it began here, but for what comes before a part. The ends of a part are left to
   * the part itself.
   */
  restartsAt(at: number): boolean {
    if (at <= 0 || (at >= this.text.length && this.complete)) {
      return false;
    }
    const origin = this.originOf(at);
    return origin > this.originOf(at - 1) && this.canPart(origin);
  }

  /**
   * One past the last code unit of the prompt that decided the first `at` code units of the text.
   *
   * @param at beyond the text if also its end decided
   */
  reachOf(at: number): number {
    const { prompt, pipeline, found } = this;
    const { rawTokens, normalizer } = pipeline;
    if (at > this.text.length) {
      return found === undefined ? prompt.length + 1 : Math.max(found.to, found.start + rawTokens.longest) + 2;
    }
    let next = at;
    while (next > 0 && next < this.text.length) {
      const origin = this.originOf(next);
      if (origin > this.originOf(next - 1) && normalizer.parts(prompt, origin)) {
        break;
      }
      next += 1;
    }
    // What is plain text and what an added token shows as many code units later as the longest one has.
    let reach = this.originOf(next) + 2;
    while (rawTokens.takesLeft && reach < prompt.length && isSpace(prompt, reach)) {
      reach += 1;
    }
    return reach + rawTokens.longest;
  }

  private canPart(at: number): boolean {
    const { prompt, pipeline } = this;
    return (
      !splitsPair(prompt, at) &&
      pipeline.normalizer.parts(prompt, at) &&
      !(pipeline.rawTokens.takesLeft && at > 0 && isSpace(prompt, at - 1))
    );
  }

  private append(done: number, text: string, origins: Int32Array | undefined, from: number): void {
    const left = this.text.length - done;
    if (left === 0) {
      this.text = text;
      this.base = from;
      this.origins = origins?.map((at) => from + at);
      return;
    }
    if (this.origins === undefined && origins === undefined && this.base + this.text.length === from) {
      this.base += done;
    } else {
      const kept = this.explicitOrigins(done);
      const all = new Int32Array(left + text.length);
      all.set(kept);
      for (let at = 0; at < text.length; at += 1) {
        all[left + at] = from + (origins === undefined ? at : origins[at]);
      }
      this.origins = all;
    }
    this.text = this.text.slice(done) + text;
  }

  private explicitOrigins(from: number): Int32Array {
    const { origins, base, text } = this;
    return origins === undefined ? Int32Array.from({ length: text.length - from }, (_, at) => base + from + at) : origins.subarray(from);
  }
}
