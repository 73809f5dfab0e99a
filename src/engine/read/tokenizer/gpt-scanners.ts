import { classOf, codePoint, letter, lineBreak, number, space, unitsOf, wordHead, wordTail } from './characters';
import { ClassScanner, type Scanner } from './scanner';

/** What the published patterns have in common: contractions and runs of white space. */
abstract class GptScanner extends ClassScanner {
  readonly memoryless = false;

  /** Which of the runs that can be read from within a character belongs to, by its classes; 0: to none. */
  protected abstract runOf(kinds: number): number;

  /** Long pieces are runs of one kind, after a character of any kind: from two characters of the run, the rest of it is found. */
  override sure(text: string, from: number, end: number): number {
    const second = from + unitsOf(codePoint(text, from));
    const run = second < end ? this.runOf(classOf(codePoint(text, second))) : 0;
    const first = classOf(codePoint(text, from));
    // After a line break, spaces belong to its piece only if there is another one; after small letters, capitals do not.
    if (run === 0 || (first & lineBreak) !== 0 || (run === anyCase && this.runOf(first) === smallLetters)) {
      return from;
    }
    let at = second;
    while (at < end) {
      const point = codePoint(text, at);
      if (this.runOf(classOf(point)) !== run) {
        return from;
      }
      at += unitsOf(point);
    }
    return end;
  }

  /** The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, or the same of lower case only; the offset itself if there is none. */
  protected contraction(text: string, at: number, end: number, anyCase: boolean): number {
    this.looked(at);
    if (at >= end || text.charCodeAt(at) !== apostrophe) {
      return at;
    }
    this.looked(at + 2);
    const after = text.slice(at + 1, Math.min(end, at + 3));
    const [short, long] = anyCase ? anyCaseEndings : endings;
    return short.test(after) ? at + 2 : long.test(after) ? at + 3 : at;
  }

  /** `\s+(?!\S)|\s+`: white space leaves its last character to the word after it. */
  protected whiteSpace(at: number, runEnd: number, end: number): number {
    return runEnd < end && runEnd - at > 1 ? runEnd - 1 : runEnd;
  }

  /** `\s*[\r\n]+|\s+(?!\S)|\s+` */
  protected lines(text: string, at: number, end: number): number {
    const runEnd = this.run(text, at, end, space);
    for (let last = runEnd - 1; last >= at; last -= 1) {
      const unit = text.charCodeAt(last);
      if (unit === lineFeed || unit === carriageReturn) {
        return last + 1;
      }
    }
    return this.whiteSpace(at, runEnd, end);
  }

  /** `\p{N}{1,limit}` */
  protected digits(text: string, at: number, end: number, limit: number): number {
    let to = at;
    for (let count = 0; count < limit && (this.classAt(text, to, end) & number) !== 0; count += 1) {
      to += unitsOf(codePoint(text, to));
    }
    return to;
  }

  /** `[^\s\p{L}\p{N}]+[\r\n]*`, with further characters after it. */
  protected symbols(text: string, at: number, end: number, slash: boolean): number {
    let to = this.runWithout(text, at, end, space | letter | number);
    while (to < end) {
      const unit = text.charCodeAt(to);
      if (!(unit === lineFeed || unit === carriageReturn || (slash && unit === slashUnit))) {
        break;
      }
      to += 1;
    }
    this.looked(to);
    return to;
  }
}

const apostrophe = 0x27;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const slashUnit = 0x2f;
const blank = 0x20;
const endings = [/^[stmd]/, /^(?:re|ve|ll)/] as const;
/** Oniguruma and Rust fold the long s to s. */
const anyCaseEndings = [/^[stmd\u017f]/i, /^(?:re|ve|ll)/i] as const;

/** Runs of letters with both cases or none, small letters, symbols, and white space without line breaks. */
const [anyCase, smallLetters, symbolRun, spaceRun] = [1, 2, 3, 4];

/** The run of what is no letter. */
function otherRunOf(kinds: number): number {
  return (kinds & (number | lineBreak)) !== 0 ? 0 : (kinds & space) !== 0 ? spaceRun : symbolRun;
}

/**
 * The pattern of GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`; tiny-docs-5m has it with
 * one digit.
 */
export class Gpt2Scanner extends GptScanner {
  /** @param digitLimit most digits of a piece */
  constructor(private readonly digitLimit = Infinity) {
    super();
  }

  protected runOf(kinds: number): number {
    return (kinds & letter) !== 0 ? anyCase : otherRunOf(kinds);
  }

  protected scan(text: string, at: number, end: number): void {
    const contracted = this.contraction(text, at, end, false);
    if (contracted > at) {
      this.to = contracted;
      return;
    }
    const start = text.charCodeAt(at) === blank ? at + 1 : at;
    const kind = this.classAt(text, start, end);
    if (start < end && (kind & space) === 0) {
      this.to =
        (kind & letter) !== 0
          ? this.run(text, start, end, letter)
          : (kind & number) !== 0
            ? this.digits(text, start, end, this.digitLimit)
            : this.runWithout(text, start, end, space | letter | number);
      return;
    }
    this.to = this.whiteSpace(at, this.run(text, at, end, space), end);
  }
}

/**
 * The pattern of cl100k and Llama 3, and with one digit that of Qwen 2:
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
 */
export class Cl100kScanner extends GptScanner {
  /** @param digitLimit most digits of a piece */
  constructor(private readonly digitLimit: number) {
    super();
  }

  protected runOf(kinds: number): number {
    return (kinds & letter) !== 0 ? anyCase : otherRunOf(kinds);
  }

  protected scan(text: string, at: number, end: number): void {
    const contracted = this.contraction(text, at, end, true);
    if (contracted > at) {
      this.to = contracted;
      return;
    }
    const point = codePoint(text, at);
    const kind = classOf(point);
    if ((kind & letter) !== 0) {
      this.to = this.run(text, at, end, letter);
    } else if ((kind & number) !== 0) {
      this.to = this.digits(text, at, end, this.digitLimit);
    } else {
      const after = at + unitsOf(point);
      const next = this.classAt(text, after, end);
      if ((kind & lineBreak) === 0 && (next & letter) !== 0) {
        this.to = this.run(text, after, end, letter);
      } else if ((kind & space) === 0) {
        this.to = this.symbols(text, at, end, false);
      } else if (point === blank && after < end && (next & (space | letter | number)) === 0) {
        this.to = this.symbols(text, after, end, false);
      } else {
        this.to = this.lines(text, at, end);
      }
    }
  }
}

/**
 * The pattern of o200k (GPT-4o, gpt-oss), and without contractions and with one digit that of Mistral's Tekken: words begin
 * with capitals and go on in lower case, each with marks and letters without case; see `patterns.ts` for it in full.
 */
export class O200kScanner extends GptScanner {
  constructor(
    private readonly digitLimit: number,
    private readonly contractions: boolean,
  ) {
    super();
  }

  protected runOf(kinds: number): number {
    const cases = kinds & (wordHead | wordTail);
    return cases === 0 ? otherRunOf(kinds) : cases === wordTail ? smallLetters : cases === wordHead ? 0 : anyCase;
  }

  protected scan(text: string, at: number, end: number): void {
    const point = codePoint(text, at);
    const kind = classOf(point);
    const after = at + unitsOf(point);
    // The first character may be one that is neither letter, digit nor line break; the pattern tries that first.
    const takesOne = (kind & (lineBreak | letter | number)) === 0;
    const found =
      (takesOne ? this.mixed(text, after, end) : 0) ||
      this.mixed(text, at, end) ||
      (takesOne ? this.capitals(text, after, end) : 0) ||
      this.capitals(text, at, end);
    if (found > 0) {
      this.to = this.contractions ? this.contraction(text, found, end, true) : found;
    } else if ((kind & number) !== 0) {
      this.to = this.digits(text, at, end, this.digitLimit);
    } else if ((kind & space) === 0) {
      this.to = this.symbols(text, at, end, true);
    } else if (point === blank && after < end && (this.classAt(text, after, end) & (space | letter | number)) === 0) {
      this.to = this.symbols(text, after, end, true);
    } else {
      this.to = this.lines(text, at, end);
    }
  }

  /** The end of `[head]*[tail]+`; 0 if there is none. */
  private mixed(text: string, at: number, end: number): number {
    let to = at;
    // After the last character that is head and tail: the greedy head gives back all after it.
    let shared = 0;
    while (to < end) {
      const point = codePoint(text, to);
      const kind = classOf(point);
      if ((kind & wordHead) === 0) {
        break;
      }
      to += unitsOf(point);
      if ((kind & wordTail) !== 0) {
        shared = to;
      }
    }
    const tailEnd = this.run(text, to, end, wordTail);
    return tailEnd > to ? tailEnd : shared;
  }

  /** The end of `[head]+[tail]*`; 0 if there is none. */
  private capitals(text: string, at: number, end: number): number {
    const headEnd = this.run(text, at, end, wordHead);
    return headEnd > at ? this.run(text, headEnd, end, wordTail) : 0;
  }
}

const lines = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const contraction = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const head = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const tail = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

const gpt2 = (digits: string): string => String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?${digits}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const cl100k = (digits: string): string => String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${lines}`;
const o200k = (digits: string, after: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?${head}*${tail}+${after}|[^\r\n\p{L}\p{N}]?${head}+${tail}*${after}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${lines}`;

/** Published patterns, as they stand in `tokenizer.json`, with the linear scanner of each. */
const published: ReadonlyMap<string, () => Scanner> = new Map<string, () => Scanner>([
  [gpt2(String.raw`\p{N}+`), () => new Gpt2Scanner()],
  [gpt2(String.raw`\p{N}`), () => new Gpt2Scanner(1)],
  [cl100k(String.raw`\p{N}{1,3}`), () => new Cl100kScanner(3)],
  [cl100k(String.raw`\p{N}`), () => new Cl100kScanner(1)],
  [o200k(String.raw`\p{N}{1,3}`, `${contraction}?`), () => new O200kScanner(3, true)],
  [o200k(String.raw`\p{N}`, ''), () => new O200kScanner(1, false)],
]);

/** The scanner of a published pattern. All its text is matched, so isolated matches and removed gaps are the same. */
export function scannerOf(pattern: string): Scanner | undefined {
  return published.get(pattern)?.();
}
