import { outputWidth, type Columns, type SliceColumns } from '../construct/slice';
import type { PackingPictureRequest } from '../pictures/packing-picture';
import type { Drawing } from './svg';
import { ink } from '../pictures/palette';
import { partNames, parts, type Part } from '../pictures/slice-parts';
import { element, movedTo, textAt } from '../pictures/svg';

/** Height of a strip in pixels, and the way from one strip to the next. */
const strip = 26;
const step = 66;

/** A state of the residual stream: its name, and the slices whose c and whose results are there. */
interface StreamState {
  readonly label: string;
  readonly scored: boolean;
  /** Slices before this one have their results. */
  readonly finished: number;
  /** The small layer that made it, from 1; 0 is the first MLP. */
  readonly layer?: number;
}

/**
 * Draws the residual stream of one token, from one layer to the next, down to the final output.
 *
 * @param width of the drawing in pixels
 */
export function drawStream(columns: SliceColumns, { heads, layers, headWidth }: PackingPictureRequest, width: number): Drawing {
  const slices = heads * layers;
  const states: StreamState[] = [
    { label: 'tokens', scored: false, finished: 0 },
    { label: 'first MLP', scored: true, finished: 0, layer: 0 },
    ...Array.from({ length: layers }, (_, layer) => ({
      label: `layer ${layer + 1}`,
      scored: true,
      finished: (layer + 1) * heads,
      layer: layer + 1,
    })),
  ];
  const labelWidth = 74;
  const between = 10;
  const scale = (width - labelWidth - (slices - 1) * between) / (slices * columns.width);
  const sliceWidth = columns.width * scale;
  const left = (slice: number): number => labelWidth + slice * (sliceWidth + between);
  const top = 44;
  const drawn = states.map((state, index) => {
    const y = top + index * step;
    const strips = Array.from({ length: slices }, (_, slice) =>
      movedTo(left(slice), y, drawStrip(columns, scale, state.scored, slice < state.finished)),
    );
    const made =
      state.layer === undefined
        ? ''
        : Array.from({ length: slices }, (_, slice) => movedTo(left(slice), y, drawStep(state.layer ?? 0, slice, heads, sliceWidth))).join(
            '',
          );
    return textAt(0, y + 17, state.label, { 'font-size': 11.5 }) + strips.join('') + made;
  });
  const outTop = top + states.length * step;
  const output = Array.from({ length: slices }, (_, slice) => movedTo(left(slice), outTop, drawOutput(headWidth, scale, sliceWidth)));
  const names = Array.from({ length: slices }, (_, slice) =>
    textAt(left(slice) + sliceWidth / 2, top - 9, `instance (${(slice % heads) + 1}, ${Math.floor(slice / heads) + 1})`),
  );
  const markup = [
    textAt(0, 11, 'The residual stream of a token: instance (h, l) is head h of layer l of the small transformer', {
      'font-size': 12.5,
      'font-weight': 600,
    }),
    element('g', { 'font-size': 11, 'text-anchor': 'middle', fill: ink.muted }, ...names),
    ...drawn,
    textAt(0, outTop + 17, 'last MLP', { 'font-size': 11.5 }),
    ...output,
  ];
  return { markup: markup.join(''), width, height: outTop + strip };
}

function drawStrip(columns: SliceColumns, scale: number, scored: boolean, finished: boolean): string {
  const present = (part: Part): boolean => (part === 'score' ? scored : part === 'result' ? finished : true);
  const block = (part: Part, { from, width }: Columns): string =>
    element('rect', {
      x: from * scale,
      width: width * scale,
      height: strip,
      fill: present(part) ? partNames[part].colour : ink.paper,
      stroke: ink.line,
      'stroke-width': 0.5,
    });
  return (
    parts.map((part) => block(part, columns[part])).join('') +
    element('rect', { width: columns.width * scale, height: strip, fill: 'none', stroke: ink.line })
  );
}

/** What happened to a slice since the strip above: its head ran, its MLP ran, or it was passed through. */
function drawStep(layer: number, slice: number, heads: number, width: number): string {
  const works = layer === 0 || Math.floor(slice / heads) === layer - 1;
  const middle = width / 2;
  const top = strip - step;
  if (!works) {
    return element('path', { d: `M${middle} ${top + 3}v${-top - 6}`, stroke: ink.muted, 'stroke-dasharray': '2 3', fill: 'none' });
  }
  const label = layer === 0 ? 'c = <query, reference>' : `attention head ${(slice % heads) + 1}`;
  return box(label, middle, width, top);
}

function drawOutput(headWidth: number, scale: number, width: number): string {
  const out = outputWidth(headWidth, 'state') * scale;
  return (
    box('B/A and log A', width / 2, width, strip - step) +
    element('rect', { x: (width - out) / 2, width: out, height: strip, fill: partNames.result.colour, stroke: ink.line }) +
    textAt((width + out) / 2 + 6, 17, 'm + 1', { 'font-size': 11, fill: ink.muted })
  );
}

/** A labelled box between two strips, with an arrow through it. */
function box(label: string, middle: number, width: number, top: number): string {
  const height = 18;
  const y = top + (-top - height) / 2;
  return (
    element('path', { d: `M${middle} ${top + 3}V-3m-3 -4l3 4l3 -4`, stroke: ink.line, fill: 'none' }) +
    element('rect', { x: 12, y, width: width - 24, height, rx: 4, fill: ink.paper, stroke: ink.line }) +
    textAt(middle, y + 13, label, { 'font-size': 10.5, 'text-anchor': 'middle' })
  );
}
