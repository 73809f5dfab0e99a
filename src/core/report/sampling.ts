/** The constants of theorem 4.1's assumption, as measured on one head. */
export interface SamplingConstants {
  /** Natural logarithm of C: the smallest C with `1/C <= a_ij <= C` for the scores that were looked at. */
  readonly logC: number;
  /** D: the largest D with `D N max_j |b_ij| <= |sum_j b_ij|` for the queries that were looked at. */
  readonly d: number;
}

/** One head's constants and the M that the theorem asks of them. */
export interface HeadSampling extends SamplingConstants {
  /** 0-based. */
  readonly layer: number;
  /** 0-based. */
  readonly head: number;
  /** Natural logarithm of the M that guarantees `epsilon`; a logarithm, because real models drive it past any number. */
  readonly logNeededLength: number;
  /** Whether this run's sample is that large: whether the assumption holds here. */
  readonly holds: boolean;
}

/** How far a seed's estimates lay from exact attention: the largest relative error of any row looked at. */
export interface ErrorSpread {
  readonly minimum: number;
  readonly median: number;
  /** The error that nine in ten seeds stay under. */
  readonly ninetiethPercentile: number;
  readonly maximum: number;
}

/** What theorem 4.1 promises, and what was seen. */
export interface SamplingReport {
  /** What the tensors were. */
  readonly data: string;
  /** N. */
  readonly tokens: number;
  /** Keys that a query block reads. */
  readonly sample: number;
  /** The relative error to be guaranteed. */
  readonly epsilon: number;
  /** Probability with which the guarantee may fail. */
  readonly failureProbability: number;
  /** Query rows looked at, per head and layer. */
  readonly rows: number;
  readonly heads: readonly HeadSampling[];
  /** Whether the assumption holds in every head. */
  readonly holds: boolean;
  /** Natural logarithm of the largest M that any head asks for. */
  readonly logNeededLength: number;
  readonly seeds: number;
  /** Relative error per seed, the largest over rows, heads and layers. */
  readonly errors: ErrorSpread;
  /** Seeds all of whose rows stayed within `epsilon`. */
  readonly within: number;
}
