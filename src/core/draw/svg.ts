import { ink } from '../pictures/palette';
import { element, escaped, movedTo, textAt, wrapped } from '../pictures/svg';

/** A part of a picture: its markup, drawn from (0, 0), and the room that it takes. */
export interface Drawing {
  readonly markup: string;
  readonly width: number;
  readonly height: number;
}

/** A whole picture. */
export interface Page {
  /** Prefix of the ids in it: a file name without its ending. */
  readonly name: string;
  readonly title: string;
  /** What a reader who does not see the picture is told. */
  readonly description: string;
  readonly body: Drawing;
  /** Paragraphs below the body. */
  readonly caption: readonly string[];
}

const margin = 20;
/** Width of a picture whose body needs less: pages scale all pictures alike then. */
const narrowest = 770;
const titleHeight = 40;
const captionSize = 12;
const captionLine = 17;
/** Mean width of a character, in ems: fonts differ, so it is a generous one. */
const characterWidth = 0.54;

/** The picture as an SVG document with a light ground of its own, so that it reads the same on any page. */
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

/** The fill of what is taken away: strokes in units of a cell, for groups that are scaled to one. */
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
