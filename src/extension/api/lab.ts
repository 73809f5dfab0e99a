import { InputError } from '../../core/errors';
import { t } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import { type ComparisonReport, type PlanDocument, reportSchemaVersion, type RunReport } from '../../core/report/report';
import { type Scenario, type ScenarioChoice, scenarioLabel } from '../../core/scenario/scenario';
import { nativeScenario } from '../../core/shapes';
import type { Prompt } from '../../engine/read/prompt';
import type { TextPlanner } from '../prompts/planner';
import type { RunHistory } from '../runs/run-history';
import type { Engine } from '../tasks/engine';
import type { SingleTask, Step } from '../tasks/single-task';

/** Scenarios to compare. */
export interface WantedScenarios {
  readonly scenarios: readonly ScenarioChoice[];
  /** Whether the caller named the scenarios: then none may be left out. */
  readonly named: boolean;
}

/** The plans of the scenarios that fit the prompt, and the refused scenarios with the reason. */
interface ComparisonPlan extends Pick<ComparisonReport, 'refused'> {
  readonly plans: readonly PlanDocument[];
}

/** Plans and runs for other extensions and tools: any text, validated options, queued behind the current task. */
export class Lab {
  constructor(
    private readonly engine: Engine,
    private readonly task: SingleTask,
    private readonly history: RunHistory,
    private readonly planner: TextPlanner,
  ) {}

  /** @throws InputError, CancelledError */
  async plan(prompt: Prompt, options: SimulationOptions, signal: AbortSignal): Promise<PlanDocument> {
    return this.planner.plan(await this.planner.count(prompt, options, signal), options);
  }

  /** Plans a comparison. @throws InputError if a named scenario, or every scenario, is refused; CancelledError */
  async planComparison(
    prompt: Prompt,
    options: SimulationOptions,
    { scenarios, named }: WantedScenarios,
    signal: AbortSignal,
  ): Promise<ComparisonPlan> {
    const counted = await this.planner.count(prompt, options, signal);
    const plans: PlanDocument[] = [];
    const refused: { scenario: Scenario; reason: string }[] = [];
    for (const choice of scenarios) {
      const scenario = choice.kind === 'native' ? nativeScenario(counted.model.folder.config.shape) : choice;
      try {
        plans.push(await this.planner.plan(counted, { ...options, scenario }));
      } catch (error) {
        if (!(error instanceof InputError)) {
          throw error;
        }
        refused.push({ scenario, reason: error.message });
      }
    }
    if (refused.length > 0 && (named || plans.length === 0)) {
      throw new InputError(refused[0].reason);
    }
    return { plans, refused };
  }

  /** @throws InputError, CancelledError, or an Error if the run failed */
  simulate(prompt: Prompt, options: SimulationOptions, { signal, onProgress }: Step): Promise<RunReport> {
    return this.task.queue((begin) => this.run(prompt, options, listened(begin(scenarioLabel(options.scenario)), onProgress)), signal);
  }

  /** @throws like `planComparison` and `simulate` */
  async compare(
    prompt: Prompt,
    options: SimulationOptions,
    wanted: WantedScenarios,
    { signal, onProgress }: Step,
  ): Promise<ComparisonReport> {
    const { plans, refused } = await this.planComparison(prompt, options, wanted, signal);
    const runs = await this.task.queue(async (begin) => {
      const reports: RunReport[] = [];
      for (const [index, { scenario }] of plans.entries()) {
        const step = begin(t('{0} ({1} of {2})', scenarioLabel(scenario), index + 1, plans.length));
        const share = (fraction: number): number => (index + fraction) / plans.length;
        reports.push(
          await this.run(
            prompt,
            { ...options, scenario },
            listened(step, (progress) => onProgress({ ...progress, fraction: share(progress.fraction) })),
          ),
        );
      }
      return reports;
    }, signal);
    const [{ prompt: digest, model }] = runs;
    return { schemaVersion: reportSchemaVersion, prompt: digest, model, runs, refused };
  }

  private async run({ path, text }: Prompt, options: SimulationOptions, step: Step): Promise<RunReport> {
    const report = await this.engine.call('simulate', { path, text, options }, step);
    await this.history.add(report, null);
    return report;
  }
}

/** A step that also reports its progress to another listener. */
function listened(step: Step, listener: Step['onProgress']): Step {
  return {
    signal: step.signal,
    onProgress: (progress) => {
      step.onProgress(progress);
      listener(progress);
    },
  };
}
