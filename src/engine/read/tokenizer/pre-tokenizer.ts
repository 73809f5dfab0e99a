import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { described, quoted } from '../../../core/text/printable';
import { Gpt2Scanner, scannerOf } from './gpt-scanners';
import { fieldsOf, type Json, type JsonObject, kindOf, stepsOf, textOf } from './json';
import { compiled, type SplitBehavior, SplitScanner, unlikeIn } from './patterns';
import {
  bertScanner,
  digitsScanner,
  FixedLengthScanner,
  MetaspaceScanner,
  punctuationScanner,
  type Scanner,
  whitespaceScanner,
  whitespaceSplitScanner,
} from './scanner';

/** What is put before a text that does not begin with it. */
export interface Prefix {
  readonly text: string;
  /** `text`: before a text; `first`: only before the very first; `piece`: before every piece that a scanner finds. */
  readonly before: 'text' | 'first' | 'piece';
}

/** How a tokenizer cuts text into what its model encodes piece by piece. */
export interface PreTokenizer {
  /** A scanner of its own for every reader, because scanners have state. */
  readonly scanner: () => Scanner;
  /** Whether the model's characters are bytes (`ByteLevel`). */
  readonly bytes: boolean;
  readonly prefix: Prefix | undefined;
  /** The character that stands for a space (`Metaspace`). */
  readonly blank: string;
  /** Whether the text is not cut at all. */
  readonly whole: boolean;
  /** Why it may cut otherwise than the model's training did; null if it does not. */
  readonly approximation: string | null;
}

/**
 * Reads `pre_tokenizer` of a `tokenizer.json`.
 *
 * @param isBlankless whether no space is left after normalization
 * @throws InputError that names what is not supported
 */
export function preTokenizerOf(json: Json, isBlankless: boolean): PreTokenizer {
  const scanners: (() => Scanner)[] = [];
  let bytes = false;
  let blank = ' ';
  let prefix: Prefix | undefined;
  let approximation: string | null = null;
  for (const step of stepsOf(json, 'pre_tokenizer', 'pretokenizers')) {
    const type = kindOf(step);
    if (blank !== ' ' && type !== 'Digits' && type !== 'Punctuation') {
      throw new InputError(`its pre-tokenizer ${quoted(type)} after Metaspace is not supported`);
    }
    switch (type) {
      case 'ByteLevel':
        if (step.add_prefix_space === true) {
          if (scanners.length > 0 && step.use_regex !== false) {
            throw new InputError('its pre-tokenizer ByteLevel adds spaces and cuts after another one, which is not supported');
          }
          prefix = { text: ' ', before: scanners.length > 0 ? 'piece' : 'text' };
        }
        if (step.use_regex !== false) {
          scanners.push(() => new Gpt2Scanner());
        }
        bytes = true;
        break;
      case 'Metaspace': {
        blank = textOf(step.str_rep) ?? textOf(step.replacement) ?? '\u2581';
        if (blank.length !== 1) {
          throw new InputError(`its pre-tokenizer Metaspace replaces spaces by ${quoted(blank)}; only one character is supported`);
        }
        const scheme = textOf(step.prepend_scheme) ?? (step.add_prefix_space === false ? 'never' : 'always');
        if (scheme === 'first' && scanners.length > 0) {
          approximation = said`its pre-tokenizer Metaspace marks the first piece only that another one cut, and here it marks all`;
        }
        if (scheme !== 'never') {
          prefix = { text: blank, before: scanners.length > 0 ? 'piece' : scheme === 'first' ? 'first' : 'text' };
        }
        if (step.split !== false) {
          const mark = blank.charCodeAt(0);
          scanners.push(() => new MetaspaceScanner(mark));
        }
        break;
      }
      case 'Split': {
        const { scanner, unlike } = splitOf(step, isBlankless);
        if (scanner !== undefined) {
          scanners.push(scanner);
        }
        if (unlike !== undefined) {
          approximation = said`its pre-tokenizer Split has ${quoted(unlike)}, which JavaScript reads in another way`;
        }
        break;
      }
      default:
        scanners.push(simpleScanner(type, step));
    }
  }
  const [first, ...more] = scanners.length === 0 ? [(): Scanner => new WholeScanner()] : scanners;
  const scanner = more.reduce<() => Scanner>((outer, inner) => () => new NestedScanner(outer(), inner()), first);
  return { scanner, bytes, prefix, blank, whole: scanners.length === 0, approximation };
}

function simpleScanner(type: string, step: JsonObject): () => Scanner {
  switch (type) {
    case 'BertPreTokenizer':
      return bertScanner;
    case 'Whitespace':
      return whitespaceScanner;
    case 'WhitespaceSplit':
      return whitespaceSplitScanner;
    case 'Punctuation': {
      const behavior = behaviorOf(step.behavior ?? 'Isolated');
      if (behavior !== 'Isolated' && behavior !== 'Contiguous') {
        throw new InputError(`its pre-tokenizer Punctuation with ${behavior} is not supported`);
      }
      return () => punctuationScanner(behavior === 'Isolated');
    }
    case 'Digits':
      return () => digitsScanner(step.individual_digits === true);
    case 'FixedLength': {
      const { length = 5 } = step;
      if (!(Number.isInteger(length) && Number(length) > 0)) {
        throw new InputError(`its pre-tokenizer FixedLength has the length ${described(length)}`);
      }
      return () => new FixedLengthScanner(Number(length));
    }
    default:
      throw new InputError(`its pre-tokenizer ${quoted(type)} is not known`);
  }
}

interface Split {
  /** Undefined for a split that never cuts. */
  readonly scanner?: () => Scanner;
  /** What of its pattern may mean something else here. */
  readonly unlike?: string | undefined;
}

function splitOf(step: JsonObject, isBlankless: boolean): Split {
  const behavior = behaviorOf(step.behavior);
  const invert = step.invert === true;
  const pattern = fieldsOf(step.pattern, 'pattern');
  const regex = textOf(pattern.Regex);
  if (regex !== undefined && (behavior === 'Removed') === invert && behavior !== 'Contiguous') {
    const published = behavior === 'Isolated' || behavior === 'Removed' ? scannerOf(regex) : undefined;
    if (published !== undefined) {
      return { scanner: () => scannerOf(regex) ?? published };
    }
  }
  // Gemma cuts at spaces, of which its normalizer leaves none.
  if (isBlankless && textOf(pattern.String) === ' ' && !invert) {
    return {};
  }
  const literal = textOf(pattern.String)?.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  if (regex === undefined && literal === undefined) {
    throw new InputError('its pre-tokenizer Split has no pattern');
  }
  const found = regex === undefined ? new RegExp(literal ?? '', 'gu') : compiled(regex);
  return { scanner: () => new SplitScanner(found, behavior, invert), unlike: unlikeIn(regex ?? '') };
}

const behaviors: readonly SplitBehavior[] = ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

function behaviorOf(value: Json): SplitBehavior {
  const found = behaviors.find((behavior) => behavior.toLowerCase() === String(value).toLowerCase().replaceAll('_', ''));
  if (found === undefined) {
    throw new InputError(`its pre-tokenizer has the behavior ${described(value)}`);
  }
  return found;
}

/** The whole text is one piece. */
export class WholeScanner implements Scanner {
  from = 0;
  to = 0;
  reach = Infinity;
  readonly memoryless = true;
  readonly restarts = false;

  next(_text: string, at: number, end: number, last: boolean): boolean {
    this.from = at;
    this.to = end;
    return last;
  }

  sure(_text: string, _from: number, end: number): number {
    return end;
  }
}

/** Cuts the pieces of one scanner with another: a sequence of pre-tokenizers. */
export class NestedScanner implements Scanner {
  from = 0;
  to = 0;
  reach = 0;
  restarts = false;
  readonly memoryless = false;
  /** The text and the end of the outer piece whose inner pieces are being read. */
  private text = '';
  private outerEnd = -1;

  constructor(
    private readonly outer: Scanner,
    private readonly inner: Scanner,
  ) {}

  next(text: string, at: number, end: number, last: boolean): boolean {
    const { outer, inner } = this;
    if (at >= this.outerEnd || text !== this.text) {
      if (!outer.next(text, at, end, last)) {
        return false;
      }
      this.text = text;
      this.outerEnd = outer.to;
    }
    const start = Math.max(at, outer.from);
    if (start < outer.to) {
      inner.next(text, start, outer.to, true);
    }
    [this.from, this.to] = start < outer.to ? [inner.from, inner.to] : [outer.to, outer.to];
    if (this.to >= outer.to) {
      this.outerEnd = -1;
      this.restarts = outer.restarts;
    } else {
      this.restarts = outer.restarts && outer.memoryless && inner.restarts;
    }
    this.reach = outer.memoryless ? Math.min(outer.reach, Math.max(inner.reach, this.to) + 2) : outer.reach;
    return true;
  }

  sure(text: string, from: number, end: number): number {
    const { outer, inner } = this;
    return outer.memoryless ? inner.sure(text, from, outer.sure(text, from, end)) : from;
  }
}
