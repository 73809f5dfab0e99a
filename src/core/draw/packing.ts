import { type Columns, outputWidth, type SliceColumns, sliceColumns } from '../construct/slice';
import { callPalette, type Drawing, element, ink, movedTo, page, textAt } from './svg';

/** A named group of a slice's columns. */
type Part = Exclude<keyof SliceColumns, 'inputWidth' | 'width'>;

/** Labels and colours of the parts. */
const partNames: Readonly<Record<Part, { readonly label: string; readonly colour: string }>> = {
  query: { label: 'query', colour: callPalette[0] },
  reference: { label: 'reference', colour: callPalette[4] },
  key: { label: 'key', colour: callPalette[1] },
  value: { label: 'value', colour: callPalette[5] },
  one: { label: 'one', colour: ink.masked },
  querySeparation: { label: 'u', colour: callPalette[6] },
  real: { label: 'real', colour: ink.masked },
  synthetic: { label: 'synthetic', colour: ink.masked },
  padding: { label: 'padding', colour: ink.masked },
  keySeparation: { label: 'v', colour: callPalette[6] },
  score: { label: 'c', colour: callPalette[2] },
  result: { label: 'result', colour: callPalette[3] },
};
/** The parts in the order of their columns. */
const parts = Object.keys(partNames) as Part[];

/** The small transformer to draw: m, w, H' and L'. */
interface PackingPictureRequest {
  readonly name: string;
  readonly title: string;
  /** m. */
  readonly headWidth: number;
  /** w. */
  readonly separation: number;
  /** H'. */
  readonly heads: number;
  /** L'. */
  readonly layers: number;
}

const pageWidth = 770;

/** Lemma 3.3: H'L' single-head instances in one call, as column slices of its tokens, layer by layer. */
export function packingPicture(request: PackingPictureRequest): string {
  const { name, title, headWidth, separation, heads, layers } = request;
  const columns = sliceColumns(request, 'state');
  const slices = heads * layers;
  const magnified = drawSlice(columns, request);
  const stream = drawStream(columns, request, pageWidth);
  const gap = 40;
  const body = {
    markup: magnified.markup + movedTo(0, magnified.height + gap, stream.markup),
    width: pageWidth,
    height: magnified.height + gap + stream.height,
  };
  const caption = [
    `m = ${headWidth}, w = ${separation}, H' = ${heads}, L' = ${layers}: ${slices} slices of ${columns.width} columns, a residual stream of ${slices * columns.width}. A slice brings ${columns.inputWidth} columns in; ${outputWidth(headWidth, 'state')} of each come out.`,
    `Instances are independent (a pattern of a head of one large layer), so any ${slices} of them share a call: n patterns of H heads take ceil(nH/${slices}) calls.`,
  ];
  const description = `The columns of one slice by name and width, and below it the residual stream of a token with ${slices} slices: each small layer fills the result columns of its own ${heads} slices and passes the others through. ${caption.join(' ')}`;
  return page({ name, title, description, body, caption });
}

/** One enlarged slice, with the names and widths of its columns. */
function drawSlice(columns: SliceColumns, { headWidth, separation }: PackingPictureRequest): Drawing {
  const scale = Math.floor(pageWidth / columns.width);
  const height = 64;
  const top = 24;
  const widthNames: Readonly<Record<number, string>> = { 1: '1', [separation]: 'w', [headWidth]: 'm', [headWidth + 2]: 'm + 2' };
  const widthName = (part: Part): string =>
    part === 'querySeparation' || part === 'keySeparation' ? 'w' : widthNames[columns[part].width];
  const blocks = parts.map((part) => {
    const { from, width } = columns[part];
    const middle = (from + width / 2) * scale;
    const { label, colour } = partNames[part];
    const narrow = width === 1 && label.length > 1;
    return (
      element('rect', { x: from * scale, y: top, width: width * scale, height, fill: colour, stroke: ink.line }) +
      textAt(narrow ? -top - height / 2 : middle, narrow ? middle + 4 : top + height / 2 + 4, label, {
        transform: narrow ? 'rotate(-90)' : undefined,
      }) +
      textAt(middle, top + height + 14, widthName(part), { fill: ink.muted })
    );
  });
  const bracket = (from: number, to: number, label: string): string =>
    element('path', { d: `M${from * scale + 1} ${top + height + 20}v5h${(to - from) * scale - 2}v-5`, stroke: ink.line, fill: 'none' }) +
    textAt(((from + to) / 2) * scale, top + height + 39, label);
  const markup = [
    textAt(0, 11, 'One slice of a token: the columns that one single-head instance owns', { 'font-size': 12.5, 'font-weight': 600 }),
    element(
      'g',
      { 'font-size': 11, 'text-anchor': 'middle' },
      ...blocks,
      bracket(0, columns.inputWidth, 'copied in with the call'),
      bracket(columns.inputWidth, columns.width, 'filled by the oracle'),
    ),
  ];
  return { markup: markup.join(''), width: columns.width * scale, height: top + height + 42 };
}

/** Height of a strip, and the gap between two strips, in pixels. */
const strip = 26;
const step = 66;

/** A state of the residual stream: its name, and which slices have their c and their results. */
interface StreamState {
  readonly label: string;
  readonly scored: boolean;
  /** Slices before this one have results. */
  readonly finished: number;
  /** The small layer that produced it, from 1; 0 is the first MLP. */
  readonly layer?: number;
}

/**
 * Draws the residual stream of one token, layer by layer, down to the final output.
 *
 * @param width of the drawing in pixels
 */
function drawStream(columns: SliceColumns, { heads, layers, headWidth }: PackingPictureRequest, width: number): Drawing {
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

/** What happened to a slice since the strip above: its head ran, its MLP ran, or it passed unchanged. */
function drawStep(layer: number, slice: number, heads: number, width: number): string {
  const works = layer === 0 || Math.floor(slice / heads) === layer - 1;
  const middle = width / 2;
  const top = strip - step;
  if (!works) {
    return element('path', { d: `M${middle} ${top + 3}v${-top - 6}`, stroke: ink.muted, 'stroke-dasharray': '2 3', fill: 'none' });
  }
  const label = layer === 0 ? 'c, by the reference' : `attention head ${(slice % heads) + 1}`;
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
