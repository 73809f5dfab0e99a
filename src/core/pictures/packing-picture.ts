import { outputWidth, sliceColumns, type SliceColumns } from '../construct/slice';
import { page, type Drawing } from '../draw/svg';
import { ink } from './palette';
import { drawStream } from '../draw/packing';
import { partNames, parts, type Part } from './slice-parts';
import { element, movedTo, textAt } from './svg';

/** Which small transformer is drawn: m, w, H' and L'. */
export interface PackingPictureRequest {
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

/** One slice, large, with the names and widths of its columns. */
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
