import { CancelledError } from '../../core/errors';
import { summariseExperiment, type ExperimentSummary } from '../../core/evaluate/report';
import type { EvaluateRequest } from '../process/rpc';
import { promptFromText } from '../prompt';
import { readPrompts } from '../read/prompt';
import { readExperiment } from './experiment-file';
import { Results } from '../tasks/evaluate/results';
import { runExperiment, type ExperimentContext } from '../tasks/evaluate/run-experiment';

/**
 * Runs an experiment on texts or from its file; results go where the experiment says.
 *
 * @throws InputError, CancelledError as `runExperiment`
 */
export async function evaluate(request: EvaluateRequest, context: Omit<ExperimentContext, 'results'>): Promise<ExperimentSummary> {
  const experiment = 'file' in request ? await readExperiment(request.file, context.modelsFolder) : request.experiment;
  const prompts =
    'file' in request ? await readPrompts(experiment.prompts) : request.texts.map(({ path, text }) => promptFromText(path, text));
  const results = experiment.results === null ? Results.inMemory() : await Results.open(experiment.results);
  const report = await runExperiment(prompts, experiment, { ...context, results }).catch((error: unknown) => {
    throw error instanceof CancelledError && results.kept
      ? new CancelledError(`The run was cancelled; what it measured is in ${experiment.results}, and the next run goes on from there.`)
      : error;
  });
  return summariseExperiment(report);
}
