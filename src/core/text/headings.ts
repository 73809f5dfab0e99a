import { continueContainers, takeContainer, type Container } from './markdown-blocks';
import { afterVerbatim, blockStartOf, none, underlinedLevel, type Leaf } from '../markdown/leaves';
import { Line } from '../markdown/line';

/** A heading of a Markdown text; offsets are UTF-16 code units. */
export interface Heading {
  /** 1 to 6. */
  readonly level: number;
  /** Its Markdown without marks of the heading. */
  readonly title: string;
  /** Its first `#`, or the first character of the title that is underlined. */
  readonly from: number;
  /** The end of the line it begins on. */
  readonly to: number;
}

/** Whether more than a paragraph may begin with an ASCII character. */
const isMark: readonly boolean[] = Array.from({ length: 128 }, (_, code) => /[\s>#`~<\-=+*_\d]/.test(String.fromCharCode(code)));

/**
 * Reads headings of a text line by line, and knows which blocks are open (CommonMark 0.31.2).
 *
 * Headings in block quotes and list items are parts of those, not of the text's outline.
 */
export class HeadingReader {
  readonly headings: Heading[] = [];
  private containers: Container[] = [];
  private leaf: Leaf = none;

  constructor(private readonly text: string) {}

  /** Whether no block is open: what follows is read as if it were the beginning. */
  get isAtStart(): boolean {
    return this.containers.length === 0 && this.leaf.kind === 'none';
  }

  /** Reads the line from one offset to another, its break excluded. */
  read(from: number, to: number): void {
    const { leaf, containers, text } = this;
    // Nearly every line of a prompt: this keeps a megabyte within milliseconds.
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

  /** Closes and opens what a line closes and opens; returns the leaf that is open after it. */
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
      // A paragraph goes on even where the marks of its containers are not repeated.
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
