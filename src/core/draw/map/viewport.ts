/** The square part of the map that is shown, in blocks; its edges may lie within a block. */
export interface Viewport {
  /** Key blocks to its left. */
  readonly left: number;
  /** Query blocks above it. */
  readonly top: number;
  /** Blocks along each side. */
  readonly span: number;
}

/** A place in the shown square: 0 at its left or top edge, 1 at the right or bottom one. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A tile by its blocks, 0-based. */
export interface TilePlace {
  readonly queryBlock: number;
  readonly keyBlock: number;
}

/** The square's middle: a zoom without a pointer keeps it in place. */
export const middle: Place = { x: 0.5, y: 0.5 };

/** Blocks along a side at the largest zoom: a tile is always seen with its neighbours. */
const leastSpan = 4;

/** The whole map of `blocks` blocks. */
export function wholeMap(blocks: number): Viewport {
  return { left: 0, top: 0, span: blocks };
}

/** Size of a block relative to the whole map. */
export function magnification({ span }: Viewport, blocks: number): number {
  return blocks / span;
}

/** Whether the map can be enlarged further. */
export function canZoomIn({ span }: Viewport, blocks: number): boolean {
  return span > Math.min(leastSpan, blocks);
}

/** Enlarges blocks by `factor`, up to the limits; the point at `place` stays fixed. */
export function zoomed({ left, top, span }: Viewport, blocks: number, factor: number, place: Place): Viewport {
  const next = within(span / factor, Math.min(leastSpan, blocks), blocks);
  return kept({ left: left + place.x * (span - next), top: top + place.y * (span - next), span: next }, blocks);
}

/** Moves right and down by so many blocks, up to the map's edges. */
export function panned({ left, top, span }: Viewport, blocks: number, right: number, down: number): Viewport {
  return kept({ left: left + right, top: top + down, span }, blocks);
}

/** Moves by the least amount that shows a tile with its neighbours. */
export function revealing({ left, top, span }: Viewport, blocks: number, tile: TilePlace): Viewport {
  const around = Math.min(1, (span - 1) / 2);
  const start = (first: number, block: number): number => within(first, block + 1 + around - span, block - around);
  return kept({ left: start(left, tile.keyBlock), top: start(top, tile.queryBlock), span }, blocks);
}

/** Where the middle of a tile is shown, or null if it is not. */
export function placeOfTile({ left, top, span }: Viewport, { queryBlock, keyBlock }: TilePlace): Place | null {
  const place = { x: (keyBlock + 0.5 - left) / span, y: (queryBlock + 0.5 - top) / span };
  return Math.min(place.x, place.y) >= 0 && Math.max(place.x, place.y) <= 1 ? place : null;
}

/** The same part after the map became longer or shorter; a whole map stays whole. */
export function resized(viewport: Viewport, before: number, blocks: number): Viewport {
  return viewport.span >= before ? wholeMap(blocks) : kept({ ...viewport, span: Math.min(viewport.span, blocks) }, blocks);
}

function kept({ left, top, span }: Viewport, blocks: number): Viewport {
  return { left: within(left, 0, blocks - span), top: within(top, 0, blocks - span), span };
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
