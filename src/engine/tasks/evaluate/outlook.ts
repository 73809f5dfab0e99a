import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../../core/errors';
import { checkBudgets } from '../../../core/evaluate/budget-checks';
import type { Experiment } from '../../../core/evaluate/experiment';
import { type ExperimentReport, summariseExperiment } from '../../../core/evaluate/report';
import { type ExperimentOutlook, leftMs } from '../../../core/lab/outlook';
import { shown } from '../../../core/text/printable';
import { exists } from '../../read/input/regular-file';
import { readExperiment } from './experiment-file';
import { Results } from './results';
import { nobody } from './row-runner';
import { type EvaluateRequest, measureExperiment, type MeasuredExperiment, readRequest } from './run-experiment';

/**
 * What an experiment file would cost, and what earlier runs of it have kept, without running any of it.
 *
 * @param request its `file` is the experiment file, or a file or folder of results that one beside it names
 * @throws InputError as `runExperiment`, and for results that no experiment beside them names
 */
export async function outlookOf({ file, ...held }: OutlookRequest, context: LookContext): Promise<ExperimentOutlook> {
  const named = file.endsWith('.json') ? file : await experimentOf(file, context.modelsFolder);
  const looked = await lookedAt(await readRequest({ file: named, ...held }, context.modelsFolder), context);
  const { experiment, model, planned, units, known, report } = looked;
  return {
    file: named,
    experiment,
    model,
    points: planned,
    units,
    known,
    predictedMs: predictedMs(looked),
    // An experiment of no work is one that only plans: it has nothing to sum up that its points do not say.
    evaluation: report === undefined || units === 0 ? null : summariseExperiment(report),
    budgets: report === undefined ? null : budgetsOf(report, experiment),
  };
}

/**
 * Milliseconds that what is left of an experiment is expected to take; null where the device is not calibrated. Runs nothing.
 *
 * @throws InputError as `evaluate`
 */
export async function expectedMs(request: EvaluateRequest, context: LookContext): Promise<number | null> {
  const read = await readRequest(request, context.modelsFolder);
  const { provider, threads } = read.experiment;
  // Planning it would take long, and end in that nobody knows.
  if ((await context.calibrations.candidates(provider, threads)).length === 0) {
    return null;
  }
  const looked = await lookedAt(read, context);
  return leftMs({ ...looked, predictedMs: predictedMs(looked) });
}

/** An experiment with what is kept of it, none of which is run. */
async function lookedAt({ experiment, prompts }: ReadExperiment, context: LookContext): Promise<MeasuredExperiment> {
  // Opening results makes the file where there is none, and looking must not.
  const { results: path } = experiment;
  const results = path !== null && (await exists(path)) ? await Results.open(path) : Results.inMemory();
  return measureExperiment(prompts, experiment, { ...context, results, runner: nobody });
}

/** Milliseconds that all windows of all points are expected to take; null where the device is not calibrated. */
function predictedMs({ planned, windows }: MeasuredExperiment): number | null {
  const times = planned.map(({ cost }) => cost.predictedMs);
  return times.some((time) => time === null) ? null : windows * times.reduce((sum: number, time) => sum + (time ?? 0), 0);
}

/** An experiment file, or its results. */
export type OutlookRequest = Extract<EvaluateRequest, { readonly file: string }>;

type ReadExperiment = Awaited<ReturnType<typeof readRequest>>;
type LookContext = Omit<Parameters<typeof measureExperiment>[2], 'results' | 'runner' | 'shard'>;

function budgetsOf(report: ExperimentReport, { budgets }: Experiment): ExperimentOutlook['budgets'] {
  if (budgets === null) {
    return null;
  }
  const { tolerance, ...limits } = budgets;
  return checkBudgets(report, limits, tolerance);
}

/** The experiment file beside some results that names them. @throws InputError where none does */
async function experimentOf(results: string, modelsFolder: string): Promise<string> {
  const folder = dirname(results);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.two-heads.json'));
  for (const name of names) {
    // One that cannot be read is no reason not to find another.
    const experiment = await readExperiment(join(folder, name), modelsFolder).catch(() => undefined);
    if (experiment?.results != null && resolve(experiment.results) === resolve(results)) {
      return join(folder, name);
    }
  }
  throw new InputError(
    `No experiment file beside ${shown(results, 200)} names it as its results, so nothing says what its lines are of; put the *.two-heads.json file that made it into the same folder.`,
  );
}
