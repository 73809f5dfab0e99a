import { blockEnd, blockStart, type Partition } from '../plan/partition';
import type { Plan } from '../plan/plan';

/** The square of a head's tiles in cells, so that long prompts and many heads stay small. */
export interface CellGrid {
  /** Cells of a side. */
  readonly side: number;
  /** Blocks of a cell, in both directions: a power of two. */
  readonly blocks: number;
}

/** Most cells of a side, which is what a picture can show, and most numbers of all heads together. */
const [mostSide, mostNumbers] = [64, 2 ** 19];

/** The finest grid over `blocks` blocks that is within the limits for so many heads. @param most cells of a side */
export function cellGrid(blocks: number, heads: number, most = mostSide): CellGrid {
  const fits = (side: number): boolean => side === 1 || (side <= most && heads * side ** 2 <= mostNumbers);
  let together = 1;
  while (!fits(Math.ceil(blocks / together))) {
    together *= 2;
  }
  return { side: Math.ceil(blocks / together), blocks: together };
}

/** Bytes that an atlas takes while it is gathered, about: masses and shown masses in float64, and once more as they are reported. */
export function atlasBytes({ blocks, model }: Pick<Plan, 'blocks' | 'model'>): number {
  const heads = model.layers * model.heads;
  return 3 * 8 * heads * cellGrid(blocks, heads).side ** 2;
}

/** Queries of each row of cells. */
export function cellRows({ side, blocks }: CellGrid, cut: Partition): number[] {
  return Array.from({ length: side }, (_, cell) => {
    const last = Math.min(cut.blocks, (cell + 1) * blocks) - 1;
    return blockEnd(cut, last) - blockStart(cut, cell * blocks);
  });
}

/**
 * Cells of a coarser grid: means over the queries of a row, sums over the keys of a column.
 *
 * @param cells `[side, side]` of `from`, by query and key
 * @param to of which a cell has a whole number of cells of `from`
 */
export function coarser(cells: readonly number[], from: CellGrid, to: CellGrid, cut: Partition): number[] {
  const factor = to.blocks / from.blocks;
  const rows = cellRows(from, cut);
  const merged = new Array<number>(to.side ** 2).fill(0);
  const weights = new Array<number>(to.side).fill(0);
  rows.forEach((count, row) => (weights[Math.floor(row / factor)] += count));
  cells.forEach((value, at) => {
    const row = Math.floor(at / from.side);
    const target = Math.floor(row / factor);
    merged[target * to.side + Math.floor((at % from.side) / factor)] += (value * rows[row]) / weights[target];
  });
  return merged;
}
