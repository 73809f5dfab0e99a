import { separationStrength, separationVectors, separationWidth, type SeparationVector } from '../construct/separation';
import { formatCount } from '../format';
import { callPalette, type Drawing, element, ink, movedTo, page, textAt } from './svg';
import { outlineOf, rectanglesOf } from './rectangles';

/** The short sequences to draw. */
interface ConversePictureRequest {
  readonly name: string;
  readonly title: string;
  /** Tokens of each sequence. */
  readonly lengths: readonly number[];
}

const cell = 18;
const axis = 40;
const line = 20;

/** Theorem 4.2: short sequences in one long call that has no mask, kept apart by separation vectors. */
export function conversePicture({ name, title, lengths }: ConversePictureRequest): string {
  const vectors = separationVectors(lengths.length);
  const width = separationWidth(lengths.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const left = drawPairs(lengths, vectors);
  const gap = 50;
  const table = drawVectors(vectors, width);
  const products = drawProducts(vectors);
  const right = table.markup + movedTo(0, table.height + 34, products.markup);
  const body = {
    markup: left.markup + movedTo(left.width + gap, 0, right),
    width: left.width + gap + Math.max(table.width, products.width),
    height: Math.max(left.height, table.height + 34 + products.height),
  };
  const caption = [
    `${lengths.length} sequences of ${lengths.join(', ')} tokens in one call of ${tokens} rows, with no mask. Each has a vector of w = ${width} columns with w/2 zeros: the smallest even w with C(w, w/2) >= ${lengths.length}.`,
    `B = ${formatCount(separationStrength)}, so a score across sequences falls by at least B^2 = ${formatCount(separationStrength ** 2)} and its weight is 0 in float32; within a sequence every product is 0 and no score is rounded.`,
  ];
  const description = `A grid of ${tokens} by ${tokens} pairs, block-diagonal: each sequence sees itself only. Beside it the separation vectors of each sequence, and their products. ${caption.join(' ')}`;
  return page({ name, title, description, body, caption });
}

/** The letter of a sequence. */
function letter(sequence: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + sequence);
}

/** The score between two sequences from their vectors, in units of B^2. */
function product(query: SeparationVector, key: SeparationVector): number {
  return query.query.reduce((sum, entry, column) => sum + entry * key.key[column], 0) / separationStrength ** 2;
}

/** The block-diagonal grid: the vectors, not the lengths, decide which pairs have a weight. */
function drawPairs(lengths: readonly number[], vectors: readonly SeparationVector[]): Drawing {
  const sequenceOf = lengths.flatMap((length, sequence) => Array.from({ length }, () => sequence));
  const places = lengths.flatMap((length) => Array.from({ length }, (_, place) => place));
  const tokens = sequenceOf.length;
  const side = tokens * cell;
  const seen = (x: number, y: number): number => (product(vectors[sequenceOf[y]], vectors[sequenceOf[x]]) === 0 ? sequenceOf[y] + 1 : 0);
  const blocks = rectanglesOf(tokens, tokens, seen).map(({ value, ...rectangle }) =>
    element('rect', { ...rectangle, fill: callPalette[value - 1] }),
  );
  const names = rectanglesOf(tokens, tokens, seen).map(({ value, x, y, width, height }) =>
    textAt((x + width / 2) * cell, (y + height / 2) * cell + 5, letter(value - 1)),
  );
  const lines = Array.from({ length: tokens + 1 }, (_, at) => `M0 ${at}h${tokens}M${at} 0v${tokens}`).join('');
  const numbers = sequenceOf.flatMap((sequence, row) => {
    const label = `${letter(sequence)}${places[row]}`;
    return [textAt(axis + (row + 0.5) * cell, axis - 5, label), textAt(axis - 11, axis + (row + 0.5) * cell + 3, label)];
  });
  const middle = axis + side / 2;
  const markup = [
    textAt(middle, 14, 'key', { 'font-size': 12, 'text-anchor': 'middle' }),
    textAt(-middle, 14, 'query', { 'font-size': 12, 'text-anchor': 'middle', transform: 'rotate(-90)' }),
    element('g', { 'font-size': 9, 'text-anchor': 'middle', fill: ink.muted }, ...numbers),
    movedTo(
      axis,
      axis,
      element(
        'g',
        { transform: `scale(${cell})` },
        element('g', { class: 'pairs' }, ...blocks),
        element('path', { d: lines, stroke: ink.line, 'stroke-opacity': 0.16, 'stroke-width': 0.04, fill: 'none' }),
        element('path', {
          d: outlineOf(tokens, tokens, seen),
          stroke: ink.line,
          'stroke-width': 0.08,
          fill: 'none',
          'stroke-linecap': 'square',
        }),
      ),
      element('g', { 'font-size': 14, 'font-weight': 700, 'text-anchor': 'middle' }, ...names),
    ),
  ];
  return { markup: markup.join(''), width: axis + side, height: axis + side };
}

/** The vectors, one sequence per line. */
function drawVectors(vectors: readonly SeparationVector[], width: number): Drawing {
  const nameWidth = 84;
  const column = 26;
  const keyLeft = nameWidth + width * column + 24;
  const sign = (entry: number): string => (entry === 0 ? '0' : entry < 0 ? '\u2212B' : '+B');
  const top = 42;
  const rows = vectors.map((vector, sequence) => {
    const entries = (values: Float32Array, left: number): string =>
      Array.from(
        values,
        (entry, at) =>
          element('rect', {
            x: left + at * column,
            y: 0,
            width: column,
            height: line,
            fill: entry === 0 ? ink.paper : callPalette[sequence],
            stroke: ink.line,
            'stroke-opacity': 0.4,
          }) + textAt(left + (at + 0.5) * column, 14, sign(entry), { 'text-anchor': 'middle' }),
      ).join('');
    return movedTo(
      0,
      top + sequence * (line + 4),
      textAt(0, 14, `sequence ${letter(sequence)}`),
      entries(vector.query, nameWidth),
      entries(vector.key, keyLeft),
    );
  });
  const markup = [
    textAt(0, 11, 'Separation vectors', { 'font-size': 12.5, 'font-weight': 600 }),
    element(
      'g',
      { 'font-size': 11 },
      textAt(nameWidth, 33, 'u, beside its queries', { fill: ink.muted }),
      textAt(keyLeft, 33, 'v, beside its keys', { fill: ink.muted }),
      ...rows,
    ),
  ];
  return { markup: markup.join(''), width: keyLeft + width * column, height: top + vectors.length * (line + 4) };
}

/** The scores between all pairs of sequences. */
function drawProducts(vectors: readonly SeparationVector[]): Drawing {
  const nameWidth = 84;
  const column = 46;
  const top = 42;
  const rows = vectors.map((query, sequence) =>
    movedTo(
      0,
      top + sequence * line,
      textAt(0, 14, `query of ${letter(sequence)}`),
      ...vectors.map((key, other) => {
        const score = product(query, key);
        const text = score === 0 ? '0' : `\u2212${score === -1 ? '' : -score}B\u00b2`;
        return (
          element('rect', {
            x: nameWidth + other * column,
            width: column,
            height: line,
            fill: score === 0 ? callPalette[sequence] : ink.paper,
            stroke: ink.line,
            'stroke-opacity': 0.4,
          }) + textAt(nameWidth + (other + 0.5) * column, 14, text, { 'text-anchor': 'middle' })
        );
      }),
    ),
  );
  const heads = vectors.map((_, other) =>
    textAt(nameWidth + (other + 0.5) * column, 35, `key of ${letter(other)}`, { 'text-anchor': 'middle', fill: ink.muted }),
  );
  const markup = [
    textAt(0, 11, 'What they add to a score: <u, v>', { 'font-size': 12.5, 'font-weight': 600 }),
    element('g', { 'font-size': 11 }, ...heads, ...rows),
  ];
  return { markup: markup.join(''), width: nameWidth + vectors.length * column, height: top + vectors.length * line };
}
