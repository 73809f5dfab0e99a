import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import { ProcessorTime, readingMs } from '../input/time-limit';
import { splitsPair } from './characters';
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
  /** What is left for the text, whose sections are cut one after the other. */
  private time = new ProcessorTime(0);
  private cutTo = 0;

  /**
   * @param pattern with the flag g
   * @param invert whether the pattern matches what is kept, not what parts it
   * @param limitMs milliseconds of processor time that it may take on a text of so many characters
   */
  constructor(
    private readonly pattern: RegExp,
    private readonly behavior: SplitBehavior,
    private readonly invert: boolean,
    private readonly limitMs = readingMs,
  ) {}

  next(text: string, at: number, end: number, last: boolean): boolean {
    if (!last) {
      return false;
    }
    if (text !== this.text || end !== this.end || this.to !== at || this.index > this.pieces.length) {
      if (text !== this.text || at < this.cutTo) {
        this.time = new ProcessorTime(this.limitMs(text.length));
      }
      this.text = text;
      this.end = end;
      this.cutTo = end;
      this.index = 0;
      const parts = this.time.spend(
        () => this.parts(text.slice(at, end), at),
        () => new InputError(`The tokenizer's pattern ${quoted(this.pattern.source)} takes too long on this text; use another model.`),
      );
      this.pieces = merged(parts, this.behavior).filter(([from, to]) => to > from);
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
    let hasMatch = false;
    for (const match of text.matchAll(this.pattern)) {
      // V8 takes a negative look-ahead for true between the halves of a pair.
      if (splitsPair(text, match.index)) {
        continue;
      }
      const to = match.index + match[0].length;
      // An empty match parts what it stands between, but Oniguruma finds none where the last match ends.
      if (hasMatch && to === from) {
        continue;
      }
      hasMatch = true;
      if (match.index > from) {
        parts.push([offset + from, offset + match.index, this.invert]);
      }
      parts.push([offset + match.index, offset + to, !this.invert]);
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

/** A pattern of Oniguruma's syntax as one of JavaScript's, by the library. @throws SyntaxError for one that cannot be read */
export function compiled(pattern: string): RegExp {
  const { pattern: found } = new SplitPreTokenizer({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'isolated',
    invert: false,
  } as never);
  if (found === null) {
    throw new InputError(`its pattern ${quoted(pattern)} cannot be read`);
  }
  return found;
}

/** As it is matched, but for look-behind, which the checker does not support: it takes no more time than any other group. */
function isSafe(pattern: string): boolean {
  return safeRegex(compiled(pattern).source.replace(/\(\?<[=!]/g, '(?:'), { limit: repetitions });
}

/** Most repetitions in a pattern: real tokenizers have up to 25. */
const repetitions = 100;

/**
 * Refuses patterns with catastrophic backtracking, such as `(a+)+$`.
 *
 * It looks at nested repetition only; other patterns can be slow as well, and are ended while they match.
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
      if (key === 'Regex' && typeof inner === 'string' && !isSafe(inner)) {
        throw new InputError(`its pattern ${quoted(inner)} can take for ever`);
      }
      waiting.push(inner ?? null);
    }
  }
}

const item = String.raw`\\(?:[sSdDrnt]|[pP]\{\w+\}|u[0-9A-Fa-f]{4}|[^\w\s])|&(?!&)|[^\\[\]&]`;
const set = String.raw`\[\^?(?![\]:])(?:${item}|\[(?![\^\]:])(?:${item})+\])+\]`;
const atom = String.raw`\\(?:[sSdDrnt]|[pP]\{\w+\}|u[0-9A-Fa-f]{4}|[^\w\s])|${set}|[^\\()[\]{}*+?]`;
const group = String.raw`\((?:\?(?:[:=!]|<[=!])|(?!\?))|\)`;
/** One repetition, greedy or not. Oniguruma takes `{n}?` for a choice and `++` for a repetition that gives nothing back. */
const repetition = String.raw`(?:[*+?]\??|\{\d+(?:,\d*\}\??|\}(?!\?)))(?![*+?{])`;
const alike = new RegExp(String.raw`(?:${atom}|${group}|${repetition})`, 'uy');

/**
 * The first part of a pattern that is not known to mean the same to Oniguruma, with which the Rust library reads it, and to
 * JavaScript after `@huggingface/tokenizers` translated it; undefined if all of it does.
 *
 * Not alike are atomic groups and possessive repetition, which JavaScript does not have; what ignores case, which folds more than
 * ASCII in Oniguruma; `\w` and `\b`; and what is rare. Classes follow the Unicode of each side.
 */
export function unlikeIn(pattern: string): string | undefined {
  alike.lastIndex = 0;
  let from = 0;
  while (from < pattern.length && alike.test(pattern)) {
    from = alike.lastIndex;
  }
  return from < pattern.length ? pattern.slice(from, from + 8) : undefined;
}
