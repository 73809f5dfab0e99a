import { type Separation, separates } from './cover';

/**
 * One black-box call of one head, independent of any tokens: which token's query and which token's key each of its M rows
 * carries. Row 0 is always the synthetic token of lemma 3.1, and rows carry queries and keys side by side.
 *
 * A construction can only say which rows to copy where, and whether the resulting states are added or subtracted. It never
 * sees a token, so it cannot compute with one.
 */
export interface Pattern {
  /** Whether the oracle masks causally: a row then sees the keys of its own and of earlier rows only. */
  readonly causal: boolean;
  /** `[M]`: the token whose query a row carries, or `noToken`. */
  readonly queries: Int32Array;
  /** `[M]`: the token whose key and value a row carries, `noToken` for padding, `syntheticToken` in row 0. */
  readonly keys: Int32Array;
  /** What hides further pairs; absent where the oracle's own mask is enough. */
  readonly separation?: Separation;
  /** -1 if the proof subtracts this call's sums (theorem 5.1, `paper`). */
  readonly sign: 1 | -1;
}

/** A row that carries no query, or a padding key. */
export const noToken = -1;
/** The key of the synthetic token. */
export const syntheticToken = -2;

/** A pattern of `rows` rows (M) with only the synthetic token; the caller fills its arrays. */
export function blankPattern(rows: number, causal: boolean, sign: 1 | -1 = 1): Pattern {
  const keys = new Int32Array(rows).fill(noToken);
  keys[0] = syntheticToken;
  return { causal, queries: new Int32Array(rows).fill(noToken), keys, sign };
}

/** Whether the query in row `query` sees the real key in row `key`. */
export function rowSees({ causal, keys, separation }: Pattern, query: number, key: number): boolean {
  return keys[key] >= 0 && (!causal || key <= query) && (separation === undefined || !separates(separation, query, key));
}

/**
 * `[M]`: for each row with a query, a token whose key that query sees, or `noToken` if it sees none.
 *
 * Its score becomes the synthetic token's: it never exceeds the row's log-normaliser, so the share of the real keys cannot
 * underflow.
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
    // The key beside the query, or the nearest one before it; where the oracle does not mask, perhaps one after it.
    let candidate = causal ? row : Math.min(row, last);
    while (candidate > 0 && !rowSees(pattern, row, candidate)) {
      candidate -= 1;
    }
    for (let after = row + 1; candidate === 0 && !causal && after <= last; after += 1) {
      candidate = rowSees(pattern, row, after) ? after : 0;
    }
    references[row] = candidate > 0 ? keys[candidate] : noToken;
  }
  return references;
}

/**
 * The kinds of oracle that patterns call: one that masks causally, with separation columns if the arrangement has any; one that masks
 * nothing; and one that masks nothing and has separation columns. Two kinds never share a call.
 */
export const patternKinds = ['causal', 'open', 'covered'] as const;
export type PatternKind = (typeof patternKinds)[number];

/** The kind of oracle that a pattern calls. */
export function kindOf({ causal, separation }: Pattern): PatternKind {
  return causal ? 'causal' : separation === undefined ? 'open' : 'covered';
}

/** A number of patterns of one kind as a formula in N, M, T, C, g, p, r, s, V, E, and its value for one head of one layer. */
export interface FormulaTerm {
  readonly kind: PatternKind;
  readonly text: string;
  readonly patterns: number;
}

/** Terms of a sum, each of another kind. */
export type PatternFormula = readonly FormulaTerm[];

/**
 * How a black-box construction arranges one head of one layer in calls.
 *
 * `tight` makes one call per pattern, `paper` two (lemma 3.1: with the synthetic token, and without it).
 */
export interface Arrangement {
  /** Statement of the paper, such as `Theorem 3.5`. */
  readonly statement: string;
  /** Rows of a call: M, or fewer if a short sequence does not need them. */
  readonly rows: number;
  /** Tokens per query block of the plan. */
  readonly blockSize: number;
  /** w: separation columns of a call of each kind, as many as the pattern with most of them has; none where a kind is left out. */
  readonly separation: PatternCount;
  /** How the sequence is cut where it is cut into segments. */
  readonly bands?: BandCut;
  /** The patterns of a query block (0-based), in the order of the calls. */
  patternsOf(queryBlock: number): Iterable<Pattern>;
  /** Number of these patterns by kind, without building them. */
  countOf(queryBlock: number): PatternCount;
  /** The number of patterns in closed form. */
  readonly formula: PatternFormula;
  /** Patterns that the statement's own bound allows, in closed form. */
  readonly bound: PatternFormula;
}

/** A number for each kind of oracle that patterns call; a kind that is left out has none. */
export type PatternCount = Readonly<Partial<Record<PatternKind, number>>>;

/** How windows are read by bands. */
export interface BandCut {
  /** Tokens of a segment, whose queries and keys stand in one call. */
  readonly segment: number;
  /** C: segments of the sequence. */
  readonly segments: number;
  /** g: segments in a call. */
  readonly perCall: number;
  /** p: segments in a call that reads the keys before them. */
  readonly pastsPerCall: number;
}

/** The inputs of an arrangement. */
export interface ArrangementRequest {
  /** N. */
  readonly tokens: number;
  /** M: rows a call may have, including the synthetic token's. */
  readonly inputLength: number;
}
