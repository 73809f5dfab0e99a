import type { Pattern } from '../construct/arrangement';
import { addedBefore, areaOf, type Coverage } from '../draw/coverage';

/** Colours of calls: Paul Tol's `light` scheme, which is made for filled areas with dark text, for all colour vision. */
export const callPalette = ['#77aadd', '#ee8866', '#eedd88', '#ffaabb', '#99ddff', '#44bb99', '#bbcc33', '#aaaa00'] as const;

/** Colours that mean the same in every picture. */
export const ink = {
  paper: '#ffffff',
  frame: '#d0d4da',
  text: '#1f2328',
  muted: '#59636e',
  line: '#3b424a',
  /** The synthetic token. */
  synthetic: '#3b424a',
  /** Pairs that the oracle itself hides. */
  masked: '#e9ecef',
  /** Pairs that are visible and never read (theorem 4.1). */
  unread: '#f1f2f4',
} as const;

/**
 * A colour for every call, by call number less 1: the palette in turn, and where a neighbour has that colour already, the
 * next one that no neighbour has. A subtracting call has the colour of the call it takes away from.
 */
export function callColours(coverage: Coverage, patterns: readonly Pattern[]): string[] {
  const neighbours = neighboursOf(coverage, patterns);
  const chosen: number[] = [];
  patterns.forEach((_, index) => {
    const call = index + 1;
    const adding = addedBefore(call, patterns);
    if (adding !== call) {
      chosen.push(chosen[adding - 1]);
      return;
    }
    const used = new Set([...(neighbours.get(call) ?? [])].map((neighbour) => chosen[neighbour - 1]));
    const inTurn = callPalette.map((__, step) => (index + step) % callPalette.length);
    chosen.push(inTurn.find((colour) => !used.has(colour)) ?? inTurn[0]);
  });
  return chosen.map((colour) => callPalette[colour]);
}

/** Calls whose areas share an edge. */
function neighboursOf(coverage: Coverage, patterns: readonly Pattern[]): Map<number, Set<number>> {
  const { tokens } = coverage;
  const neighbours = new Map<number, Set<number>>();
  const meet = (call: number, other: number): void => {
    if (call !== other && call > 0 && other > 0) {
      neighbours.set(call, (neighbours.get(call) ?? new Set()).add(other));
      neighbours.set(other, (neighbours.get(other) ?? new Set()).add(call));
    }
  };
  for (let pair = 0; pair < tokens * tokens; pair += 1) {
    const area = areaOf(coverage, pair, patterns);
    if ((pair + 1) % tokens > 0) {
      meet(area, areaOf(coverage, pair + 1, patterns));
    }
    if (pair + tokens < tokens * tokens) {
      meet(area, areaOf(coverage, pair + tokens, patterns));
    }
  }
  return neighbours;
}
