import { tileCost } from '../../../src/core/hints/tile-cost';
import { costSentence, tileSentence } from '../../../webview/map/wording';
import { find, penOf } from './page';
import { planOf, snapshotOf, type Front } from './snapshots';
import { queryBlockAt } from '../../../src/core/plan/query-blocks';

/** How a test finds its way about the tile map. */

/** 16 blocks of 64 tokens: a causal map has 120 full and 16 partial tiles. */
export const causal: Front = { tokens: 1024 };

/** The map itself. */
export const canvas = (): HTMLCanvasElement => find('tile-map') as HTMLCanvasElement;

/** Longer than the pause before the host is asked for a tile's text. */
export const pause = 150;

/** Where the grid lies in the canvas, from its ground: the first rectangle that is drawn. */
export function grid(): { readonly left: number; readonly top: number; readonly side: number } {
  const [{ args }] = penOf(pictureOf()).of('fillRect');
  const [left, top, side] = args as number[];
  return { left, top, side };
}

/** The canvas that the map's own is a copy of. */
export function pictureOf(): HTMLCanvasElement {
  const copies = penOf(canvas()).of('drawImage');
  return copies[copies.length - 1].args[0] as HTMLCanvasElement;
}

/** An event of a pointer over the middle of a tile of a map shown as a whole. */
export function pointer(type: string, queryBlock: number, keyBlock: number, blocks = 16, more: PointerEventInit = {}): PointerEvent {
  const { left, top, side } = grid();
  const event = new PointerEvent(type, { bubbles: true, cancelable: true, pointerId: 1, ...more });
  const cell = side / blocks;
  Object.defineProperty(event, 'offsetX', { value: left + (keyBlock + 0.5) * cell });
  Object.defineProperty(event, 'offsetY', { value: top + (queryBlock + 0.5) * cell });
  return event;
}

/** Points at a tile. */
export const point = (queryBlock: number, keyBlock: number): boolean =>
  canvas().dispatchEvent(pointer('pointermove', queryBlock, keyBlock));
/** Clicks on a tile. */
export const click = (queryBlock: number, keyBlock: number): boolean => canvas().dispatchEvent(pointer('click', queryBlock, keyBlock));

/** What is said of a tile. */
export function saidOf(queryBlock: number, keyBlock: number, front: Front = causal): string {
  const plan = planOf(front);
  const run = queryBlockAt(plan.queryBlocks, queryBlock).runs.find(({ from, to }) => from <= keyBlock && keyBlock < to);
  const kind = run?.kind ?? 'full';
  return `${tileSentence(plan, { queryBlock, keyBlock, kind })} ${costSentence(tileCost(plan, queryBlock, keyBlock, snapshotOf(front).prediction))}`;
}
