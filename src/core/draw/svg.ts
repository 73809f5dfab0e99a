import type { Pattern } from '../construct/arrangement';
import { addedBefore, areaOf, type Coverage } from './coverage';

/** Attributes of an element; undefined ones are omitted. */
type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An SVG element as markup. Numbers are rounded to hundredths, so that the same drawing always gives the same text. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? Math.round(value * 100) / 100 : escaped(value ?? '')}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** Text whose baseline starts at `(x, y)`, unless `text-anchor` says otherwise. */
export function textAt(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(content));
}

/** A group translated to `(x, y)`. */
export function movedTo(x: number, y: number, ...children: readonly string[]): string {
  return element('g', { transform: `translate(${x} ${y})` }, ...children);
}

/** Characters that no XML 1.0 document may have, however they are written: a folder's name may have them. */
const noXml = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/** Text escaped for XML, in an element or a double-quoted attribute. */
export function escaped(content: string): string {
  return content
    .replace(noXml, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Breaks text between words into lines of at most `characters`; a longer word gets a line of its own. */
export function wrapped(content: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(' ')) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + 1 + word.length <= characters) {
      lines[last] += ` ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** Colours of calls: Paul Tol's `light` scheme, made for filled areas under dark text and for all colour vision. */
export const callPalette = ['#77aadd', '#ee8866', '#eedd88', '#ffaabb', '#99ddff', '#44bb99', '#bbcc33', '#aaaa00'] as const;

/** Colours with the same meaning in every picture. */
export const ink = {
  paper: '#ffffff',
  frame: '#d0d4da',
  text: '#1f2328',
  muted: '#59636e',
  line: '#3b424a',
  /** The synthetic token. */
  synthetic: '#3b424a',
  /** Pairs that the oracle itself hides. */
  masked: '#e9ecef',
  /** Pairs that are visible but never read (theorem 4.1). */
  unread: '#f1f2f4',
} as const;

/**
 * A colour for every call, by call number minus 1: the palette in turn, or the next colour that no neighbour has. A
 * subtracting call has the colour of the call it subtracts from.
 */
export function callColours(coverage: Coverage, patterns: readonly Pattern[]): string[] {
  const neighbours = neighboursOf(coverage, patterns);
  const chosen: number[] = [];
  patterns.forEach((_, index) => {
    const call = index + 1;
    const adding = addedBefore(call, patterns);
    if (adding !== call) {
      chosen.push(chosen[adding - 1]);
      return;
    }
    const used = new Set([...(neighbours.get(call) ?? [])].map((neighbour) => chosen[neighbour - 1]));
    const inTurn = callPalette.map((__, step) => (index + step) % callPalette.length);
    chosen.push(inTurn.find((colour) => !used.has(colour)) ?? inTurn[0]);
  });
  return chosen.map((colour) => callPalette[colour]);
}

/** Calls whose areas share an edge. */
function neighboursOf(coverage: Coverage, patterns: readonly Pattern[]): Map<number, Set<number>> {
  const { tokens } = coverage;
  const neighbours = new Map<number, Set<number>>();
  const meet = (call: number, other: number): void => {
    if (call !== other && call > 0 && other > 0) {
      neighbours.set(call, (neighbours.get(call) ?? new Set()).add(other));
      neighbours.set(other, (neighbours.get(other) ?? new Set()).add(call));
    }
  };
  for (let pair = 0; pair < tokens * tokens; pair += 1) {
    const area = areaOf(coverage, pair, patterns);
    if ((pair + 1) % tokens > 0) {
      meet(area, areaOf(coverage, pair + 1, patterns));
    }
    if (pair + tokens < tokens * tokens) {
      meet(area, areaOf(coverage, pair + tokens, patterns));
    }
  }
  return neighbours;
}

/** A part of a picture: its markup, drawn from (0, 0), and its size. */
export interface Drawing {
  readonly markup: string;
  readonly width: number;
  readonly height: number;
}

/** A whole picture. */
interface Page {
  /** Prefix of the ids in it: a file name without its ending. */
  readonly name: string;
  readonly title: string;
  /** The picture in words, for screen readers. */
  readonly description: string;
  readonly body: Drawing;
  /** Paragraphs below the body. */
  readonly caption: readonly string[];
}

const margin = 20;
/** Least width of a picture: pages then scale all pictures alike. */
const narrowest = 770;
const titleHeight = 40;
const captionSize = 12;
const captionLine = 17;
/** Mean width of a character, in ems; an upper estimate, because fonts differ. */
const characterWidth = 0.54;

/** The picture as an SVG document with its own light background, so that it looks the same on any page. */
export function page({ name, title, description, body, caption }: Page): string {
  const inner = Math.max(body.width, narrowest);
  const width = inner + 2 * margin;
  const lines = caption.flatMap((paragraph) => wrapped(paragraph, inner / (captionSize * characterWidth)));
  const captionTop = titleHeight + margin + body.height + margin;
  const height = captionTop + lines.length * captionLine + margin / 2;
  const markup = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': `${name}-title ${name}-description`,
      'font-family': "system-ui, -apple-system, 'Segoe UI', 'Open Sans', 'DejaVu Sans', sans-serif",
      fill: ink.text,
    },
    element('title', { id: `${name}-title` }, escaped(title)),
    element('desc', { id: `${name}-description` }, escaped(description)),
    element('defs', {}, hatching(name)),
    element('rect', { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8, fill: ink.paper, stroke: ink.frame }),
    textAt(margin, 33, title, { 'font-size': 17, 'font-weight': 600 }),
    movedTo(margin, titleHeight + margin, body.markup),
    element(
      'g',
      { 'font-size': captionSize, fill: ink.text },
      ...lines.map((line, index) => textAt(margin, captionTop + captionLine * (index + 0.5), line)),
    ),
  );
  return `${markup}\n`;
}

/** The fill of subtracted areas: strokes in units of a cell, for groups scaled to cells. */
function hatching(name: string): string {
  return element(
    'pattern',
    { id: `${name}-hatch`, width: 0.4, height: 0.4, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    element('path', { d: 'M0 0v.4', stroke: ink.line, 'stroke-width': 0.16 }),
  );
}

/** A reference to the hatching of the picture called `name`. */
export function hatchFill(name: string): string {
  return `url(#${name}-hatch)`;
}
