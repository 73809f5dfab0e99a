import { isThematicBreak } from '../text/markdown-blocks';
import { htmlBlockAt, type HtmlBlock } from './html-blocks';

/** What is open inside the innermost container, from one line to the next. Offsets are in the text. */
export type Leaf =
  | { readonly kind: 'none' }
  /** `to` is the end of its first line. */
  | { readonly kind: 'paragraph'; readonly from: number; readonly to: number }
  | { readonly kind: 'fence'; readonly marker: string }
  | ({ readonly kind: 'html' } & HtmlBlock);

/** A block that is no paragraph: an ATX heading, which is whole on its line, or what is open after it. */
export type BlockStart =
  { readonly kind: 'heading'; readonly level: number; readonly title: string } | Exclude<Leaf, { readonly kind: 'paragraph' }>;

/** Nothing is open: after a blank line, a heading, a thematic break, indented code. */
export const none = { kind: 'none' } as const;

const atx = /^(#{1,6})(?=[ \t]|$)/;
const closingSequence = /(?:^|[ \t])#+$/;
const openingFence = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
const closingFence = /^(`{3,}|~{3,})[ \t]*$/;
const underline = /^(?:=+|-+)[ \t]*$/;
/** Lines that define links: a paragraph of nothing else leaves nothing to underline. */
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

/** What is open after a further line of a fence or an HTML block. */
export function afterVerbatim(leaf: Exclude<Leaf, { readonly kind: 'none' | 'paragraph' }>, rest: string, indent: number): Leaf {
  if (leaf.kind === 'html') {
    return afterHtml(leaf, rest);
  }
  return indent < 4 && closingFence.exec(rest)?.[1].startsWith(leaf.marker) === true ? none : leaf;
}

/** The level of the heading that a line makes of the paragraph above it. */
export function underlinedLevel(paragraph: string, rest: string): 1 | 2 | undefined {
  return underline.test(rest) && !definitions.test(paragraph) ? (rest.startsWith('=') ? 1 : 2) : undefined;
}

function afterHtml({ end }: HtmlBlock, rest: string): { readonly kind: 'none' } | ({ readonly kind: 'html' } & HtmlBlock) {
  return (end === null ? rest === '' : end.test(rest)) ? none : { kind: 'html', end };
}
