import type { AtlasReport } from '../../core/atlas/report';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { t } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import type { ComparisonReport, PlanDocument, RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { Prompt } from '../../engine/read/prompt';
import type { Planner } from '../prompts/planner';
import type { RunHistory } from '../runs/run-history';
import type { Engine } from '../tasks/engine';
import type { SingleTask, Step } from '../tasks/single-task';

/** Plans and runs for other extensions and tools: any text, validated options, queued behind the current task. */
export class Lab {
  constructor(
    private readonly engine: Engine,
    private readonly task: SingleTask,
    private readonly history: RunHistory,
    private readonly planner: Planner,
  ) {}

  /** @throws InputError, CancelledError */
  async plan(prompt: Prompt, options: SimulationOptions, signal: AbortSignal): Promise<PlanDocument> {
    const wanted = { scenarios: [options.scenario], named: true };
    const [document] = await this.planner.planText(prompt, options, wanted, signal);
    return document;
  }

  /** @throws InputError, CancelledError, or an Error if the run failed */
  simulate({ path, text }: Prompt, options: SimulationOptions, { signal, onProgress }: Step): Promise<RunReport> {
    return this.task.queue(async (begin) => {
      const step = listened(begin(scenarioLabel(options.scenario)), onProgress);
      const report = await this.engine.call('simulate', { path, text, options }, step);
      await this.history.add(report, null);
      return report;
    }, signal);
  }

  /** @throws InputError, CancelledError, or an Error if the run failed */
  atlas({ path, text }: Prompt, options: SimulationOptions, { signal, onProgress }: Step): Promise<AtlasReport> {
    return this.task.queue((begin) => this.engine.call('atlas', { path, text, options }, listened(begin(t('atlas')), onProgress)), signal);
  }

  /** @throws InputError if a named scenario, or every scenario, is refused; and like `simulate` */
  async compare(
    prompt: Prompt,
    options: SimulationOptions,
    wanted: WantedScenarios,
    { signal, onProgress }: Step,
  ): Promise<ComparisonReport> {
    // What is refused is refused before it waits for other tasks.
    await this.planner.planText(prompt, options, wanted, signal);
    const { path, text } = prompt;
    return this.task.queue(
      (begin) =>
        this.engine.compare({ path, text, options, ...wanted }, listened(begin(t('comparison')), onProgress), (report) =>
          this.history.add(report, null),
        ),
      signal,
    );
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
