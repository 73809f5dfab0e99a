import { cellGrid, coarser } from '../../atlas/cells';
import type { Atlas, HeadAtlas } from '../../atlas/atlas';
import { formatFigure, formatShare } from '../../format';
import type { Partition } from '../../plan/partition';
import { type Drawing, element, escaped, hatchFill, ink, movedTo, textAt } from '../svg';

/** Colours of masses, from the least that each is for on: the `Blues` of ColorBrewer, light to dark. */
export const massLevels = [
  { from: 0.001, colour: '#deebf7' },
  { from: 0.003, colour: '#c6dbef' },
  { from: 0.01, colour: '#9ecae1' },
  { from: 0.03, colour: '#6baed6' },
  { from: 0.1, colour: '#3182bd' },
  { from: 0.3, colour: '#08519c' },
] as const;

/** Room for the numbers of layers and heads, and between maps. */
const [axis, gap] = [34, 4];

/** Cells of all maps together at most, so that a page of a model with a thousand heads opens at once. */
const mostCells = 2 ** 16;

/** The masses of every head: a map of query blocks by key blocks for each, a row of maps for each layer. */
export function drawMaps(name: string, atlas: Atlas, cut: Partition, width: number): Drawing {
  const heads = 1 + Math.max(...atlas.heads.map(({ head }) => head));
  const pitch = Math.min(160, (width - axis) / heads);
  const size = pitch - Math.min(gap, pitch / 8);
  const room = Math.floor(Math.min(size, Math.sqrt(mostCells / atlas.heads.length)));
  const grid = cellGrid(cut.blocks, atlas.heads.length, Math.max(1, Math.min(room, atlas.cells.side)));
  const every = Math.max(1, Math.ceil(22 / pitch));
  const numbers = (count: number, place: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => (index % every === 0 ? place(index) : '')).join('');
  const markup = [
    element(
      'g',
      { 'font-size': 11, fill: ink.muted, 'text-anchor': 'middle' },
      textAt(axis + (heads * pitch) / 2, 10, 'head'),
      numbers(heads, (head) => textAt(axis + head * pitch + size / 2, 26, String(head + 1))),
      textAt(-(axis + (atlas.layers.length * pitch) / 2), 10, 'layer', { transform: 'rotate(-90)' }),
      numbers(atlas.layers.length, (layer) => textAt(24, axis + layer * pitch + size / 2 + 4, String(layer + 1))),
    ),
    ...atlas.heads.map((head) => {
      const cells = coarser(head.mass, atlas.cells, grid, cut);
      const hidden = head.cut && coarser(head.cut.mass, atlas.cells, grid, cut);
      return movedTo(
        axis + head.head * pitch,
        axis + head.layer * pitch,
        element('title', {}, escaped(headText(head))),
        element('rect', { width: size, height: size, fill: ink.unread }),
        element(
          'g',
          { transform: `scale(${size / grid.side})`, 'shape-rendering': 'crispEdges' },
          ...mapCells(name, cells, hidden, grid.side),
        ),
      );
    }),
  ];
  return { markup: markup.join(''), width: axis + heads * pitch, height: axis + atlas.layers.length * pitch };
}

/** What a pointer over a map says. */
function headText({ layer, head, entropy, firstToken, cut }: HeadAtlas): string {
  return [
    `layer ${layer + 1}, head ${head + 1}: spread over ${formatFigure(Math.exp(entropy))} tiles`,
    ...(firstToken === null ? [] : [`${formatShare(firstToken)} on the first token`]),
    ...(cut === null ? [] : [`${formatShare(cut.share)} cut off`]),
  ].join(', ');
}

/** The cells of a map, a path for each colour, in units of a cell; hatched where at least half of a mass is cut off. */
function mapCells(name: string, cells: readonly number[], hidden: readonly number[] | null, side: number): string[] {
  const levelOf = (mass: number): number => massLevels.filter(({ from }) => mass >= from).length - 1;
  const levels = cells.map(levelOf);
  const paths = massLevels.map(({ colour }, level) => runsPath(side, (at) => levels[at] === level, { fill: colour }));
  const cutOff = hidden && runsPath(side, (at) => levels[at] >= 0 && hidden[at] >= cells[at] / 2, { fill: hatchFill(name) });
  return [...paths, cutOff ?? ''];
}

/** A path of the cells for which something holds, neighbours in a row together. */
function runsPath(side: number, holds: (at: number) => boolean, attributes: Readonly<Record<string, string>>): string {
  const parts: string[] = [];
  for (let row = 0; row < side; row += 1) {
    for (let from = 0; from < side; from += 1) {
      let to = from;
      while (to < side && holds(row * side + to)) {
        to += 1;
      }
      if (to > from) {
        parts.push(`M${from} ${row}h${to - from}v1h${from - to}z`);
        from = to;
      }
    }
  }
  return parts.length === 0 ? '' : element('path', { d: parts.join(''), ...attributes });
}

/** What the colours of the maps mean. */
export function massLegend(name: string, hatched: boolean): Drawing {
  const entries = [
    ...massLevels.map(({ from, colour }) => ({
      label: `${formatShare(from)} on`,
      box: element('rect', { width: 14, height: 12, fill: colour }),
    })),
    ...(hatched
      ? [
          {
            label: 'mostly cut off',
            box: element('g', { transform: 'scale(6)' }, element('rect', { width: 2.3, height: 2, fill: hatchFill(name) })),
          },
        ]
      : []),
  ];
  const step = 92;
  return {
    markup: entries
      .map(({ label, box }, index) => movedTo(index * step, 0, box, textAt(20, 10, label, { 'font-size': 11, fill: ink.muted })))
      .join(''),
    width: entries.length * step,
    height: 14,
  };
}
