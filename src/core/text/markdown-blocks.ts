/** A line of Markdown, read from left to right: what containers have consumed, and the next character. */
export class Line {
  /** Index of the next character that is neither space nor tab; the line's length if there is none. */
  private at = 0;
  /** Column of that character; tabs advance to the next multiple of four. */
  private column = 0;
  /** Column up to which containers have consumed the line. */
  private taken = 0;

  constructor(private readonly text: string) {
    this.skipWhiteSpace();
  }

  /** The remaining text, without its indentation. */
  get rest(): string {
    return this.text.slice(this.at);
  }

  get isBlank(): boolean {
    return this.at === this.text.length;
  }

  /** Columns between the consumed part and the next character. */
  get indent(): number {
    return this.column - this.taken;
  }

  /** Index of the next character in the whole line. */
  get index(): number {
    return this.at;
  }

  /** Consumes columns of the indentation. */
  takeIndent(columns: number): void {
    this.taken += columns;
  }

  /** Consumes characters with the indentation before them. */
  takeMarker(length: number): void {
    this.at += length;
    this.column += length;
    this.taken = this.column;
    this.skipWhiteSpace();
  }

  private skipWhiteSpace(): void {
    for (; this.text[this.at] === ' ' || this.text[this.at] === '\t'; this.at += 1) {
      this.column += this.text[this.at] === '\t' ? 4 - (this.column % 4) : 1;
    }
  }
}

/** A block quote, or a list item with the columns that its content is indented by. */
export type Container = { readonly kind: 'quote' } | { readonly kind: 'item'; readonly indent: number; hasContent: boolean };

const listMarker = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const thematicBreak = /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;

/** Whether a line, without its indentation, is a thematic break. */
function isThematicBreak(rest: string): boolean {
  return thematicBreak.test(rest);
}

/** Consumes from a line what continues the open containers, and counts the containers that continue. */
export function continueContainers(line: Line, containers: readonly Container[]): number {
  const first = containers.findIndex((container) => {
    if (container.kind === 'quote') {
      return !takeQuote(line);
    }
    if (line.isBlank) {
      return !container.hasContent;
    }
    if (line.indent < container.indent) {
      return true;
    }
    line.takeIndent(container.indent);
    return false;
  });
  return first < 0 ? containers.length : first;
}

/**
 * Consumes the marker of a container that begins here. @param inParagraph whether a paragraph of the same container is open
 */
export function takeContainer(line: Line, inParagraph: boolean): Container | undefined {
  if (takeQuote(line)) {
    return { kind: 'quote' };
  }
  const { rest, indent } = line;
  const marker = indent < 4 && !isThematicBreak(rest) ? listMarker.exec(rest) : null;
  if (marker === null) {
    return undefined;
  }
  const [{ length }, number = '1'] = marker;
  const isEmpty = rest.slice(length).trim() === '';
  // Only a list that is not empty and starts at 1 interrupts a paragraph.
  if (inParagraph && (isEmpty || Number(number) !== 1)) {
    return undefined;
  }
  line.takeMarker(length);
  // Content five or more columns away is indented code: one column belongs to the marker.
  const gap = isEmpty || line.indent > 4 ? 1 : line.indent;
  line.takeIndent(Math.min(gap, line.indent));
  return { kind: 'item', indent: indent + length + gap, hasContent: !isEmpty };
}

function takeQuote(line: Line): boolean {
  if (line.indent >= 4 || !line.rest.startsWith('>')) {
    return false;
  }
  line.takeMarker(1);
  line.takeIndent(Math.min(1, line.indent));
  return true;
}

/** CommonMark 0.31.2, section 4.6: how an HTML block begins and, if no blank line ends it, how its last line looks. */
interface HtmlBlockRule {
  readonly start: RegExp;
  readonly end: RegExp | null;
  readonly interruptsParagraph: boolean;
}

const blockTags =
  'address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul';
const attribute = '\\s+[A-Za-z_:][\\w.:-]*(?:\\s*=\\s*(?:[^\\s"\'=<>`]+|\'[^\']*\'|"[^"]*"))?';

const rules: readonly HtmlBlockRule[] = [
  { start: /^<(?:script|pre|style|textarea)(?=\s|>|$)/i, end: /<\/(?:script|pre|style|textarea)>/i, interruptsParagraph: true },
  { start: /^<!--/, end: /-->/, interruptsParagraph: true },
  { start: /^<\?/, end: /\?>/, interruptsParagraph: true },
  { start: /^<![A-Za-z]/, end: />/, interruptsParagraph: true },
  { start: /^<!\[CDATA\[/, end: /\]\]>/, interruptsParagraph: true },
  { start: new RegExp(`^</?(?:${blockTags})(?=\\s|/?>|$)`, 'i'), end: null, interruptsParagraph: true },
  { start: new RegExp(`^(?:<[A-Za-z][\\w-]*(?:${attribute})*\\s*/?>|</[A-Za-z][\\w-]*\\s*>)\\s*$`), end: null, interruptsParagraph: false },
];

/** An open HTML block: it ends with a line that matches, or before a blank line. */
interface HtmlBlock {
  readonly end: RegExp | null;
}

/** The HTML block that a line without its indentation begins. The same line may also end it. */
function htmlBlockAt(line: string, inParagraph: boolean): HtmlBlock | undefined {
  return rules.find(({ start, interruptsParagraph }) => (interruptsParagraph || !inParagraph) && start.test(line));
}

/** What is open inside the innermost container between lines. Offsets are in the text. */
export type Leaf =
  | { readonly kind: 'none' }
  /** `to` is the end of its first line. */
  | { readonly kind: 'paragraph'; readonly from: number; readonly to: number }
  | { readonly kind: 'fence'; readonly marker: string }
  | ({ readonly kind: 'html' } & HtmlBlock);

/** The start of a block other than a paragraph: an ATX heading, which is one line, or the leaf that is open after it. */
type BlockStart =
  { readonly kind: 'heading'; readonly level: number; readonly title: string } | Exclude<Leaf, { readonly kind: 'paragraph' }>;

/** Nothing is open: after a blank line, a heading, a thematic break or indented code. */
export const none = { kind: 'none' } as const;

const atx = /^(#{1,6})(?=[ \t]|$)/;
const closingSequence = /(?:^|[ \t])#+$/;
const openingFence = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
const closingFence = /^(`{3,}|~{3,})[ \t]*$/;
const underline = /^(?:=+|-+)[ \t]*$/;
/** Link definitions: a paragraph of nothing else leaves no text to underline. */
const definitions = /^(?:\s*\[(?:[^\]\\]|\\.)+\]:[ \t]*\S.*)+$/;

/** The block, other than a paragraph, that begins with a line without its indentation. */
export function blockStartOf(rest: string, inParagraph: boolean): BlockStart | undefined {
  const level = atx.exec(rest)?.[1].length;
  if (level !== undefined) {
    return { kind: 'heading', level, title: rest.slice(level).trim().replace(closingSequence, '').trim() };
  }
  const opening = openingFence.exec(rest);
  if (opening !== null) {
    return { kind: 'fence', marker: opening[0] };
  }
  const html = htmlBlockAt(rest, inParagraph);
  if (html !== undefined) {
    return afterHtml(html, rest);
  }
  return isThematicBreak(rest) ? none : undefined;
}

/** The open leaf after another line of a fence or an HTML block. */
export function afterVerbatim(leaf: Exclude<Leaf, { readonly kind: 'none' | 'paragraph' }>, rest: string, indent: number): Leaf {
  if (leaf.kind === 'html') {
    return afterHtml(leaf, rest);
  }
  return indent < 4 && closingFence.exec(rest)?.[1].startsWith(leaf.marker) === true ? none : leaf;
}

/** The level of the setext heading if a line underlines the paragraph above it. */
export function underlinedLevel(paragraph: string, rest: string): 1 | 2 | undefined {
  return underline.test(rest) && !definitions.test(paragraph) ? (rest.startsWith('=') ? 1 : 2) : undefined;
}

function afterHtml({ end }: HtmlBlock, rest: string): { readonly kind: 'none' } | ({ readonly kind: 'html' } & HtmlBlock) {
  return (end === null ? rest === '' : end.test(rest)) ? none : { kind: 'html', end };
}
