import { queryBlockAt, type QueryBlocks } from '../../src/core/plan/query-blocks';
import type { TileRun } from '../../src/core/plan/tiles';
import type { Tile } from '../../src/core/draw/map/geometry';
import type { TileCanvas } from './tile-canvas';
import { revealing } from '../../src/core/draw/map/viewport';

/** Moves of the keyboard over the tiles. */
type Move = 'left' | 'right' | 'up' | 'down' | 'first' | 'last' | 'page-up' | 'page-down' | 'top' | 'bottom';

/** The move of a key, or undefined. Home and End stay in the row; with Ctrl they go to the first and last row. */
function moveOfKey({ key, ctrlKey, metaKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>): Move | undefined {
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
function moved(queryBlocks: QueryBlocks, tile: Tile, move: Move): Tile {
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

/** The tile of a query block nearest to a key block; every query block has a tile. */
export function nearestTile(queryBlocks: QueryBlocks, queryBlock: number, keyBlock: number): Tile {
  const row = Math.min(Math.max(queryBlock, 0), queryBlocks.length - 1);
  const candidates = queryBlockAt(queryBlocks, row).runs.map((run) => ({ run, block: clampTo(run, keyBlock) }));
  const best = candidates.reduce((a, b) => (Math.abs(b.block - keyBlock) < Math.abs(a.block - keyBlock) ? b : a));
  return { queryBlock: row, keyBlock: best.block, kind: best.run.kind };
}

/** The next tile of the row in a direction, across gaps. */
function besideIn(queryBlocks: QueryBlocks, tile: Tile, step: 1 | -1): Tile {
  const wanted = tile.keyBlock + step;
  const ahead = queryBlockAt(queryBlocks, tile.queryBlock).runs.filter(({ from, to }) => (step > 0 ? to > wanted : from <= wanted));
  const run = step > 0 ? ahead.at(0) : ahead.at(-1);
  return run === undefined ? tile : { ...tile, keyBlock: clampTo(run, wanted), kind: run.kind };
}

function clampTo({ from, to }: TileRun, block: number): number {
  return Math.min(Math.max(block, from), to - 1);
}

/** Callbacks of a tile choice. */
interface ChoiceListener {
  /** The pointed or the focused tile changed. */
  readonly changed: () => void;
  /** The user asked to show a tile's text in the editor. */
  readonly chosen: (tile: Tile) => void;
  /** A key that moves nothing here. @returns whether it was handled */
  readonly pressed: (event: KeyboardEvent) => boolean;
}

/** The tiles under the pointer and under the keyboard's focus. */
export class TileChoice {
  readonly #canvas: TileCanvas;
  readonly #listener: ChoiceListener;
  #queryBlocks: QueryBlocks | undefined;
  #start = 0;
  #pointed: Tile | null = null;
  #selected: Tile | null = null;

  constructor(canvas: TileCanvas, listener: ChoiceListener) {
    this.#canvas = canvas;
    this.#listener = listener;
    const target = canvas.canvas;
    target.addEventListener('pointermove', (event) => this.#point(canvas.tileUnder(event)));
    target.addEventListener('click', (event) => this.#click(canvas.tileUnder(event)));
    target.addEventListener('focus', () => {
      if (this.#selected === null && this.#queryBlocks !== undefined) {
        this.#selected = nearestTile(this.#queryBlocks, this.#start, 0);
      }
      this.#pointed = null;
      listener.changed();
    });
    target.addEventListener('blur', listener.changed);
    target.addEventListener('keydown', (event) => {
      if (!event.altKey && (listener.pressed(event) || this.#press(event))) {
        event.preventDefault();
      }
    });
  }

  /** The tile last under the pointer. It stays chosen, because the user may have to scroll to its description. */
  get pointed(): Tile | null {
    return this.#pointed;
  }

  /** The keyboard's tile; kept while the map has no focus. */
  get selected(): Tile | null {
    return this.#selected;
  }

  /** The keyboard's tile while the map has the focus. */
  get focused(): Tile | null {
    return document.activeElement === this.#canvas.canvas ? this.#selected : null;
  }

  /** Switches to the tiles of another plan. */
  show(queryBlocks: QueryBlocks): void {
    this.#queryBlocks = queryBlocks;
    const near = (tile: Tile | null): Tile | null => tile && nearestTile(queryBlocks, tile.queryBlock, tile.keyBlock);
    this.#pointed = near(this.#pointed);
    this.#selected = near(this.#selected);
  }

  /** @param queryBlock where the keyboard starts on its first visit */
  startAt(queryBlock: number): void {
    this.#start = queryBlock;
  }

  #press(event: KeyboardEvent): boolean {
    const move = moveOfKey(event);
    if (this.#selected === null || this.#queryBlocks === undefined) {
      return false;
    }
    if (move !== undefined) {
      const tile = moved(this.#queryBlocks, this.#selected, move);
      this.#selected = tile;
      this.#pointed = null;
      this.#canvas.look((shown, blocks) => revealing(shown, blocks, tile));
      this.#listener.changed();
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.#listener.chosen(this.#selected);
    } else {
      return false;
    }
    return true;
  }

  #click(tile: Tile | null): void {
    if (tile !== null) {
      this.#selected = tile;
      this.#listener.changed();
      this.#listener.chosen(tile);
    }
  }

  #point(tile: Tile | null): void {
    if (tile !== null && (tile.queryBlock !== this.#pointed?.queryBlock || tile.keyBlock !== this.#pointed.keyBlock)) {
      this.#pointed = tile;
      this.#listener.changed();
    }
    this.#canvas.canvas.classList.toggle('over-tile', tile !== null);
  }
}
