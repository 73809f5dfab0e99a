import type { AdviseOptions } from '../../../core/advise/options';
import type { AdvisedMask } from '../../../core/advise/report';
import { InputError } from '../../../core/errors';
import { defaultExperiment, type Experiment, textOf } from '../../../core/evaluate/experiment';
import type { ExperimentPoint, ExperimentReport } from '../../../core/evaluate/report';
import { pick } from '../../../core/options/option';
import { type Scenario, scenarioLabel } from '../../../core/scenario/scenario';
import type { Prompt } from '../../read/prompt';
import type { DigestStore } from '../../store/digests';
import { Results } from '../evaluate/results';
import { WarmRunner } from '../evaluate/row-runner';
import { runExperiment } from '../evaluate/run-experiment';
import type { SimulationContext } from '../simulate';

/** What surrounds an advice. */
export interface AdviseContext extends SimulationContext {
  readonly digests: DigestStore;
}

/** Measures masks on the windows of a prompt, some at a time, with one model that stays loaded. */
export class MaskMeasurer {
  /** Attention calls of causal attention in the longest window. */
  causalCalls = 0;
  readonly verdicts: ExperimentReport['verdict'][] = [];
  private readonly runner = new WarmRunner();
  private last: ExperimentReport | undefined;

  constructor(
    private readonly prompt: Prompt,
    private readonly options: AdviseOptions,
    private readonly blockSize: number,
    private readonly context: AdviseContext,
  ) {}

  /** The last report, for what all have in common. */
  get report(): ExperimentReport {
    if (this.last === undefined) {
      throw new Error('Nothing was measured.');
    }
    return this.last;
  }

  /** The experiment that measures masks. */
  experimentOf(masks: readonly Scenario[]): Experiment {
    return {
      ...defaultExperiment,
      ...pick(this.options, 'model', 'context', 'maximumWindows', 'provider', 'threads'),
      ...pick(this.prompt.source, 'as', 'line', 'variables'),
      prompts: [this.prompt.path],
      blocks: [this.blockSize],
      scenarios: masks.map(textOf),
    };
  }

  /** Lets go of the model. */
  async release(): Promise<void> {
    await this.runner.release();
  }

  /**
   * Measures masks, and plans causal attention beside.
   *
   * @param masks each with the mean KL divergence that is predicted; null for one that nothing says anything of
   * @returns them in their order
   * @throws InputError, also where nothing can be measured; CancelledError
   */
  async measure(
    masks: readonly Pick<AdvisedMask, 'scenario' | 'predictedKl'>[],
    onProgress: SimulationContext['onProgress'],
  ): Promise<readonly AdvisedMask[]> {
    const experiment = this.experimentOf([{ kind: 'causal' }, ...masks.map(({ scenario }) => scenario)]);
    const { runner, context } = this;
    const report = await runExperiment([this.prompt], experiment, { ...context, runner, results: Results.inMemory(), onProgress });
    this.last = report;
    this.verdicts.push(report.verdict);
    const pointOf = (scenario: Scenario): ExperimentPoint => {
      const found = report.points.find((point) => scenarioLabel(point.scenario) === scenarioLabel(scenario));
      if (found === undefined) {
        throw new Error(`${scenarioLabel(scenario)} was not measured.`);
      }
      return found;
    };
    const causal = pointOf({ kind: 'causal' });
    this.causalCalls = causal.cost.calls.attention;
    return masks.map(({ scenario, predictedKl }) => {
      const { cost, quality, qualityNote, measured, verdict } = pointOf(scenario);
      if (quality === null || measured === null || causal.measured === null) {
        throw new InputError(`Nothing can be measured: ${qualityNote ?? 'the text has no prediction.'}`);
      }
      const { attention: calls } = cost.calls;
      return {
        ...{ scenario, calls, share: calls / this.causalCalls, predictedMs: cost.predictedMs },
        ...{ measuredMs: measured.wallMs / measured.windows, causalMs: causal.measured.wallMs / causal.measured.windows },
        ...{ predictedKl, kl: quality.divergence.mean, verdict },
      };
    });
  }
}
