import { type Arrangement, type ArrangementRequest, blankPattern, type Pattern, type PatternFormula } from './arrangement';
import { placeTokens } from './tiles';

/**
 * Theorem 5.1 as in its proof (`paper`): chunks of M - r queries, and a window as the difference of two causal sums, `sum
 * over j <= i` minus `sum over j <= i - r`; sinks as the difference of two sums over the sinks.
 *
 * The subtraction cancels if the mass lies outside the window, as with an attention sink: the resulting error belongs to
 * the construction itself.
 */
export function windowDifferences({ tokens, inputLength }: ArrangementRequest, window: number, sinks: number): Arrangement {
  const queries = inputLength - window;
  const blocks = Math.ceil(tokens / queries);
  const perBlock = sinks > 0 ? 4 : 2;
  const formula: PatternFormula = [{ kind: 'causal', text: `${perBlock} ceil(N/(M - r))`, patterns: perBlock * blocks }];
  const shape = { tokens, window, sinks, queries, rows: inputLength };
  return {
    statement: sinks > 0 ? 'Theorem 5.1, attention sinks' : 'Theorem 5.1',
    rows: inputLength,
    blockSize: Math.min(tokens, queries),
    separation: {},
    *patternsOf(block) {
      const first = block * queries;
      yield sumUpTo(shape, first, 0, 1);
      yield sumUpTo(shape, first, window, -1);
      if (sinks > 0) {
        yield allSinks(shape, first);
        yield sinksNotYetPassed(shape, first);
      }
    },
    countOf: () => ({ causal: perBlock }),
    formula,
    bound: formula,
  };
}

interface DifferenceShape {
  readonly tokens: number;
  readonly window: number;
  readonly sinks: number;
  /** M - r: queries per chunk. */
  readonly queries: number;
  readonly rows: number;
}

/** The sum over keys `j <= i - shift` among the M - 1 keys that end at the chunk's last query. */
function sumUpTo({ tokens, window, queries, rows }: DifferenceShape, first: number, shift: number, sign: 1 | -1): Pattern {
  const pattern = blankPattern(rows, true, sign);
  const firstKey = first - window + 1;
  const end = Math.min(tokens, first + queries);
  // Keys before the sequence are padding, as in the proof.
  placeTokens(pattern.keys, 1 + Math.max(0, -firstKey), Math.max(0, firstKey), end);
  for (let query = first; query < end; query += 1) {
    const row = 1 + query - shift - firstKey;
    // With the shift, a chunk's first query sees no key: its sum is empty.
    if (row > 0) {
      pattern.queries[row] = query;
    }
  }
  return pattern;
}

/** The sum over all s sinks. */
function allSinks({ tokens, sinks, queries, rows }: DifferenceShape, first: number): Pattern {
  const pattern = blankPattern(rows, true);
  placeTokens(pattern.keys, 1, 0, Math.min(sinks, tokens));
  placeTokens(pattern.queries, sinks, first, Math.min(tokens, first + queries));
  return pattern;
}

/** The sum over the sinks `j > i - r`, which the window already contains or the mask hides: keys in reverse order. */
function sinksNotYetPassed({ tokens, window, sinks, queries, rows }: DifferenceShape, first: number): Pattern {
  const pattern = blankPattern(rows, true, -1);
  for (let sink = 0; sink < sinks; sink += 1) {
    pattern.keys[sinks - sink] = sink;
  }
  let room = sinks;
  for (let query = first; query < Math.min(tokens, first + queries); query += 1) {
    const seen = Math.min(sinks, sinks - (query - window + 1));
    if (seen === sinks) {
      // Queries that see all sinks may be anywhere below the keys.
      pattern.queries[room] = query;
      room += 1;
    } else if (seen > 0) {
      pattern.queries[seen] = query;
    }
  }
  return pattern;
}
