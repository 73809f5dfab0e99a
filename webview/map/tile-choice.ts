import type { QueryBlock } from '../../src/core/plan/plan';
import type { Tile } from './geometry';
import { moved, moveOfKey, nearestTile } from '../tile-map/navigation';
import type { TileCanvas } from './tile-canvas';
import { revealing } from './viewport';

/** What a choice of tiles tells others. */
export interface ChoiceListener {
  /** Another tile is pointed at or focused. */
  readonly changed: () => void;
  /** The user asks for a tile's text in the editor. */
  readonly chosen: (tile: Tile) => void;
  /** A key for others. @returns whether it meant anything to them */
  readonly pressed: (event: KeyboardEvent) => boolean;
}

/** The tiles that the pointer and the keyboard are on. */
export class TileChoice {
  readonly #canvas: TileCanvas;
  readonly #listener: ChoiceListener;
  #queryBlocks: readonly QueryBlock[] = [];
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
      if (this.#selected === null && this.#queryBlocks.length > 0) {
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

  /** The tile that the pointer was on last: it stays, since what is said of it may have to be scrolled to. */
  get pointed(): Tile | null {
    return this.#pointed;
  }

  /** The keyboard's tile, which stays while the map has no focus. */
  get selected(): Tile | null {
    return this.#selected;
  }

  /** The keyboard's tile while the map has the focus. */
  get focused(): Tile | null {
    return document.activeElement === this.#canvas.canvas ? this.#selected : null;
  }

  /** Chooses among the tiles of another plan. */
  show(queryBlocks: readonly QueryBlock[]): void {
    this.#queryBlocks = queryBlocks;
    const near = (tile: Tile | null): Tile | null => tile && nearestTile(queryBlocks, tile.queryBlock, tile.keyBlock);
    this.#pointed = near(this.#pointed);
    this.#selected = near(this.#selected);
  }

  /** @param queryBlock where the keyboard begins on its first visit */
  startAt(queryBlock: number): void {
    this.#start = queryBlock;
  }

  #press(event: KeyboardEvent): boolean {
    const move = moveOfKey(event);
    if (this.#selected === null) {
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
