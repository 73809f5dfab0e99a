import { resolve } from 'node:path';
import { InputError } from '../../../core/errors';
import { type BudgetCheck, checkBudgets } from '../../../core/evaluate/budget-checks';
import { type Budgets, namesOf, needsRun } from '../../../core/evaluate/budgets';
import { type Experiment, sourceOf } from '../../../core/evaluate/experiment';
import { readPrompts } from '../../read/prompt';
import { readExperiment } from './experiment-file';
import { Results } from './results';
import { measureExperiment, type MeasuredExperiment, wholeReport } from './run-experiment';

/** An experiment as its budgets are checked: what somebody kept of it is no evidence, and nothing is run that no budget needs. */
export function checkedExperiment(experiment: Experiment, budgets: Budgets): Experiment {
  return { ...experiment, retrieval: null, results: null, quality: needsRun(budgets) };
}

/** Budgets held against an experiment that was measured, each prompt once: patterns may overlap, and a file be given twice. */
export function checksOf(measured: MeasuredExperiment, budgets: Budgets, tolerance: string | undefined): readonly BudgetCheck[] {
  const report = wholeReport(measured);
  const points = report.points.map((point) => ({
    ...point,
    prompts: [...new Map(point.prompts.map((prompt) => [resolve(prompt.path), prompt])).values()],
  }));
  return checkBudgets({ ...report, points }, budgets, tolerance);
}

/**
 * Measures the prompts of an experiment file anew, and holds its budgets against them.
 *
 * @throws InputError for a file without budgets, and as `runExperiment`; CancelledError
 */
export async function checkFile(
  file: string,
  context: Omit<Parameters<typeof measureExperiment>[2], 'results' | 'runner' | 'shard'>,
): Promise<readonly BudgetCheck[]> {
  const read = await readExperiment(file, context.modelsFolder);
  const { tolerance, ...budgets } = read.budgets ?? {};
  if (namesOf(budgets).length === 0) {
    throw new InputError(`${file} has no budget to check; give it "budgets", such as {"kl": 0.05}.`);
  }
  const prompts = await readPrompts(read.prompts, undefined, sourceOf(read), read.results);
  const measured = await measureExperiment(prompts, checkedExperiment(read, budgets), { ...context, results: Results.inMemory() });
  return checksOf(measured, budgets, tolerance);
}
