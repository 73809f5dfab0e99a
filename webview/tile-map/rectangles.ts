import type { TileKind } from '../../src/core/plan/tiles';
import type { Band, Span } from '../map/geometry';
import type { Box } from './areas';

/** The bands' spans of one kind as rectangles: equal spans of bands that follow one another are one. */
export function rectanglesOf(bands: readonly Band[], kind: TileKind): readonly Box[] {
  const finished: Box[] = [];
  let open = new Map<string, Box>();
  for (const { y, spans } of bands) {
    const next = new Map<string, Box>();
    for (const x of spans[kind]) {
      const key = `${x.from} ${x.to}`;
      const above = open.get(key);
      const goesOn = above?.y.to === y.from;
      next.set(key, { x, y: goesOn ? { from: above.y.from, to: y.to } : y });
      if (goesOn) {
        open.delete(key);
      }
    }
    finished.push(...open.values());
    open = next;
  }
  return [...finished, ...open.values()];
}

/** Length of a span. */
export function lengthOf({ from, to }: Span): number {
  return to - from;
}
