import { commonPrefix, commonSuffix } from './edits';
import {
  afterVerbatim,
  blockStartOf,
  type Container,
  continueContainers,
  type Leaf,
  Line,
  none,
  takeContainer,
  underlinedLevel,
} from './markdown-blocks';

/** A heading of a Markdown text; offsets are UTF-16 code units. */
interface Heading {
  /** 1 to 6. */
  readonly level: number;
  /** Its Markdown without the heading's marks. */
  readonly title: string;
  /** Offset of its first `#`, or of the first character of an underlined title. */
  readonly from: number;
  /** The end of the line it begins on. */
  readonly to: number;
}

/** Whether an ASCII character can begin something other than a paragraph. */
const isMark: readonly boolean[] = Array.from({ length: 128 }, (_, code) => /[\s>#`~<\-=+*_\d]/.test(String.fromCharCode(code)));

/**
 * Reads a text's headings line by line and tracks open blocks (CommonMark 0.31.2).
 *
 * Headings in block quotes and list items belong to those, not to the text's outline.
 */
class HeadingReader {
  readonly headings: Heading[] = [];
  private containers: Container[] = [];
  private leaf: Leaf = none;

  constructor(private readonly text: string) {}

  /** Whether no block is open: then the rest is read as if it were the beginning. */
  get isAtStart(): boolean {
    return this.containers.length === 0 && this.leaf.kind === 'none';
  }

  /** Reads the line `[from, to)`, without its line break. */
  read(from: number, to: number): void {
    const { leaf, containers, text } = this;
    // Fast path for nearly every line of a prompt: a megabyte takes milliseconds.
    if (containers.length === 0 && (leaf.kind === 'none' || leaf.kind === 'paragraph') && (from === to || !isMark[text.charCodeAt(from)])) {
      this.leaf = from === to ? none : leaf.kind === 'paragraph' ? leaf : { kind: 'paragraph', from, to };
      return;
    }
    const line = new Line(text.slice(from, to));
    const kept = continueContainers(line, containers);
    const continued = kept === containers.length;
    if (continued && (leaf.kind === 'fence' || leaf.kind === 'html')) {
      this.leaf = afterVerbatim(leaf, line.rest, line.indent);
      return;
    }
    if (continued && leaf.kind === 'paragraph' && line.indent < 4) {
      const title = text.slice(leaf.from, from).trimEnd();
      const level = underlinedLevel(title, line.rest);
      if (level !== undefined) {
        this.add({ level, title: title.replaceAll(/\s+/g, ' '), from: leaf.from, to: leaf.to });
        return;
      }
    }
    this.leaf = this.open(line, kept, from, to);
  }

  /** Closes and opens blocks for a line; returns the leaf that is open afterwards. */
  private open(line: Line, kept: number, lineStart: number, to: number): Leaf {
    const { leaf, containers } = this;
    const opened: Container[] = [];
    for (
      let next: Container | undefined;
      (next = takeContainer(line, leaf.kind === 'paragraph' && kept === containers.length && opened.length === 0));
    ) {
      opened.push(next);
    }
    const goesOn = leaf.kind === 'paragraph' && opened.length === 0 && !line.isBlank;
    const start = line.isBlank || line.indent >= 4 ? undefined : blockStartOf(line.rest, goesOn);
    if (goesOn && start === undefined) {
      // A paragraph continues even if its containers' marks are not repeated.
      return leaf;
    }
    this.containers = [...containers.slice(0, kept), ...opened];
    if (line.isBlank) {
      return none;
    }
    this.containers.forEach((container) => container.kind === 'item' && (container.hasContent = true));
    const from = lineStart + line.index;
    if (start?.kind === 'heading') {
      this.add({ level: start.level, title: start.title, from, to });
      return none;
    }
    return start ?? (line.indent >= 4 ? none : { kind: 'paragraph', from, to });
  }

  private add(heading: Heading): void {
    this.leaf = none;
    if (this.containers.length === 0) {
      this.headings.push(heading);
    }
  }
}

/** The headings of a Markdown text in order, and the positions from which it can be read again. */
export interface Outline {
  readonly text: string;
  readonly headings: readonly Heading[];
  /** Where the text begins after its front matter. */
  readonly bodyStart: number;
  /**
   * Line starts, ascending, before which every block is closed: from there the text is read as if it were the beginning.
   */
  readonly restarts: readonly number[];
}

const frontMatter = /^---[ \t]*\r?\n(?:[^]*?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const nothing: Outline = { text: '', headings: [], bodyStart: 0, restarts: [] };
/** Least distance between restarts, in code units: more of them resume faster, fewer are cheaper to keep. */
const restartDistance = 1024;

/** Where a text begins after its YAML front matter; 0 where it has none. */
export function bodyStartOf(text: string): number {
  return frontMatter.exec(text)?.[0].length ?? 0;
}

/**
 * The outline of a Markdown text: ATX and setext headings, YAML front matter skipped.
 *
 * @param before the outline of the previous version, so that an edit costs the lines around it and not the whole text
 */
export function outlineOf(text: string, before = nothing): Outline {
  const prefix = commonPrefix(before.text, text);
  const unchangedFrom = text.length - commonSuffix(before.text, text, Math.min(before.text.length, text.length) - prefix);
  const grown = text.length - before.text.length;
  const bodyStart = bodyStartOf(text);
  // Text up to a restart before the first change reads the same as before.
  const restarts = bodyStart === before.bodyStart ? before.restarts.filter((restart) => restart <= prefix) : [];
  const start = restarts.at(-1) ?? bodyStart;
  const head = restarts.length === 0 ? [] : before.headings.filter(({ from }) => from < start);
  const reader = new HeadingReader(text);
  let next = 0;
  for (let from = start, last = start; from < text.length;) {
    if (reader.isAtStart && from > start) {
      while (before.restarts[next] + grown < from) {
        next += 1;
      }
      if (from >= unchangedFrom && before.restarts[next] + grown === from) {
        // So does text after a restart behind the last change.
        const tail = before.headings
          .filter((heading) => heading.from + grown >= from)
          .map((heading) => ({ ...heading, from: heading.from + grown, to: heading.to + grown }));
        restarts.push(...before.restarts.slice(next).map((restart) => restart + grown));
        return { text, bodyStart, headings: [...head, ...reader.headings, ...tail], restarts };
      }
      if (from - last >= restartDistance) {
        restarts.push(from);
        last = from;
      }
    }
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline;
    reader.read(from, to > from && text[to - 1] === '\r' ? to - 1 : to);
    from = to + 1;
  }
  return { text, bodyStart, headings: [...head, ...reader.headings], restarts };
}

/** A heading with everything under it. */
export interface Section extends Heading {
  /** Where the next heading of the same or a higher level begins, or the end of the text, in UTF-16 code units. */
  readonly end: number;
}

/** The sections of a Markdown text, in order; each includes the lower levels under it. */
export function sectionsOf({ text, headings }: Outline): Section[] {
  // Where the next heading of each level begins, read from the end; level 0 is the text itself.
  const next = Array.from({ length: 7 }, () => text.length);
  return headings
    .toReversed()
    .map((heading): Section => {
      const end = Math.min(...next.slice(0, heading.level + 1));
      next[heading.level] = heading.from;
      return { ...heading, end };
    })
    .toReversed();
}

/** Where sections are, in order, in columns `[sections]`: for a thread that only looks some of them up. */
export type SectionPlaces = Readonly<Record<'from' | 'to' | 'end', Int32Array>>;

/** The places of the sections of a Markdown text. */
export function sectionPlaces(sections: readonly Section[]): SectionPlaces {
  return {
    from: Int32Array.from(sections, ({ from }) => from),
    to: Int32Array.from(sections, ({ to }) => to),
    end: Int32Array.from(sections, ({ end }) => end),
  };
}
