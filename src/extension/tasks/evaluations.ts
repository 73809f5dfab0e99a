import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { promptEvaluation } from '../../core/evaluate/experiment';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { pointTitle } from '../../core/evaluate/rows';
import { formatFigure, formatNumberOf } from '../../core/format';
import { t } from '../../core/l10n';
import type { EvaluationRecord } from '../../core/record/record';
import type { Scenario } from '../../core/scenario/scenario';
import type { ChoiceStore } from '../choice';
import type { Fleet } from '../fleet/fleet';
import type { PromptPlan } from '../prompts/prompt-plans';
import type { RunHistory } from '../runs/run-history';
import { engineSettings } from '../settings';
import type { EvaluateRequest } from '../../engine/tasks/evaluate/run-experiment';
import type { Engine } from './engine';
import { originOf, type RunSource } from './run-source';
import { agreesToWait, type SingleTask, type Step } from './single-task';

/** Evaluates scenarios on a prompt, or runs an experiment file, and keeps what that gives. */
export class Evaluations {
  constructor(
    private readonly engine: Engine,
    private readonly fleet: Fleet,
    private readonly task: SingleTask,
    private readonly choices: ChoiceStore,
    private readonly history: RunHistory,
  ) {}

  /**
   * Evaluates a planned prompt under the chosen scenario and under others.
   *
   * @param others those that fit it and have a quality
   * @param retrieval whether to hide a needle too, and ask for it
   */
  evaluate(from: RunSource, planned: PromptPlan, others: readonly Scenario[], retrieval: boolean): Promise<void> {
    return this.run(
      () => {
        const choice = this.choices.read();
        if (choice.error !== null || planned.error !== null) {
          throw new InputError(choice.error ?? planned.error ?? '');
        }
        const { plan } = planned;
        const { path, text, source } = from;
        const options = { ...engineSettings(), scenario: choice.scenario, blockSize: choice.blockSize };
        const experiment = promptEvaluation(path, choice.scenario, others, options, retrieval ? { tokens: plan.tokens } : null);
        return this.agreed({ experiment, texts: [{ path, text }], source, options });
      },
      async (step, { options, ...request }) => {
        const report = await this.engine.call('evaluate', request, step);
        return { kind: 'evaluation', origin: originOf(from, options), file: null, report };
      },
    );
  }

  /** Runs an experiment file. @param file its path on disk */
  runFile(file: string): Promise<void> {
    return this.run(
      () => this.agreed({ file }),
      async (step, request) => ofFile(file, await this.engine.call('evaluate', request, step)),
    );
  }

  /** Runs an experiment file on the broker's workers, which the user consented to. @param file its path on disk */
  runFileOnFleet(file: string): Promise<void> {
    return this.run(
      () => file,
      async (step) => ofFile(file, await this.fleet.evaluateFile(file, step)),
    );
  }

  /** What is asked for, unless the user does not want to wait so long for it. */
  private async agreed<Request extends EvaluateRequest>(request: Request): Promise<Request | undefined> {
    return (await agreesToWait(await this.engine.call('expectedMs', request))) ? request : undefined;
  }

  /** @param prepare as of `SingleTask.run` */
  private async run<P>(
    prepare: () => P | undefined | Promise<P | undefined>,
    call: (step: Step, prepared: P) => Promise<Omit<EvaluationRecord, 'id'>>,
  ): Promise<void> {
    const record = await this.task.run(prepare, async (begin, prepared) =>
      this.history.add(await call(begin(t('quality'), 'evaluate'), prepared)),
    );
    if (record !== undefined) {
      const { file, report } = record;
      this.task.announce(() => evaluationText(report), file === null ? 'lab' : vscode.Uri.file(file));
    }
  }
}

/** What an experiment file gave. */
function ofFile(file: string, report: ExperimentSummary): Omit<EvaluationRecord, 'id'> {
  return { kind: 'evaluation', origin: null, file, report };
}

function evaluationText({ points, prompts, experiment, resumed, changedLines = 0 }: ExperimentSummary): string {
  const measured = points.filter(({ quality }) => quality !== null).length;
  const figures = [formatNumberOf(measured, 'point'), points.length, formatNumberOf(prompts.length, 'prompt')];
  const evaluated =
    resumed > 0
      ? t('Evaluated {0} of {1} on {2}, {3} from earlier runs.', ...figures, formatNumberOf(resumed, 'result'))
      : t('Evaluated {0} of {1} on {2}.', ...figures);
  // From itself, the model's own attention does not differ; what failed is no result.
  const [best, ...others] = points
    .flatMap(({ quality, ownBaseline, verdict, ...point }) => {
      const kl = quality?.divergence.mean.value;
      return kl === undefined || !Number.isFinite(kl) || ownBaseline || verdict.kind === 'failed' ? [] : [{ ...point, kl }];
    })
    .sort((one, other) => one.kl - other.kl);
  return [
    evaluated,
    ...((best as typeof best | undefined) === undefined
      ? []
      : [
          t(
            others.length === 0 ? 'Mean KL under {0}: {1} nats.' : 'Least mean KL: {0}, {1} nats.',
            pointTitle(best, experiment),
            formatFigure(best.kl),
          ),
        ]),
    ...(changedLines === 0
      ? []
      : [t('{0} of the results file changed since it was written: not used, and measured again.', formatNumberOf(changedLines, 'line'))]),
  ].join(' ');
}
