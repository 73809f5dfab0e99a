import type { BudgetCheck } from '../evaluate/budget-checks';
import type { Experiment } from '../evaluate/experiment';
import type { ExperimentSummary, PlannedCost, SummedPoint } from '../evaluate/report';

/** What is known of an experiment without running any of it: what it costs, and what earlier runs have kept. */
export interface ExperimentOutlook {
  /** Path of the experiment file. */
  readonly file: string;
  /** As it would run, with the sizes that the model decides. */
  readonly experiment: Experiment;
  readonly model: string;
  readonly points: readonly (Pick<SummedPoint, 'scenario' | 'blockSize'> & { readonly cost: PlannedCost })[];
  /** Pieces of work in all, and those whose results are kept. */
  readonly units: number;
  readonly known: number;
  /** Milliseconds that all windows of all points are expected to take; null where the device is not calibrated. */
  readonly predictedMs: number | null;
  /** What came out of it; null while results are missing. */
  readonly evaluation: ExperimentSummary | null;
  /** Its budgets held against every prompt; null where it has none, or results are missing. */
  readonly budgets: readonly BudgetCheck[] | null;
}

/** Milliseconds that what is not measured yet is expected to take; null where the device is not calibrated, or nothing is measured at all. */
export function leftMs({ predictedMs, units, known }: Pick<ExperimentOutlook, 'predictedMs' | 'units' | 'known'>): number | null {
  return predictedMs === null || units === 0 ? null : (predictedMs * (units - known)) / units;
}
