import type { CallCounts } from '../plan/cost';
import type { Environment, ModelDescription, PromptDigest, reportSchemaVersion } from '../report/report';
import type { Scenario } from '../scenario/scenario';
import type { Experiment } from './experiment';
import type { NeedleGrid } from './needles';
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
  readonly needle: NeedleGrid | null;
  readonly prompts: readonly PromptPoint[];
  /** Whether no other point has both less FLOPs and a smaller mean KL. */
  readonly onFront: boolean;
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
  /** The model's own attention, which quality is measured against. */
  readonly baseline: Scenario;
  readonly prompts: readonly (PromptDigest & { readonly windows: number })[];
  readonly points: readonly ExperimentPoint[];
  /** Units of work that were taken from earlier runs' results. */
  readonly resumed: number;
  readonly environment: Environment;
}
