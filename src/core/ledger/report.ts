import { formatError } from '../format';
import { said } from '../l10n';
import type { Construction } from '../construct/construction';
import { defaultsOf, type OptionTable, type ValuesOf } from '../options/option';
import { optionTable } from '../options/table';
import { maximumTokens } from '../plan/partition';
import type { Environment, reportSchemaVersion } from '../report/report';
import type { SamplingReport } from '../report/sampling';
import { type Verdict, type VerdictKind, worstVerdict } from '../report/verdict';
import type { Scenario } from '../scenario/scenario';
import type { OracleShape } from '../shapes';

/** A number of attention calls and the formula that gives it. */
interface CallFormula {
  readonly formula: string;
  readonly calls: number;
}

/** One statement of the paper, or an extension, run: its calls counted, set beside its formula and its bounds, its errors measured. */
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
  /** Counted calls times M / N: where it stays the same for longer sequences, they are as many as reading them takes. */
  readonly callsPerBlock: number;
  /** Calls that it counted beside them, because a synthetic token underflowed. */
  readonly retries: number;
  /** What the arrangement makes, in closed form: equal to `countedCalls`. */
  readonly exact: CallFormula;
  /** What the statement allows. */
  readonly bound: CallFormula;
  /** Calls that no arrangement which gives each visible pair to a call can do without; it bounds arrangements, not algorithms. */
  readonly lowerBound: number;
  /** Dependent rounds of calls. */
  readonly rounds: number;
  /** Largest error of an output, relative to the largest component of its exact row. */
  readonly outputError: number;
  /** Largest absolute error of a log-normaliser (natural logarithm); null where it is not read. */
  readonly logNormaliserError: number | null;
  /** Whether the statement reads log-normalisers at all: the converse, theorem 4.2, has no use for them. */
  readonly readsNormaliser: boolean;
  /** What the relative output error is stated to stay within, and the log-normaliser's absolute one, and why. */
  readonly stated: { readonly error: number; readonly reason: string };
  /** Whether the errors keep what is stated, and whether that promises anything. */
  readonly verdict: VerdictKind;
  /** Milliseconds, verification left out. */
  readonly wallMs: number;
}

/** Calls times M / N. */
export function callsPerBlock(calls: number, tokens: number, { inputLength }: Pick<OracleShape, 'inputLength'>): number {
  return (calls * inputLength) / tokens;
}

/** What `ledger --json` prints. */
export interface LedgerReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly options: LedgerOptions;
  readonly rows: readonly LedgerRow[];
  /** Theorem 4.1 over many seeds, on data that satisfies its assumption. */
  readonly sampling: SamplingReport;
  /** Whether its errors are within what the theorem, or the statistics of its samples, say of them. */
  readonly samplingVerdict: Verdict;
  readonly environment: Environment;
}

/** The worse of a ledger's rows and its samples: a row that lost its keys to a literal formula has failed, as in runs. */
export function ledgerVerdict({ rows, samplingVerdict }: Pick<LedgerReport, 'rows' | 'samplingVerdict'>): Verdict {
  return worstVerdict([...rows.map(rowVerdict), samplingVerdict]);
}

/** The verdict on a row, by the error of its outputs, or of its log-normalisers where those alone are beyond what is stated. */
function rowVerdict({ statement, construction, outputError, logNormaliserError, stated, verdict }: LedgerRow): Verdict {
  const byNormaliser = logNormaliserError !== null && !(logNormaliserError <= stated.error) && outputError <= stated.error;
  const measured = byNormaliser ? logNormaliserError : outputError;
  const sizes = [formatError(measured), formatError(stated.error)];
  const reason = byNormaliser
    ? said`${statement} under ${construction} has a log-normaliser that is off by ${sizes[0]}, and ${sizes[1]} is stated.`
    : said`${statement} under ${construction} is off by ${sizes[0]}, and ${sizes[1]} is stated.`;
  return { kind: verdict, bound: stated.error, measured, reason };
}

/** Every option of a ledger: what it is run on is a random model of this shape. */
export const ledgerTable = {
  tokens: {
    flag: 'tokens',
    symbol: 'N',
    description: 'Tokens of the sequence.',
    value: { type: 'whole', minimum: 1, maximum: maximumTokens },
    default: 1000,
  },
  blockSize: {
    flag: 'block',
    symbol: 'M',
    description: 'Tokens that one call of the small transformer reads.',
    value: { type: 'whole', minimum: 2, maximum: maximumTokens },
    default: 129,
  },
  window: {
    flag: 'window',
    symbol: 'r',
    description: 'Window of the statements on sliding windows and attention sinks; it is below M.',
    value: { type: 'whole', minimum: 1, maximum: maximumTokens },
    default: 48,
  },
  sinks: {
    flag: 'sinks',
    symbol: 's',
    description: 'Sinks of the statements on attention sinks.',
    value: { type: 'whole', minimum: 0, maximum: maximumTokens },
    default: 4,
  },
  layers: {
    flag: 'layers',
    symbol: 'L',
    description: 'Layers of the large transformer.',
    value: { type: 'whole', minimum: 1, maximum: 1024 },
    default: 2,
  },
  heads: {
    flag: 'heads',
    symbol: 'H',
    description: 'Heads of the large transformer.',
    value: { type: 'whole', minimum: 1, maximum: 4096 },
    default: 6,
  },
  oracleLayers: { ...optionTable.oracleLayers, default: 2 },
  oracleHeads: { ...optionTable.oracleHeads, value: { type: 'whole', minimum: 1, maximum: 4096 }, default: 2 },
  seed: {
    flag: 'seed',
    symbol: 'n',
    description: 'Seed of the model, the tokens and the first sample.',
    value: { type: 'whole', minimum: 0, maximum: 2 ** 32 - 1 },
    default: 1,
  },
  scoreScale: {
    flag: 'scale',
    symbol: 'x',
    description: 'Standard deviation of the scores.',
    value: { type: 'number', maximum: 1000 },
    default: 1,
  },
  seeds: {
    flag: 'seeds',
    symbol: 'n',
    description: 'Samples over which theorem 4.1 is tried.',
    value: { type: 'whole', minimum: 1, maximum: 100_000 },
    default: 100,
  },
  threads: optionTable.threads,
} as const satisfies OptionTable;

/** What a user can choose about a ledger. */
export type LedgerOptions = ValuesOf<typeof ledgerTable>;

/** The ledger that runs in well under a minute on two cores. */
export const defaultLedgerOptions: LedgerOptions = defaultsOf(ledgerTable);
