import type { AdviceReport } from '../advise/report';
import type { AtlasReport } from '../atlas/report';
import type { ExperimentSummary } from '../evaluate/report';
import type { GenerationReport } from '../generate/report';
import type { LedgerReport } from '../ledger/report';
import type { SimulationOptions } from '../options/table';
import type { ComparisonReport, RunReport } from '../report/report';

/** Source and options of what was run: what repeating it needs. */
export interface RunOrigin {
  /** The document's URI. */
  readonly uri: string;
  /** The selection's 0-based lines and characters; null for the whole document. */
  readonly selection: {
    readonly startLine: number;
    readonly startCharacter: number;
    readonly endLine: number;
    readonly endCharacter: number;
  } | null;
  /** Where the string literal of a program was that was the prompt, or the cursor outside of all; null where neither mattered. */
  readonly at: number | null;
  readonly options: SimulationOptions;
}

/** What every record has: what kind of result it is, where it came from, and what was found. */
interface Kept<Kind extends string, Report> {
  /** Sorts by the time of the result. */
  readonly id: string;
  readonly kind: Kind;
  /** Null for a version that did not record it, for a text without a document, and where there is no prompt or more than one. */
  readonly origin: RunOrigin | null;
  readonly report: Report;
}

/** A prompt under one scenario. */
export type RunRecord = Kept<'run', RunReport>;

/** A prompt under several scenarios; each of its runs is a record too. */
export type ComparisonRecord = Kept<'comparison', ComparisonReport>;

/** What scenarios do to a model's predictions: of a prompt, or of an experiment file. */
export interface EvaluationRecord extends Kept<'evaluation', ExperimentSummary> {
  /** Path of the experiment file, whose results are at `report.experiment.results`; null for a prompt. */
  readonly file: string | null;
}

/** The paper's statements. */
export type LedgerRecord = Kept<'ledger', LedgerReport>;

/** Where the attention of a prompt goes. */
export type AtlasRecord = Kept<'atlas', AtlasReport>;

/** A prompt, continued. */
export type ContinuationRecord = Kept<'continuation', GenerationReport>;

/** The cheapest masks that keep a prompt's predictions within a limit. */
export type AdviceRecord = Kept<'advice', AdviceReport>;

/** A result of the lab, as plain data. */
export type LabRecord = RunRecord | ComparisonRecord | EvaluationRecord | LedgerRecord | AtlasRecord | ContinuationRecord | AdviceRecord;

export const recordKinds = ['run', 'comparison', 'evaluation', 'ledger', 'atlas', 'continuation', 'advice'] as const;
export type RecordKind = (typeof recordKinds)[number];

/** The record of a kind. */
export type RecordOf<Kind extends RecordKind> = Extract<LabRecord, { readonly kind: Kind }>;

/** A record before it has an id. */
export type LabResult = { readonly [Kind in RecordKind]: Omit<RecordOf<Kind>, 'id'> }[RecordKind];

/** When a result was made, as ISO 8601: a comparison with its last run. */
export function dateOf(result: LabResult): string {
  return result.kind === 'comparison'
    ? result.report.runs
        .map(({ environment }) => environment.date)
        .reduce((one, other) => (Date.parse(one) < Date.parse(other) ? other : one))
    : result.report.environment.date;
}
