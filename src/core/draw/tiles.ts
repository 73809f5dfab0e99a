import { formatCount, formatNumberOf } from '../format';
import { isSampled, maskOf, scenarioLabel, type Scenario } from '../scenario/scenario';
import { partition } from '../plan/partition';
import { tileRuns, type TileKind, type TileRun } from '../plan/tiles';
import { callPalette, element, ink, movedTo, page, textAt } from './svg';
import { rectanglesOf } from './rectangles';

/** The run whose tiles are drawn. */
interface TilePictureRequest {
  /** Prefix of the ids in it. */
  readonly name: string;
  readonly title: string;
  /** N. */
  readonly tokens: number;
  /** Tokens of a block. */
  readonly blockSize: number;
  readonly scenario: Scenario;
}

/** Most cells along a side: with more blocks, several share a cell. */
const mostCells = 64;
/** Side of the map in pixels, and largest side of a cell. */
const side = 400;
const largestCell = 40;
const [left, top] = [28, 26];

const kinds: readonly { readonly kind: TileKind; readonly fill: string; readonly label: string }[] = [
  { kind: 'full', fill: callPalette[0], label: 'every pair is visible' },
  { kind: 'partial', fill: callPalette[1], label: 'some pairs are masked' },
  { kind: 'sampled', fill: callPalette[2], label: 'a random block of keys (theorem 4.1)' },
];

/** Which query block calls the small transformer on which key block; where layers differ, in at least one layer. */
export function tilePicture({ name, title, tokens, blockSize, scenario }: TilePictureRequest): string {
  const { blocks } = partition(tokens, blockSize);
  const together = Math.ceil(blocks / mostCells);
  const cut = partition(tokens, blockSize * together);
  const cell = Math.min(largestCell, side / cut.blocks);
  const extent = cell * cut.blocks;
  const mask = maskOf(scenario, tokens);
  const rows = Array.from({ length: cut.blocks }, (_, row): readonly TileRun[] =>
    isSampled(scenario) ? [{ from: row, to: row + 1, kind: 'sampled' }] : tileRuns(mask, cut, row),
  );
  const kindAt = (x: number, y: number): number =>
    kinds.findIndex(({ kind }) => rows[y].some((run) => run.kind === kind && run.from <= x && x < run.to)) + 1;
  const rectangles = rectanglesOf(cut.blocks, cut.blocks, kindAt);
  const shown = kinds.filter((_, index) => rectangles.some(({ value }) => value === index + 1));
  const markup = [
    textAt(left, 12, 'key blocks', { 'font-size': 11.5, fill: ink.muted }),
    movedTo(12, top, element('g', { transform: 'rotate(90)' }, textAt(0, 0, 'query blocks', { 'font-size': 11.5, fill: ink.muted }))),
    movedTo(
      left,
      top,
      element('rect', { width: extent, height: extent, fill: ink.unread }),
      ...rectangles.map(({ value, x, y, width, height }) =>
        element('rect', { x: x * cell, y: y * cell, width: width * cell, height: height * cell, fill: kinds[value - 1].fill }),
      ),
      element('path', { d: gridOf(cut.blocks, cell), stroke: ink.line, 'stroke-opacity': 0.35, 'stroke-width': 0.5, fill: 'none' }),
    ),
    movedTo(
      left + extent + 24,
      top,
      ...shown.map(({ fill, label }, index) =>
        movedTo(
          0,
          20 * index,
          element('rect', { width: 13, height: 13, fill, stroke: ink.line, 'stroke-opacity': 0.35 }),
          textAt(22, 11, label, { 'font-size': 11.5 }),
        ),
      ),
    ),
  ];
  const perCell = together === 1 ? 'A cell is a tile' : `A cell is ${together} by ${together} tiles`;
  const sentence = `${scenarioLabel(scenario)}: ${formatNumberOf(tokens, 'token')} in ${formatNumberOf(blocks, 'block')} of ${formatCount(blockSize)}.`;
  return page({
    name,
    title,
    description: `${sentence} A map of query blocks by key blocks.`,
    body: { markup: markup.join(''), width: left + extent + 24 + 260, height: top + Math.max(extent, 60) },
    caption: [`${sentence} ${perCell}: the query block of its row reads the key block of its column. Blank: no call.`],
  });
}

/** Path data of the lines between cells. */
function gridOf(cells: number, cell: number): string {
  const at = (index: number): number => Math.round(index * cell * 100) / 100;
  return Array.from({ length: cells + 1 }, (_, index) => `M${at(index)} 0V${at(cells)}M0 ${at(index)}H${at(cells)}`).join('');
}
