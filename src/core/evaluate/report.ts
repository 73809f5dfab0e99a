import type { CallCounts } from '../plan/cost';
import type { Verdict } from '../report/verdict';
import type { Environment, ModelDescription, PromptDigest, reportSchemaVersion } from '../report/report';
import type { Scenario } from '../scenario/scenario';
import type { Experiment } from './experiment';
import type { RetrievalReport } from './retrieval';
import type { QualitySummary } from './quality-summary';

/** What a plan says that N tokens cost. */
export interface PlannedCost {
  /** N. */
  readonly tokens: number;
  readonly calls: CallCounts;
  readonly flops: number;
  /** Those of them that are attention calls. */
  readonly attentionFlops: number;
  /** Tensors at the peak. */
  readonly bytes: number;
  /** Resident memory that a run with its check and its quality is expected to take at its peak, the process included. */
  readonly peakBytes: number;
  /** What the calibrated device is expected to take; null where it is not calibrated. */
  readonly predictedMs: number | null;
}

/** One prompt at one point of an experiment. */
interface PromptPoint {
  readonly path: string;
  /** Of the whole prompt, read at once. */
  readonly cost: PlannedCost;
  /** Over the prompt's windows; null where the point has no quality. */
  readonly quality: QualitySummary | null;
}

/** Runs that were really made for a point. */
interface PointMeasurements {
  readonly windows: number;
  /** Milliseconds of all of them, from tokens in memory to the last layer's output. */
  readonly wallMs: number;
  readonly calls: number;
}

/** A scenario and a block size: what it costs, and what it does to the model. */
export interface ExperimentPoint {
  readonly scenario: Scenario;
  /** M. */
  readonly blockSize: number;
  /** Of one window: as many tokens as the longest window that was read. */
  readonly cost: PlannedCost;
  /** Over all windows of all prompts; null where predictions under this scenario mean nothing. */
  readonly quality: QualitySummary | null;
  /** Why there is no quality, or which block size it was measured with: an exact construction gives the same with each. */
  readonly qualityNote: string | null;
  /** The block size that quality was measured with. */
  readonly measuredBlockSize: number;
  /** The runs that quality rests on; null where none were made with this block size. */
  readonly measured: PointMeasurements | null;
  /** Null where nothing was hidden, or nothing measured. */
  readonly retrieval: RetrievalReport | null;
  /** On the runs that quality and retrieval rest on, whatever block size they had: the worst of them. */
  readonly verdict: Verdict;
  /** Whether this is the model's own attention, and its runs the baseline too: a divergence of 0 then says nothing. */
  readonly ownBaseline: boolean;
  readonly prompts: readonly PromptPoint[];
  /** Whether no other point has both less FLOPs and a smaller mean KL; points that failed are not on the front, and beat nothing. */
  readonly onFront: boolean;
  /** Whether intervals of the mean KL leave open if it belongs to the front (`Standing.isTie`). */
  readonly tie: boolean;
}

/** A point without its prompts: what tables and charts of an experiment draw from. */
export type SummedPoint = Omit<ExperimentPoint, 'prompts'>;

/** A report without what is of single prompts, of which a folder may have many. */
export type ExperimentSummary = Omit<ExperimentReport, 'points'> & { readonly points: readonly SummedPoint[] };

/** The report without what is of single prompts. */
export function summariseExperiment({ points, ...report }: ExperimentReport): ExperimentSummary {
  return {
    ...report,
    points: points.map((point) => {
      const summed: SummedPoint & { prompts?: unknown } = { ...point };
      delete summed.prompts;
      return summed;
    }),
  };
}

/** What `evaluate`, `sweep` and `run` print with `--json`. */
export interface ExperimentReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  /** What was asked for, in full: as an experiment file, it repeats this report. */
  readonly experiment: Experiment;
  readonly model: ModelDescription;
  /** The model's own attention, which quality is measured against; how it is computed is in the experiment. */
  readonly baseline: Scenario;
  /** The worst of the points', and of the baseline's own runs where it is none of them. */
  readonly verdict: Verdict;
  readonly prompts: readonly (PromptDigest & { readonly windows: number })[];
  readonly points: readonly ExperimentPoint[];
  /** Units of work that were taken from earlier runs' results. */
  readonly resumed: number;
  /** Lines of results that were passed over because they were changed since they were written; absent where none was. */
  readonly changedLines?: number;
  readonly environment: Environment;
}
