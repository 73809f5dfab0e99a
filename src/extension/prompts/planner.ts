import { setImmediate } from 'node:timers/promises';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { InputError } from '../../core/errors';
import type { SimulationOptions } from '../../core/options/table';
import type { PlanDocument } from '../../core/report/report';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import type { PromptSource } from '../../core/source/options';
import type { PlannerClient } from '../../engine/process/planner-client';
import type { Section } from '../../core/text/headings';
import type { PromptCosts } from '../../engine/process/open-prompt';
import type { ExperimentFaults } from '../../engine/tasks/evaluate/experiment-faults';
import type { ListedModel } from '../../engine/read/model/found/list';
import type { Prompt } from '../../engine/read/prompt';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Calibrations } from './calibrations';
import type { ModelAccess } from './models';
import type { PlannedText, SentPrompt } from './sent-prompt';

/** Longest time that a plan may take before its thread is ended, in milliseconds: a tokenizer's pattern may never end. */
const longestMs = 60_000;

/** Plans prompts and other texts in the planning thread, with the user's choice and settings. */
export class Planner {
  constructor(
    private readonly client: PlannerClient,
    private readonly access: ModelAccess,
    private readonly choices: ChoiceStore,
    private readonly calibrations: Calibrations,
  ) {}

  /**
   * Plans an open prompt as it is now.
   *
   * @param signal says that the result is no longer needed
   * @throws InputError if the choice, the model or the text cannot be planned, or takes too long; CancelledError
   */
  async plan(prompt: SentPrompt, signal: AbortSignal): Promise<PlannedText> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      throw new InputError(choice.error);
    }
    const options = { ...engineSettings(), ...choice };
    await this.access.check(options.model);
    const candidates = await this.calibrations.candidates(options);
    return limited(signal, async (limit) => {
      for (;;) {
        const taken = prompt.take();
        if ('text' in taken.change) {
          // Joining the lines of a long text, and copying it for the thread, hold up the editor long enough one at a time.
          await setImmediate();
        }
        const result = await this.client.call('plan', { ...taken, options, candidates }, { signal: limit });
        if (result !== 'unknown') {
          return prompt.placed(result);
        }
        prompt.forget();
      }
    });
  }

  /** What an open prompt costs beside other scenarios; null where it is not planned. @throws CancelledError */
  costs(prompt: SentPrompt, parameters: ScenarioParameters, signal: AbortSignal): Promise<PromptCosts | null> {
    return limited(signal, (limit) => this.client.call('costs', { document: prompt.id, parameters }, { signal: limit }));
  }

  /** Scenarios beside that of an open prompt's plan that have a quality; none where it is not planned. */
  evaluated(prompt: SentPrompt, parameters: ScenarioParameters): Promise<readonly Scenario[]> {
    const { signal } = new AbortController();
    return limited(signal, (limit) => this.client.call('evaluated', { document: prompt.id, parameters }, { signal: limit }));
  }

  /** The sections of an open prompt that take most of its attention, the largest first; none where it is not planned. */
  sections(prompt: SentPrompt, most: number): Promise<readonly Section[]> {
    const { signal } = new AbortController();
    return limited(signal, (limit) => this.client.call('sections', { document: prompt.id, most }, { signal: limit }));
  }

  /** What is wrong with an experiment file beyond its schema. @throws InputError in an untrusted workspace */
  async experiment(path: string, text: string): Promise<ExperimentFaults> {
    this.access.checkExperimentFile();
    return this.client.call('experiment', { path, text, stores: await this.access.stores() });
  }

  /** The models on this machine that the editor may look at. */
  async models(): Promise<readonly ListedModel[]> {
    return this.client.call('models', { stores: await this.access.stores() });
  }

  /** Lets the thread forget a prompt that was closed. */
  close(prompt: SentPrompt): void {
    // Where the thread ends, so does what it knows.
    this.client.call('close', { document: prompt.id }).catch(() => undefined);
  }

  /**
   * Plans a text under every wanted scenario that it can have.
   *
   * @throws InputError for a model that may not be loaded or cannot be read, or where a scenario may not be left out;
   * CancelledError
   */
  async planText(
    { path, text, source }: PlainText,
    options: SimulationOptions,
    wanted: WantedScenarios,
    signal: AbortSignal,
  ): Promise<readonly PlanDocument[]> {
    await this.access.check(options.model);
    const candidates = await this.calibrations.candidates(options);
    const request = { path, text, source, options, candidates, ...wanted };
    return limited(signal, (limit) => this.client.call('planText', request, { signal: limit }));
  }

  /**
   * Milliseconds that runs of a text are expected to take together, without checks and quality; null where the device is not
   * calibrated.
   *
   * @throws as `planText`
   */
  async expectedMs(text: PlainText, options: SimulationOptions, wanted: WantedScenarios): Promise<number | null> {
    if ((await this.calibrations.candidates(options)).length === 0) {
      return null;
    }
    const documents = await this.planText(text, options, wanted, new AbortController().signal);
    return documents.reduce<number | null>(
      (sum, { prediction }) => (sum === null || prediction === null ? null : sum + prediction.wallMs),
      0,
    );
  }
}

/** A text to plan, and how a prompt is read from it: as its name says where that is left out. */
interface PlainText extends Pick<Prompt, 'path' | 'text'> {
  readonly source?: PromptSource;
}

/** Limits the time of a call. @throws InputError where it is over */
async function limited<T>(signal: AbortSignal, call: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(longestMs);
  try {
    return await call(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (limit.aborted && !signal.aborted) {
      throw new InputError(
        `Planning took more than ${longestMs / 1000} s and was ended; cut the prompt with twoHeads.maxTokens, or choose another model or mask.`,
      );
    }
    throw error;
  }
}
