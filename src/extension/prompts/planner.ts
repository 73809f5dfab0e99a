import { CancelledError, InputError } from '../../core/errors';
import { inEnglish } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import { makePlan, type Plan } from '../../core/plan/plan';
import type { Calibration } from '../../core/predict/calibration';
import { settleRequest } from '../../core/predict/fastest';
import { devicePrediction, type DevicePrediction } from '../../core/predict/prediction';
import { type PlanDocument, withTokenizerNote } from '../../core/report/report';
import { type Outline, outlineOf, type Section, sectionsOf } from '../../core/text/headings';
import type { Prompt } from '../../engine/read/prompt';
import type { TokenMap, TokenMapper } from '../../engine/read/tokenizer/token-map';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Calibrations } from './calibrations';
import type { ModelReader, PlanningModel } from './models';

/** N: as many of a prompt's tokens as the options let through. */
function tokensRead(tokens: number, { maxTokens }: Pick<SimulationOptions, 'maxTokens'>): number {
  return maxTokens > 0 ? Math.min(maxTokens, tokens) : tokens;
}

/** A text as it was planned. */
export interface PlannedText {
  readonly text: string;
  /** Its sections by its Markdown headings, found at the first question. */
  readonly sections: () => readonly Section[];
  readonly plan: Plan;
  /** What the calibrated device is expected to take. */
  readonly prediction: DevicePrediction | null;
  readonly calibration: Calibration | undefined;
  readonly tokenMap: TokenMap;
}

/** What planning goes by, the text apart. */
interface PlanSources {
  readonly choices: ChoiceStore;
  readonly models: ModelReader;
  readonly calibrations: Calibrations;
}

/** Plans one document again and again; it remembers tokens and outline of the version before. */
export class Planner {
  private outline: Outline | undefined;
  private known: { readonly model: PlanningModel; readonly mapper: TokenMapper } | undefined;

  constructor(private readonly sources: PlanSources) {}

  /**
   * Tokenizes and plans.
   *
   * @returns undefined once `isStale` says that the answer is no longer wanted
   * @throws InputError where the choice, the model or the text cannot be planned
   */
  async plan(text: string, isStale: () => boolean): Promise<PlannedText | undefined> {
    const { choices, models, calibrations } = this.sources;
    const choice = choices.read();
    if (choice.error !== null) {
      throw new InputError(choice.error);
    }
    const options = { ...engineSettings(), ...choice };
    const model = await models.read(options.model);
    if (this.known?.model !== model) {
      this.known = { model, mapper: model.createMapper() };
    }
    if (text.length === 0) {
      throw new InputError('This prompt is empty.');
    }
    const tokenMap = await this.known.mapper.map(text, isStale);
    if (tokenMap === undefined || isStale()) {
      return undefined;
    }
    const tokens = tokensRead(tokenMap.tokens, options);
    const { request, calibration } = settleRequest(tokens, model.folder.config.shape, options, await calibrations.candidates(options));
    const plan = withTokenizerNote(makePlan(request), model.tokenizer);
    return { text, sections: this.sectionsLater(text), plan, prediction: devicePrediction(plan, calibration), calibration, tokenMap };
  }

  private sectionsLater(text: string): () => readonly Section[] {
    let sections: readonly Section[] | undefined;
    return () => {
      if (sections === undefined) {
        this.outline = outlineOf(text, this.outline);
        sections = sectionsOf(this.outline);
      }
      return sections;
    };
  }
}

/** A prompt whose tokens were counted: any number of scenarios can be planned for it. */
interface CountedPrompt {
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
  async count(prompt: Prompt, options: SimulationOptions, signal: AbortSignal): Promise<CountedPrompt> {
    const model = await this.models.read(options.model);
    const map = signal.aborted ? undefined : await model.createMapper().map(prompt.text, () => signal.aborted);
    if (map === undefined) {
      throw new CancelledError();
    }
    return { prompt, model, tokens: tokensRead(map.tokens, options) };
  }

  /** @throws InputError where the prompt cannot have the scenario */
  async plan({ prompt, model, tokens }: CountedPrompt, options: SimulationOptions): Promise<PlanDocument> {
    const { request, calibration } = settleRequest(tokens, model.folder.config.shape, options, await this.calibrations.candidates(options));
    // What other extensions and language models get is as the command line prints it.
    const plan = inEnglish(() => withTokenizerNote(makePlan(request), model.tokenizer));
    // Loaded at first use, as models are.
    const { planDocument } = await import('../../engine/tasks/plan');
    return planDocument({ prompt, model: model.folder, tokenizer: { source: model.tokenizer }, plan, calibration });
  }
}
