import { CancelledError } from '../../core/errors';
import { inEnglish } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/options';
import type { PlanDocument } from '../../core/report/report';
import type { Prompt } from '../../engine/prompt';
import type { Calibrations } from '../prompts/calibrations';
import type { ModelReader, PlanningModel } from '../prompts/model-reader';
import { planTokens } from '../prompts/plan-tokens';

/** A prompt whose tokens were counted: any number of scenarios can be planned for it. */
export interface CountedPrompt {
  readonly prompt: Prompt;
  readonly model: PlanningModel;
  /** N, as many as the options let through. */
  readonly tokens: number;
}

/** Plans texts that are in no editor. It needs no engine process, so that it waits for no run. */
export class TextPlanner {
  constructor(
    private readonly models: ModelReader,
    private readonly calibrations: Calibrations,
  ) {}

  /** @throws InputError where there is no such model, CancelledError */
  async count(prompt: Prompt, { model: name, maxTokens }: SimulationOptions, signal: AbortSignal): Promise<CountedPrompt> {
    const model = await this.models.read(name);
    const map = signal.aborted ? undefined : await model.createMapper().map(prompt.text, () => signal.aborted);
    if (map === undefined) {
      throw new CancelledError();
    }
    return { prompt, model, tokens: maxTokens > 0 ? Math.min(maxTokens, map.tokens) : map.tokens };
  }

  /** @throws InputError where the prompt cannot have the scenario */
  async plan({ prompt, model, tokens }: CountedPrompt, options: SimulationOptions): Promise<PlanDocument> {
    const { plan: makePlan, calibration } = await planTokens(tokens, model, options, this.calibrations);
    // What other extensions and language models get is as the command line prints it.
    const plan = inEnglish(makePlan);
    // Loaded at first use, as models are.
    const { planDocument } = await import('../../engine/tasks/plan');
    return planDocument({ prompt, model: model.folder, tokenizer: { source: model.tokenizer }, plan, calibration });
  }
}
