import type { Pattern } from '../construct/arrangement';

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
