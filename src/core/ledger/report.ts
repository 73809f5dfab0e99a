import type { Construction } from '../construct/construction';
import type { Scenario } from '../scenario/scenario';
import type { OracleShape } from '../shapes';
import type { Environment, reportSchemaVersion } from '../report/report';
import type { SamplingReport } from '../report/sampling';

/** A number of attention calls and the formula that gives it. */
interface CallFormula {
  readonly formula: string;
  readonly calls: number;
}

/** How a row came out. `exact`: to float32 rounding. `within`: within the error that the construction is stated to have. */
export type LedgerVerdict = 'exact' | 'within' | 'exceeds';

/** One statement of the paper, run: its calls counted, set beside its formula and its bounds, its errors measured. */
export interface LedgerRow {
  /** Statement of the paper, such as `Theorem 3.5`. */
  readonly statement: string;
  readonly construction: Construction;
  readonly scenario: Scenario;
  /** N. */
  readonly tokens: number;
  /** L and H of the large transformer. */
  readonly layers: number;
  readonly heads: number;
  readonly oracle: OracleShape;
  /** Attention calls that the oracle counted, retries left out. */
  readonly countedCalls: number;
  /** Calls that it counted beside them, because a synthetic token underflowed. */
  readonly retries: number;
  /** What the arrangement makes, in closed form: equal to `countedCalls`. */
  readonly exact: CallFormula;
  /** What the statement allows. */
  readonly bound: CallFormula;
  /** Calls that no arrangement can do without: the visible pairs over the pairs that one call can cover. */
  readonly lowerBound: number;
  /** Dependent rounds of calls. */
  readonly rounds: number;
  /** Largest error of an output, relative to the largest component of its exact row; null where it is not finite. */
  readonly outputError: number | null;
  /** Largest absolute error of a log-normaliser (natural logarithm); null where it is not finite, or not read. */
  readonly logNormaliserError: number | null;
  /** Whether the statement reads log-normalisers at all: the converse, theorem 4.2, has no use for them. */
  readonly readsNormaliser: boolean;
  /** The relative output error that the row is stated to stay within, and why. */
  readonly stated: { readonly error: number; readonly reason: string };
  readonly verdict: LedgerVerdict;
  /** Milliseconds, verification left out. */
  readonly wallMs: number;
}

/** What `ledger --json` prints. */
export interface LedgerReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly options: LedgerOptions;
  readonly rows: readonly LedgerRow[];
  /** Theorem 4.1 over many seeds, on data that satisfies its assumption. */
  readonly sampling: SamplingReport;
  readonly environment: Environment;
}

/** What a ledger is run on: a random model of this shape. */
export interface LedgerOptions {
  /** N. */
  readonly tokens: number;
  /** M. */
  readonly blockSize: number;
  /** r. */
  readonly window: number;
  /** s. */
  readonly sinks: number;
  /** L. */
  readonly layers: number;
  /** H. */
  readonly heads: number;
  /** L'. */
  readonly oracleLayers: number;
  /** H'. */
  readonly oracleHeads: number;
  /** Seed of the model, the tokens and the first sample. */
  readonly seed: number;
  /** Standard deviation of the scores. */
  readonly scoreScale: number;
  /** Seeds over which theorem 4.1 is tried. */
  readonly seeds: number;
  /** Threads of ONNX Runtime; 0 leaves it to the runtime. */
  readonly threads: number;
}

/** The ledger that runs in well under a minute on two cores. */
export const defaultLedgerOptions: LedgerOptions = {
  tokens: 1000,
  blockSize: 129,
  window: 48,
  sinks: 4,
  layers: 2,
  heads: 6,
  oracleLayers: 2,
  oracleHeads: 2,
  seed: 1,
  scoreScale: 1,
  seeds: 100,
  threads: 0,
};
