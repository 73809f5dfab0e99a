import { InputError } from '../../core/errors';
import { promptEvaluation } from '../../core/evaluate/experiment';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { formatNumberOf } from '../../core/format';
import { t } from '../../core/l10n';
import type { Scenario } from '../../core/scenario/scenario';
import type { ChoiceStore } from '../choice';
import type { Fleet } from '../fleet/fleet';
import type { PromptPlan } from '../prompts/prompt-plans';
import type { Latest } from '../runs/latest';
import { engineSettings } from '../settings';
import type { Engine } from './engine';
import type { RunSource } from './run-source';
import type { SingleTask, Step } from './single-task';

/** Evaluates scenarios on a prompt, or runs an experiment file. */
export class Evaluations {
  constructor(
    private readonly engine: Engine,
    private readonly fleet: Fleet,
    private readonly task: SingleTask,
    private readonly choices: ChoiceStore,
    private readonly latest: Latest<ExperimentSummary>,
  ) {}

  /**
   * Evaluates a planned prompt under the chosen scenario and under others.
   *
   * @param others those that fit it and have a quality
   * @param retrieval whether to hide a needle too, and ask for it
   */
  evaluate({ path, text, source }: RunSource, planned: PromptPlan, others: readonly Scenario[], retrieval: boolean): Promise<void> {
    return this.run((begin) => {
      const choice = this.choices.read();
      if (choice.error !== null || planned.error !== null) {
        throw new InputError(choice.error ?? planned.error ?? '');
      }
      const { plan } = planned;
      const experiment = promptEvaluation(
        path,
        choice.scenario,
        others,
        { ...engineSettings(), blockSize: choice.blockSize },
        retrieval ? { tokens: plan.tokens } : null,
      );
      return this.engine.call('evaluate', { experiment, texts: [{ path, text }], source }, begin());
    });
  }

  /** Runs an experiment file. @param file its path on disk */
  runFile(file: string): Promise<void> {
    return this.run((begin) => this.engine.call('evaluate', { file }, begin()));
  }

  /** Runs an experiment file on the broker's workers, which the user consented to. @param file its path on disk */
  runFileOnFleet(file: string): Promise<void> {
    return this.run((begin) => this.fleet.evaluateFile(file, begin()));
  }

  /** @param call begins the step once it knows what to ask for; may throw an InputError before, which is shown like that of a run */
  private async run(call: (begin: () => Step) => Promise<ExperimentSummary>): Promise<void> {
    const report = await this.task.run(async (begin) => call(() => begin(t('quality'), 'evaluate')));
    if (report !== undefined) {
      this.latest.set(report);
      this.task.announce(() => evaluationText(report));
    }
  }
}

function evaluationText({ points, prompts, resumed, changedLines = 0 }: ExperimentSummary): string {
  const measured = points.filter(({ quality }) => quality !== null).length;
  const figures = [formatNumberOf(measured, 'point'), points.length, formatNumberOf(prompts.length, 'prompt')];
  const evaluated =
    resumed > 0
      ? t('Evaluated {0} of {1} on {2}, {3} from earlier runs.', ...figures, formatNumberOf(resumed, 'result'))
      : t('Evaluated {0} of {1} on {2}.', ...figures);
  return changedLines === 0
    ? evaluated
    : `${evaluated} ${t('{0} of the results file changed since it was written: not used, and measured again.', formatNumberOf(changedLines, 'line'))}`;
}
