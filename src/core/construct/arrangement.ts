/**
 * One black-box call of one head, before any token is looked at: which token's query and which token's key each of its
 * M rows carries. Row 0 is always the synthetic token of lemma 3.1, and rows carry queries and keys side by side.
 *
 * A construction can say nothing but this: which rows to copy where, and whether the resulting states are to be added
 * or taken away. It never sees a token, so it can do no arithmetic on one.
 */
export interface Pattern {
  /** Whether the oracle masks causally: a row then sees the keys of its own and of earlier rows only. */
  readonly causal: boolean;
  /** `[M]`: the token whose query a row carries, or `noToken`. */
  readonly queries: Int32Array;
  /** `[M]`: the token whose key and value a row carries, `noToken` for padding, `syntheticToken` in row 0. */
  readonly keys: Int32Array;
  /** `[M]`: which of the call's chunks a row belongs to, 0 to p - 1; a query sees no key of another. Absent where there is one. */
  readonly chunks?: Int32Array;
  /** Leading rows whose keys every chunk sees: the synthetic token and, where there are any, the sinks. */
  readonly sharedRows: number;
  /** -1 where the proof subtracts this call's sums (theorem 5.1, `paper`). */
  readonly sign: 1 | -1;
}

/** A row that carries no query, or a padding key. */
export const noToken = -1;
/** The key of the synthetic token. */
export const syntheticToken = -2;

/** A pattern of `rows` rows (M) that holds the synthetic token only; its arrays are the caller's to fill. */
export function blankPattern(rows: number, causal: boolean, sign: 1 | -1 = 1): Pattern {
  const keys = new Int32Array(rows).fill(noToken);
  keys[0] = syntheticToken;
  return { causal, queries: new Int32Array(rows).fill(noToken), keys, sharedRows: 1, sign };
}

/** Whether the query in row `query` sees the real key in row `key`. */
export function rowSees({ causal, keys, chunks, sharedRows }: Pattern, query: number, key: number): boolean {
  return keys[key] >= 0 && (!causal || key <= query) && (chunks === undefined || key < sharedRows || chunks[key] === chunks[query]);
}

/**
 * `[M]`: for each row with a query, a token whose key that query sees, or `noToken` where it sees none.
 *
 * Its score is what the synthetic token is given: never above the row's log-normaliser, so that the share of the real
 * keys cannot underflow.
 */
export function referenceTokens(pattern: Pattern): Int32Array {
  const { causal, queries, keys } = pattern;
  const references = new Int32Array(queries.length).fill(noToken);
  let last = queries.length - 1;
  while (last > 0 && keys[last] < 0) {
    last -= 1;
  }
  for (let row = 0; row < queries.length; row += 1) {
    if (queries[row] === noToken) {
      continue;
    }
    // The key beside the query, or the nearest one before it.
    let candidate = causal ? row : Math.min(row, last);
    while (candidate > 0 && !rowSees(pattern, row, candidate)) {
      candidate -= 1;
    }
    references[row] = candidate > 0 ? keys[candidate] : noToken;
  }
  return references;
}

/** A number of patterns as a formula in N, M, T, C, p, r, s, and its value for one head of one layer. */
export interface FormulaTerm {
  readonly text: string;
  readonly patterns: number;
}

/** Terms of a sum. Patterns of one term may share a call; those of two call different oracles, and never do. */
export type PatternFormula = readonly FormulaTerm[];

/**
 * How a black-box construction lays one head of one layer out in calls.
 *
 * `tight` makes one call of a pattern, `paper` two (lemma 3.1: with the synthetic token, and without it).
 */
export interface Arrangement {
  /** Statement of the paper, such as `Theorem 3.5`. */
  readonly statement: string;
  /** Rows that a call has: M, or fewer where a short sequence does not need them. */
  readonly rows: number;
  /** Tokens of a query block of the plan. */
  readonly blockSize: number;
  /** Independent chunks that share a call, kept apart by separation vectors; 1 where a call is one chunk. */
  readonly chunks: number;
  /** The patterns that a query block (0-based) causes, in the order of the calls. */
  patternsOf(queryBlock: number): Iterable<Pattern>;
  /** How many of them there are, by whether the oracle masks causally, without making them. */
  countOf(queryBlock: number): PatternCount;
  /** The number of patterns in closed form. */
  readonly formula: PatternFormula;
  /** Patterns that the statement's own bound allows, in closed form. */
  readonly bound: PatternFormula;
}

/** Patterns by the kind of oracle they call: two kinds never share a call. */
export interface PatternCount {
  readonly causal: number;
  readonly open: number;
}

/** What an arrangement is made from. */
export interface ArrangementRequest {
  /** N. */
  readonly tokens: number;
  /** M: rows a call may have, the synthetic token's included. */
  readonly inputLength: number;
}
