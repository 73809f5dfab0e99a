import type { AdviseOptions } from '../../core/advise/options';
import type { AdviceReport } from '../../core/advise/report';
import type { AtlasReport } from '../../core/atlas/report';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { t } from '../../core/l10n';
import type { ExperimentOutlook } from '../../core/lab/outlook';
import type { SimulationOptions } from '../../core/options/table';
import type { ComparisonReport, PlanDocument, RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { Prompt } from '../../engine/read/prompt';
import type { OutlookRequest } from '../../engine/tasks/evaluate/outlook';
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
      await this.history.add({ kind: 'run', origin: null, report });
      return report;
    }, signal);
  }

  /** @throws InputError, CancelledError, or an Error if the run failed */
  atlas({ path, text }: Prompt, options: SimulationOptions, { signal, onProgress }: Step): Promise<AtlasReport> {
    return this.task.queue(async (begin) => {
      const report = await this.engine.call('atlas', { path, text, options }, listened(begin(t('where attention goes')), onProgress));
      await this.history.add({ kind: 'atlas', origin: null, report });
      return report;
    }, signal);
  }

  /** @throws InputError, CancelledError, or an Error if a run failed */
  advise({ path, text }: Prompt, options: AdviseOptions, { signal, onProgress }: Step): Promise<AdviceReport> {
    return this.task.queue(async (begin) => {
      const report = await this.engine.call('advise', { path, text, options }, listened(begin(t('advice')), onProgress));
      await this.history.add({ kind: 'advice', origin: null, report });
      return report;
    }, signal);
  }

  /**
   * What an experiment file would cost. It cannot be cancelled: it may wait for a run, which ending it would end too.
   *
   * @throws InputError as an evaluation does
   */
  outlook(request: OutlookRequest): Promise<ExperimentOutlook> {
    return this.engine.call('outlook', request);
  }

  /** @throws InputError, CancelledError, or an Error if a run failed */
  experiment(request: OutlookRequest, { signal, onProgress }: Step): Promise<ExperimentSummary> {
    return this.task.queue(async (begin) => {
      const report = await this.engine.call('evaluate', request, listened(begin(t('quality'), 'evaluate'), onProgress));
      await this.history.add({ kind: 'evaluation', origin: null, file: request.file, report });
      return report;
    }, signal);
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
    return this.task.queue(async (begin) => {
      const step = listened(begin(t('comparison')), onProgress);
      const report = await this.engine.compare({ path, text, options, ...wanted }, step, async (each) => {
        await this.history.add({ kind: 'run', origin: null, report: each });
      });
      await this.history.add({ kind: 'comparison', origin: null, report });
      return report;
    }, signal);
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
