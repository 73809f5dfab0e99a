import type { QueryBlock } from '../../src/core/plan/plan';
import type { TileRun } from '../../src/core/plan/tiles';
import type { Tile } from '../map/geometry';

/** Moves that the keyboard can make over the tiles there are. */
export type Move = 'left' | 'right' | 'up' | 'down' | 'first' | 'last' | 'page-up' | 'page-down' | 'top' | 'bottom';

/** The move of a key, or undefined. Home and End stay in the row, with Ctrl they go to the first and last row. */
export function moveOfKey({ key, ctrlKey, metaKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>): Move | undefined {
  const far = ctrlKey || metaKey;
  switch (key) {
    case 'ArrowLeft':
      return 'left';
    case 'ArrowRight':
      return 'right';
    case 'ArrowUp':
      return 'up';
    case 'ArrowDown':
      return 'down';
    case 'Home':
      return far ? 'top' : 'first';
    case 'End':
      return far ? 'bottom' : 'last';
    case 'PageUp':
      return 'page-up';
    case 'PageDown':
      return 'page-down';
    default:
      return undefined;
  }
}

/** The tile that a move from `tile` reaches; the same tile at the map's edge. */
export function moved(queryBlocks: readonly QueryBlock[], tile: Tile, move: Move): Tile {
  const { queryBlock, keyBlock } = tile;
  const page = Math.max(1, Math.ceil(queryBlocks.length / 10));
  switch (move) {
    case 'left':
      return besideIn(queryBlocks, tile, -1);
    case 'right':
      return besideIn(queryBlocks, tile, 1);
    case 'first':
      return nearestTile(queryBlocks, queryBlock, 0);
    case 'last':
      return nearestTile(queryBlocks, queryBlock, queryBlocks.length);
    case 'up':
      return nearestTile(queryBlocks, queryBlock - 1, keyBlock);
    case 'down':
      return nearestTile(queryBlocks, queryBlock + 1, keyBlock);
    case 'page-up':
      return nearestTile(queryBlocks, queryBlock - page, keyBlock);
    case 'page-down':
      return nearestTile(queryBlocks, queryBlock + page, keyBlock);
    case 'top':
      return nearestTile(queryBlocks, 0, 0);
    case 'bottom':
      return nearestTile(queryBlocks, queryBlocks.length - 1, queryBlocks.length);
  }
}

/** The tile of a query block that is nearest to a key block; every query block has a tile. */
export function nearestTile(queryBlocks: readonly QueryBlock[], queryBlock: number, keyBlock: number): Tile {
  const row = Math.min(Math.max(queryBlock, 0), queryBlocks.length - 1);
  const candidates = queryBlocks[row].runs.map((run) => ({ run, block: clampTo(run, keyBlock) }));
  const best = candidates.reduce((a, b) => (Math.abs(b.block - keyBlock) < Math.abs(a.block - keyBlock) ? b : a));
  return { queryBlock: row, keyBlock: best.block, kind: best.run.kind };
}

/** The next tile of the row in a direction, over gaps. */
function besideIn(queryBlocks: readonly QueryBlock[], tile: Tile, step: 1 | -1): Tile {
  const wanted = tile.keyBlock + step;
  const ahead = queryBlocks[tile.queryBlock].runs.filter(({ from, to }) => (step > 0 ? to > wanted : from <= wanted));
  const run = step > 0 ? ahead.at(0) : ahead.at(-1);
  return run === undefined ? tile : { ...tile, keyBlock: clampTo(run, wanted), kind: run.kind };
}

function clampTo({ from, to }: TileRun, block: number): number {
  return Math.min(Math.max(block, from), to - 1);
}
