import { text } from '../l10n';
import { blockEnd, blockStart, type Partition } from '../plan/partition';
import type { Range } from '../scenario/scenario';
import { type Atlas, distanceLabels, type HeadAtlas } from './atlas';
import type { TokenCurves } from './by-token';
import { type CellGrid, cellRows } from './cells';

/** Which heads a view is of: 0-based, null for all. A head without a layer is of every layer. */
export interface HeadChoice {
  readonly layer: number | null;
  readonly head: number | null;
}

/** What some heads, as a mean over them, give to each tile. */
export interface MassView {
  /** `[side, side]` by query and key, as in `HeadAtlas`. */
  readonly mass: readonly number[];
  /** Of it what the scenario cuts off; null where none was asked about. */
  readonly cut: readonly number[] | null;
  /** Share that is cut off in all. */
  readonly cutShare: number | null;
  /** Heads that it is a mean of. */
  readonly heads: number;
}

/** The chosen heads. */
export function chosenHeads({ heads }: Pick<Atlas, 'heads'>, { layer, head }: HeadChoice): readonly HeadAtlas[] {
  return heads.filter((each) => (layer === null || each.layer === layer) && (head === null || each.head === head));
}

/** The masses of chosen heads, as a mean over them. */
export function massView(atlas: Pick<Atlas, 'heads' | 'cells'>, choice: HeadChoice): MassView {
  const chosen = chosenHeads(atlas, choice);
  const mean = (of: (head: HeadAtlas) => readonly number[]): number[] => {
    const sums = new Array<number>(atlas.cells.side ** 2).fill(0);
    for (const head of chosen) {
      const cells = of(head);
      for (let at = 0; at < sums.length; at += 1) {
        sums[at] += cells[at] / chosen.length;
      }
    }
    return sums;
  };
  const isCut = chosen.length > 0 && chosen.every(({ cut }) => cut !== null);
  return {
    mass: mean(({ mass }) => mass),
    cut: isCut ? mean(({ cut }) => cut?.mass ?? []) : null,
    cutShare: isCut ? chosen.reduce((sum, { cut }) => sum + (cut?.share ?? 0), 0) / chosen.length : null,
    heads: chosen.length,
  };
}

/** The cells `[from, to)` of a grid that hold tokens `[from, to)`. */
export function cellsOf({ side, blocks }: CellGrid, { blockSize }: Pick<Partition, 'blockSize'>, { from, to }: Range): Range {
  const tokens = blocks * blockSize;
  const first = Math.min(side - 1, Math.floor(from / tokens));
  return { from: first, to: Math.min(side, Math.max(first + 1, Math.ceil(to / tokens))) };
}

/** The tokens of cells `[from, to)`. */
export function tokensOf({ blocks }: CellGrid, cut: Partition, { from, to }: Range): Range {
  return { from: blockStart(cut, from * blocks), to: blockEnd(cut, Math.min(cut.blocks, to * blocks) - 1) };
}

/** Where the queries of some rows of cells look: the share of each column, a mean over those queries. */
export function keyShares(mass: readonly number[], grid: CellGrid, cut: Partition, { from, to }: Range): readonly number[] {
  const rows = cellRows(grid, cut);
  const queries = rows.slice(from, to).reduce((sum, count) => sum + count, 0);
  return Array.from({ length: grid.side }, (_, column) => {
    let sum = 0;
    for (let row = from; row < to; row += 1) {
      sum += rows[row] * mass[row * grid.side + column];
    }
    return sum / queries;
  });
}

/** What a map of all heads can show of each. Titles are in English; translated when shown. */
export const headMeasures = {
  near: {
    title: text('Mass on the own block and its neighbour'),
    of: ({ byDistance }: HeadAtlas): number | null => byDistance[0] + (byDistance.at(1) ?? 0),
    unit: 'share',
  },
  far: {
    title: text('Mass beyond the own block and its neighbour'),
    of: ({ byDistance }: HeadAtlas): number | null => byDistance.slice(2).reduce((sum, mass) => sum + mass, 0),
    unit: 'share',
  },
  sinks: {
    title: text('Mass on the first token, a sink'),
    of: ({ firstToken }: HeadAtlas): number | null => firstToken,
    unit: 'share',
  },
  spread: {
    title: text('Tiles that a query block is spread over, from its entropy'),
    of: ({ entropy }: HeadAtlas): number | null => Math.exp(entropy),
    unit: 'tiles',
  },
  cut: {
    title: text('Mass that the mask cuts off'),
    of: ({ cut }: HeadAtlas): number | null => cut?.share ?? null,
    unit: 'share',
  },
} as const;
export type HeadMeasure = keyof typeof headMeasures | 'selected';

/** The measures that an atlas has; a cut only where a scenario was asked about. */
export function measuresOf({ heads }: Pick<Atlas, 'heads'>): readonly (keyof typeof headMeasures)[] {
  return (Object.keys(headMeasures) as (keyof typeof headMeasures)[]).filter((name) =>
    heads.some((head) => headMeasures[name].of(head) !== null),
  );
}

/** What the queries after some tokens give to them, of each head; null where there are no later queries. */
export function massOnTokens(atlas: Pick<Atlas, 'heads' | 'cells'>, cut: Partition, tokens: Range): readonly (number | null)[] {
  const { side } = atlas.cells;
  const { from, to } = cellsOf(atlas.cells, cut, tokens);
  const rows = cellRows(atlas.cells, cut);
  const queries = rows.slice(to).reduce((sum, count) => sum + count, 0);
  return atlas.heads.map(({ mass }) => {
    let sum = 0;
    for (let row = to; row < side; row += 1) {
      for (let column = from; column < to; column += 1) {
        sum += rows[row] * mass[row * side + column];
      }
    }
    return queries === 0 ? null : sum / queries;
  });
}

/** The mass of chosen heads by distance, with the names of the distances. */
export function byDistance(atlas: Pick<Atlas, 'heads'>, choice: HeadChoice): readonly { readonly label: string; readonly share: number }[] {
  const chosen = chosenHeads(atlas, choice);
  const octaves = chosen[0]?.byDistance.length ?? 0;
  return distanceLabels(octaves).map((label, octave) => ({
    label,
    share: chosen.reduce((sum, head) => sum + head.byDistance[octave], 0) / chosen.length,
  }));
}

/** Mean values of a stretch of predicted tokens. */
export interface TokenMeans {
  readonly loss: number;
  readonly maskedLoss: number | null;
  readonly divergence: number | null;
}

/** Means over the predictions of tokens `[from, to)`; null where none of them is predicted. */
export function tokenMeans({ stretch, loss, maskedLoss, divergence }: TokenCurves, { from, to }: Range): TokenMeans | null {
  // Number `i` is of the tokens from 1 + i * stretch on: nothing predicts the first.
  const [first, end] = [Math.max(0, Math.floor((from - 1) / stretch)), Math.min(loss.length, Math.ceil((to - 1) / stretch))];
  if (end <= first) {
    return null;
  }
  const mean = (values: readonly number[]): number => values.slice(first, end).reduce((sum, value) => sum + value, 0) / (end - first);
  return { loss: mean(loss), maskedLoss: maskedLoss && mean(maskedLoss), divergence: divergence && mean(divergence) };
}

/** The stretches of tokens with the highest divergence, the worst first: where a reader should look. */
export function worstStretches(
  { stretch, divergence }: TokenCurves,
  tokens: number,
  count: number,
): readonly (Range & { readonly value: number })[] {
  return (divergence ?? [])
    .map((value, index) => ({ value, from: 1 + index * stretch, to: Math.min(tokens, 1 + (index + 1) * stretch) }))
    .sort((one, other) => other.value - one.value)
    .slice(0, count);
}
