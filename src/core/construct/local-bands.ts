import { type Arrangement, type ArrangementRequest, blankPattern, noToken, type Pattern, type PatternFormula } from './arrangement';
import { mostColumns, separateSlots, type Slot, slotWidth } from './cover';
import { placeTokens } from './tiles';

/**
 * A window on both sides by bands (`tight`, an extension of the paper): a query sees the keys at most `reach` before and after it, with
 * 1 <= reach <= M - 1.
 *
 * The sequence is cut into C segments. One unmasked call reads a segment against itself; what is out of reach on either side is hidden by
 * separation columns. Across each of the C - 1 borders there are two triangles: the queries after it with the keys before it, and the
 * queries before it with the keys after it. A causal call reads p of them: the key next to the border first, and each query in the row of
 * the last key that it sees.
 */
export function localBands({ tokens, inputLength }: ArrangementRequest, reach: number): Arrangement {
  const room = Math.min(tokens, inputLength - 1);
  const perCall = Math.max(1, Math.floor(room / mostColumns));
  const segment = Math.min(Math.floor(room / perCall), mostColumns);
  const segments = Math.ceil(tokens / segment);
  const triangles = 2 * (segments - 1);
  const pastsPerCall = Math.max(1, Math.min(Math.floor(room / reach), triangles));
  const calls = Math.ceil(segments / perCall);
  const triangleCalls = Math.ceil(triangles / pastsPerCall);
  // As many blocks as own calls: each has its share of the triangles.
  const [before, after] = [(block: number) => Math.floor((block * triangleCalls) / calls), (block: number) => before(block + 1)];
  const rows = room + 1;
  const ownSlots = (block: number): Slot[] =>
    Array.from({ length: Math.min(segments, (block + 1) * perCall) - block * perCall }, (_, slot) => {
      const from = 1 + slot * segment;
      const length = Math.min(segment, tokens - (block * perCall + slot) * segment);
      return { from, to: from + length, reach: reach + 1, ahead: reach };
    });
  const triangleSlots = (call: number): Slot[] =>
    Array.from({ length: Math.min(triangles, (call + 1) * pastsPerCall) - call * pastsPerCall }, (_, slot) => ({
      from: 1 + slot * reach,
      to: 1 + (slot + 1) * reach,
    }));
  const formula: PatternFormula = [
    { kind: 'covered', text: 'ceil(C/g)', patterns: calls },
    { kind: 'causal', text: 'ceil(2(C - 1)/p)', patterns: triangleCalls },
  ];
  return {
    statement: 'Both sides by bands (extension)',
    rows,
    blockSize: Math.min(tokens, perCall * segment),
    separation: { covered: slotWidth(ownSlots(0)), causal: triangles === 0 ? 0 : slotWidth(triangleSlots(0)) },
    bands: { segment, segments, perCall, pastsPerCall },
    *patternsOf(block) {
      const slots = ownSlots(block);
      const own: Pattern = { ...blankPattern(rows, false), separation: separateSlots(rows, slots) };
      slots.forEach(({ from, to }, slot) => {
        const start = (block * perCall + slot) * segment;
        placeTokens(own.queries, from, start, start + to - from);
        placeTokens(own.keys, from, start, start + to - from);
      });
      yield own;
      for (let call = before(block); call < after(block); call += 1) {
        const pattern: Pattern = { ...blankPattern(rows, true), separation: separateSlots(rows, triangleSlots(call)) };
        triangleSlots(call).forEach(({ from }, slot) => {
          const index = call * pastsPerCall + slot;
          placeTriangle(pattern, from, { border: (1 + Math.floor(index / 2)) * segment, segment, reach, ahead: index % 2 === 1, tokens });
        });
        yield pattern;
      }
    },
    countOf: (block) => ({ covered: 1, causal: after(block) - before(block) }),
    formula,
    bound: formula,
  };
}

/** A border between segments, and whether the queries are those before it, which see keys ahead. */
interface Side {
  readonly border: number;
  readonly segment: number;
  readonly reach: number;
  readonly ahead: boolean;
  readonly tokens: number;
}

/** The keys on one side of a border, the nearest first, and the queries of the segment on its other side. */
function placeTriangle(pattern: Pattern, row: number, { border, segment, reach, ahead, tokens }: Side): void {
  const [firstQuery, endQuery] = ahead ? [border - segment, border] : [border, Math.min(tokens, border + segment)];
  for (let place = 0; place < reach; place += 1) {
    // The key at distance `place` beyond the border, and the query that sees it last, on its other side.
    const [key, query] = ahead ? [border + place, border - reach + place] : [border - 1 - place, border + reach - 1 - place];
    pattern.keys[row + place] = key >= 0 && key < tokens ? key : noToken;
    pattern.queries[row + place] = query >= firstQuery && query < endQuery ? query : noToken;
  }
}
