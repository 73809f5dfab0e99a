/** What a model made of one needle test. */
export interface NeedleScore {
  /** Tokens of the context. */
  readonly length: number;
  /** Share of the haystack before the needle. */
  readonly depth: number;
  /** Natural logarithm of the answer's probability: the sum over its tokens. */
  readonly logProbability: number;
  /** The worst rank of an answer's token among all tokens, from 1: with 1 throughout, greedy decoding answers right. */
  readonly rank: number;
  /** Under the model's baseline attention. */
  readonly baselineLogProbability: number;
  readonly baselineRank: number;
}

/** The scores of one length and depth. */
export interface NeedleCell {
  /** Tests. */
  readonly count: number;
  /** Mean natural logarithm of the answer's probability. */
  readonly logProbability: number;
  readonly baselineLogProbability: number;
  /** Share of tests whose answer has rank 1; NaN where a rank is. */
  readonly found: number;
  readonly baselineFound: number;
  /** The worst rank. */
  readonly rank: number;
  readonly baselineRank: number;
}

/** Needle scores by length and depth, as a heat map shows them. */
export interface NeedleGrid {
  /** Ascending. */
  readonly lengths: readonly number[];
  readonly depths: readonly number[];
  /** `cells[length][depth]`; null where there was no test. */
  readonly cells: readonly (readonly (NeedleCell | null)[])[];
}

/** Sums up needle tests by length and depth. A NaN shows in the cell that it is of. */
export function needleGrid(scores: readonly NeedleScore[]): NeedleGrid {
  const [lengths, depths] = [distinct(scores.map(({ length }) => length)), distinct(scores.map(({ depth }) => depth))];
  const cells = lengths.map((length) =>
    depths.map((depth) => cellOf(scores.filter((score) => score.length === length && score.depth === depth))),
  );
  return { lengths, depths, cells };
}

function cellOf(scores: readonly NeedleScore[]): NeedleCell | null {
  if (scores.length === 0) {
    return null;
  }
  const mean = (of: (score: NeedleScore) => number): number => scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  const worst = (of: (score: NeedleScore) => number): number => Math.max(...scores.map(of));
  const found = (rank: number): number => (Number.isNaN(rank) ? NaN : Number(rank === 1));
  return {
    count: scores.length,
    logProbability: mean(({ logProbability }) => logProbability),
    baselineLogProbability: mean(({ baselineLogProbability }) => baselineLogProbability),
    found: mean(({ rank }) => found(rank)),
    baselineFound: mean(({ baselineRank }) => found(baselineRank)),
    rank: worst(({ rank }) => rank),
    baselineRank: worst(({ baselineRank }) => baselineRank),
  };
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}
