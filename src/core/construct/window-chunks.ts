import { type Arrangement, type ArrangementRequest, blankPattern, noToken, type Pattern } from './arrangement';
import { placeTokens } from './tiles';

/**
 * Theorem 5.1 without subtraction (`tight`), for a window r <= M - 1 that is shorter than the sequence.
 *
 * The sequence is cut into C = ceil(N / r) chunks of r tokens. A query's window is its own chunk up to itself (the causal
 * pattern) and the remainder of the window in the previous chunk (the reversed pattern). p chunks share a call, kept apart
 * by separation vectors. Sinks are shared keys of these calls if the calls have room for them; otherwise they have calls of
 * their own.
 */
export function windowChunks({ tokens, inputLength }: ArrangementRequest, window: number, sinks: number): Arrangement {
  const chunkCount = Math.ceil(tokens / window);
  const ridingSinks = window + sinks < inputLength ? sinks : 0;
  const chunks = Math.min(chunkCount, Math.floor((inputLength - 1 - ridingSinks) / window));
  const groups = Math.ceil(chunkCount / chunks);
  // Chunk 0 has no previous chunk, and with s = r only sinks come before chunk 1.
  const firstWithPast = sinks === window ? 2 : 1;
  const pastGroups = window === 1 ? 0 : Math.ceil(Math.max(0, chunkCount - firstWithPast) / chunks);
  const lonelySinks = sinks > 0 && ridingSinks === 0;
  const rows = lonelySinks ? inputLength : 1 + ridingSinks + chunks * window;
  const perSinkCall = rows - sinks;
  const sinkCalls = lonelySinks ? Math.ceil((tokens - window) / perSinkCall) : 0;
  const blockSize = Math.min(tokens, chunks * window);
  const shape: ChunkShape = { tokens, window, sinks, rows, chunks, chunkCount };

  /** Sink calls whose first query is in a block. */
  const sinkCallsOf = (block: number): readonly [number, number] => {
    const before = (token: number): number => Math.min(sinkCalls, Math.max(0, Math.ceil((token - window) / perSinkCall)));
    return [before(block * blockSize), before((block + 1) * blockSize)];
  };
  const sinkText = lonelySinks ? ' + ceil((N - r)/(M - s))' : '';
  return {
    statement: sinks > 0 ? 'Theorem 5.1, attention sinks' : 'Theorem 5.1',
    rows,
    blockSize,
    chunks,
    *patternsOf(block) {
      yield ownChunks(shape, block * chunks, ridingSinks);
      if (block < pastGroups) {
        yield chunksBefore(shape, firstWithPast + block * chunks);
      }
      const [from, to] = sinkCallsOf(block);
      for (let call = from; call < to; call += 1) {
        yield sinksAlone(shape, window + call * perSinkCall);
      }
    },
    countOf: (block) => {
      const [from, to] = sinkCallsOf(block);
      return { causal: 1 + (block < pastGroups ? 1 : 0) + to - from, open: 0 };
    },
    formula: [
      {
        text: `(ceil(C/p)${window === 1 ? '' : ` + ceil((C - ${firstWithPast})/p)`}${sinkText})`,
        patterns: groups + pastGroups + sinkCalls,
      },
    ],
    bound: [{ text: lonelySinks ? `(2 ceil(C/p)${sinkText})` : '2 ceil(C/p)', patterns: 2 * groups + sinkCalls }],
  };
}

interface ChunkShape {
  readonly tokens: number;
  /** r, and the size of a chunk. */
  readonly window: number;
  readonly sinks: number;
  readonly rows: number;
  /** p: chunks of a call. */
  readonly chunks: number;
  /** C: chunks of the sequence. */
  readonly chunkCount: number;
}

/** Chunks `[first, first + p)`: each query with the keys of its own chunk up to itself, and the shared sinks. */
function ownChunks({ tokens, window, rows, chunks, chunkCount }: ChunkShape, first: number, ridingSinks: number): Pattern {
  const pattern = { ...blankPattern(rows, true), chunks: new Int32Array(rows).fill(noToken), sharedRows: 1 + ridingSinks };
  placeTokens(pattern.keys, 1, 0, ridingSinks);
  for (let slot = 0; slot < chunks && first + slot < chunkCount; slot += 1) {
    const from = (first + slot) * window;
    const to = Math.min(tokens, from + window);
    const row = 1 + ridingSinks + slot * window;
    if (from === 0) {
      // The first chunk contains the sinks: its queries see them there, once, and only up to themselves.
      const shared = Math.min(ridingSinks, to);
      placeTokens(pattern.queries, 1, 0, shared);
      pattern.chunks.fill(slot, 1, 1 + shared);
      fillChunk(pattern, slot, row, shared, to);
    } else {
      fillChunk(pattern, slot, row, from, to);
    }
  }
  return pattern;
}

function fillChunk(pattern: Pattern & { readonly chunks: Int32Array }, slot: number, row: number, from: number, to: number): void {
  placeTokens(pattern.queries, row, from, to);
  placeTokens(pattern.keys, row, from, to);
  pattern.chunks.fill(slot, row, row + to - from);
}

/** Chunks `[first, first + p)`: each query with the keys of the previous chunk that come after its own position. */
function chunksBefore({ tokens, window, sinks, rows, chunks, chunkCount }: ChunkShape, first: number): Pattern {
  const pattern = { ...blankPattern(rows, true), chunks: new Int32Array(rows).fill(noToken) };
  for (let slot = 0; slot < chunks && first + slot < chunkCount; slot += 1) {
    const start = (first + slot) * window;
    const row = 1 + slot * window;
    // All of chunk 1 sees the sinks directly: the window must not add them again.
    const firstKey = first + slot === 1 ? sinks : 0;
    for (let key = window - 1; key >= firstKey; key -= 1) {
      pattern.keys[row + window - 1 - key] = start - window + key;
    }
    for (let query = 0; query < Math.min(window - 1, tokens - start); query += 1) {
      pattern.queries[row + window - 2 - query] = start + query;
    }
    pattern.chunks.fill(slot, row, row + window);
  }
  return pattern;
}

/** Queries from `first` on with the sinks: keys in rows 1 to s, queries from row s on. */
function sinksAlone({ tokens, sinks, rows }: ChunkShape, first: number): Pattern {
  const pattern = blankPattern(rows, true);
  placeTokens(pattern.keys, 1, 0, sinks);
  placeTokens(pattern.queries, sinks, first, Math.min(tokens, first + rows - sinks));
  return pattern;
}
