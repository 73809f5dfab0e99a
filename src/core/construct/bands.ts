import { type Arrangement, type ArrangementRequest, blankPattern, type FormulaTerm, noToken, type Pattern } from './arrangement';
import { mostColumns, separateSlots, type Slot, slotWidth } from './cover';
import { placeTokens } from './tiles';

/**
 * Theorem 5.1 by bands (`tight`, an extension of the paper), for a window r <= M and fewer than M - 1 sinks.
 *
 * The sequence after its s sinks is cut into C segments. One causal call reads a segment against itself; the keys that the window has
 * left behind are hidden by a staircase of separation columns, and the sinks stand above it, for all queries to see. The first r - 1
 * queries of a segment also see keys before it: these *pasts* are read in reverse order (claim B.6), r - 1 rows each, p of them in a
 * call. A last segment that is short goes into the last call of pasts, if it has room.
 */
export function windowBands({ tokens, inputLength }: ArrangementRequest, window: number, sinks: number): Arrangement {
  const room = inputLength - 1;
  const past = window - 1;
  const perCall = Math.max(1, Math.floor((room - sinks) / (window + mostColumns)));
  const segment = Math.min(Math.floor((room - sinks) / perCall), window + mostColumns);
  const segments = Math.ceil((tokens - sinks) / segment);
  const pastsPerCall = past === 0 ? 0 : Math.min(Math.floor(room / past), Math.max(1, segments - 1));
  const calls = Math.ceil(segments / perCall);
  const pastCalls = past === 0 ? 0 : Math.ceil((segments - 1) / pastsPerCall);
  const lastPasts = past === 0 ? 0 : segments - 1 - (pastCalls - 1) * pastsPerCall;
  const lastTokens = tokens - sinks - (calls - 1) * perCall * segment;
  const joined = pastCalls > 0 && calls > 1 && lastPasts * past + sinks + lastTokens <= room;
  const shape: BandShape = { tokens, window, sinks, segment, rows: Math.min(room, tokens) + 1 };

  /** The segments `[from, to)` of a call, and the segments `[pastFrom, pastTo)` whose pasts it reads. */
  const contents = (block: number): readonly Contents[] => {
    const own = { from: block * perCall, to: Math.min(segments, (block + 1) * perCall) };
    const pasts = { from: 1 + block * pastsPerCall, to: Math.min(segments, 1 + (block + 1) * pastsPerCall) };
    const none = { from: 0, to: 0 };
    const last = joined && block === calls - 1;
    const lastPast = { from: 1 + (pastCalls - 1) * pastsPerCall, to: segments };
    return [
      ...(block < calls ? [{ own, pasts: last ? lastPast : none }] : []),
      ...(block < pastCalls - (joined ? 1 : 0) ? [{ own: none, pasts }] : []),
    ];
  };
  const text = past === 0 ? 'ceil(C/g)' : '(ceil(C/g) + ceil((C - 1)/p))';
  const bound: FormulaTerm = { kind: 'causal', text, patterns: calls + pastCalls };
  const widest = [0, calls - 1].flatMap(contents).map((each) => slotWidth(slotsOf(shape, each)));
  return {
    statement: `Theorem 5.1 by bands${sinks > 0 ? ', attention sinks' : ''} (extension)`,
    rows: shape.rows,
    blockSize: Math.min(tokens, perCall * segment),
    separation: { causal: Math.max(...widest) },
    bands: { segment, segments, perCall, pastsPerCall },
    *patternsOf(block) {
      for (const each of contents(block)) {
        yield bandPattern(shape, each);
      }
    },
    countOf: (block) => ({ causal: contents(block).length }),
    formula: [joined ? { ...bound, text: text.replace(/\)$/, ' - 1)'), patterns: bound.patterns - 1 } : bound],
    bound: [bound],
  };
}

interface BandShape {
  readonly tokens: number;
  readonly window: number;
  readonly sinks: number;
  readonly segment: number;
  readonly rows: number;
}

/** Segments `[from, to)`. */
interface Segments {
  readonly from: number;
  readonly to: number;
}

/** What stands in a call: segments with their own keys, and below the first queries of others the keys before them. */
interface Contents {
  readonly own: Segments;
  readonly pasts: Segments;
}

/** Pasts come first: an earlier row sees no sinks, which their queries have from their own segment's call. */
function slotsOf({ tokens, window, sinks, segment }: BandShape, { own, pasts }: Contents): Slot[] {
  const slots: Slot[] = [];
  let row = 1;
  const take = (length: number, reach?: number): void => {
    slots.push({ from: row, to: row + length, ...(reach !== undefined && reach < length && { reach }) });
    row += length;
  };
  for (let index = pasts.from; index < pasts.to; index += 1) {
    take(window - 1);
  }
  row += sinks;
  for (let index = own.from; index < own.to; index += 1) {
    take(Math.min(segment, tokens - sinks - index * segment), window);
  }
  return slots;
}

function bandPattern(shape: BandShape, { own, pasts }: Contents): Pattern {
  const { tokens, window, sinks, segment, rows } = shape;
  const slots = slotsOf(shape, { own, pasts });
  const pattern: Pattern = { ...blankPattern(rows, true), separation: separateSlots(rows, slots) };
  const starts = [...indices(pasts), ...indices(own)].map((index) => sinks + index * segment);
  const pastCount = pasts.to - pasts.from;
  slots.forEach(({ from, to }, slot) => {
    const start = starts[slot];
    if (slot < pastCount) {
      placePast(pattern, from, { start, keys: window - 1, firstKey: sinks, queries: Math.min(segment, tokens - start) });
    } else {
      placeTokens(pattern.queries, from, start, start + to - from);
      placeTokens(pattern.keys, from, start, start + to - from);
    }
  });
  if (own.to > own.from) {
    const firstSink = 1 + pastCount * (window - 1);
    placeTokens(pattern.keys, firstSink, 0, sinks);
    if (own.from === 0) {
      // No segment holds the sinks: in the first call they are queries too, and see one another up to themselves.
      placeTokens(pattern.queries, firstSink, 0, sinks);
    }
  }
  return pattern;
}

function indices({ from, to }: Segments): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** The keys before a segment, the nearest first, and its first queries, each in the row of the last key that it sees. */
function placePast(pattern: Pattern, row: number, past: { start: number; keys: number; firstKey: number; queries: number }): void {
  const { start, keys, firstKey, queries } = past;
  for (let place = 0; place < keys; place += 1) {
    const key = start - 1 - place;
    // Sinks are seen beside the segment, and must not be seen again.
    pattern.keys[row + place] = key < firstKey ? noToken : key;
    const query = keys - 1 - place;
    pattern.queries[row + place] = query < queries ? start + query : noToken;
  }
}
