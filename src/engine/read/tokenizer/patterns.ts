import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import type { Scanner } from './scanner';

/** What becomes of the matches of a pattern (the Rust library's `SplitDelimiterBehavior`). */
export type SplitBehavior = 'Isolated' | 'Removed' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/** A part of a text and whether the pattern matched it. */
type Part = readonly [from: number, to: number, isMatch: boolean];

/**
 * Cuts text by a pattern that nothing is known of: its matches may depend on any other part of the text, so it asks for all of
 * it and never starts again within.
 */
export class SplitScanner implements Scanner {
  from = 0;
  to = 0;
  reach = Infinity;
  readonly restarts = false;
  readonly memoryless = false;
  private text = '';
  private end = -1;
  private pieces: readonly Part[] = [];
  private index = 0;

  /** @param pattern with the flag g @param invert whether the pattern matches what is kept, not what parts it */
  constructor(
    private readonly pattern: RegExp,
    private readonly behavior: SplitBehavior,
    private readonly invert: boolean,
  ) {}

  next(text: string, at: number, end: number, last: boolean): boolean {
    if (!last) {
      return false;
    }
    if (text !== this.text || end !== this.end || this.to !== at || this.index > this.pieces.length) {
      this.text = text;
      this.end = end;
      this.index = 0;
      this.pieces = merged(this.parts(text.slice(at, end), at), this.behavior);
    }
    // What follows the last piece was removed.
    [this.from, this.to] = this.index < this.pieces.length ? this.pieces[this.index] : [end, end];
    this.index += 1;
    return true;
  }

  sure(_text: string, from: number): number {
    return from;
  }

  private parts(text: string, offset: number): Part[] {
    const parts: Part[] = [];
    let from = 0;
    for (const match of text.matchAll(this.pattern)) {
      const to = match.index + match[0].length;
      if (match.index > from) {
        parts.push([offset + from, offset + match.index, this.invert]);
      }
      if (to > match.index) {
        parts.push([offset + match.index, offset + to, !this.invert]);
      }
      from = to;
    }
    if (from < text.length) {
      parts.push([offset + from, offset + text.length, this.invert]);
    }
    return parts;
  }
}

/** The pieces that a behaviour makes of a text's parts. */
function merged(parts: readonly Part[], behavior: SplitBehavior): readonly Part[] {
  switch (behavior) {
    case 'Isolated':
      return parts;
    case 'Removed':
      return parts.filter(([, , isMatch]) => !isMatch);
    case 'Contiguous':
      return joined(parts, (before, after) => before[2] === after[2]);
    case 'MergedWithPrevious':
      return joined(parts, (before, after) => after[2] && !before[2]);
    case 'MergedWithNext':
      return joined(parts, (before, after) => before[2] && !after[2]);
  }
}

/** Joins neighbours. @param joins asked of the last part that was joined, and the next one */
function joined(parts: readonly Part[], joins: (before: Part, after: Part) => boolean): Part[] {
  const pieces: Part[] = [];
  let before: Part | undefined;
  for (const part of parts) {
    const open = pieces.at(-1);
    if (open !== undefined && before !== undefined && joins(before, part)) {
      pieces[pieces.length - 1] = [open[0], part[1], part[2]];
    } else {
      pieces.push(part);
    }
    before = part;
  }
  return pieces;
}

/** Most repetitions in a pattern: real tokenizers have up to 25. */
const repetitions = 100;

/**
 * Refuses patterns with catastrophic backtracking, such as `(a+)+$`.
 *
 * It looks at nested repetition only; other patterns can be slow as well, so prompts are to be tokenized where that can be
 * stopped.
 * @throws InputError that shows the pattern
 */
export function checkPatterns(value: unknown): void {
  const waiting = [value];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (typeof part !== 'object' || part === null) {
      continue;
    }
    for (const [key, inner] of Object.entries(part)) {
      // Vocabularies are large and contain no patterns.
      if (key === 'vocab' || key === 'merges') {
        continue;
      }
      // The checker does not support the case-insensitive group, which takes no more time than any other.
      if (key === 'Regex' && typeof inner === 'string' && !safeRegex(inner.replaceAll('(?i:', '(?:'), { limit: repetitions })) {
        throw new InputError(`its pattern ${quoted(inner)} can take for ever`);
      }
      waiting.push(inner ?? null);
    }
  }
}
