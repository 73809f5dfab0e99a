import type { Calibration } from '../../core/predict/calibration';
import { InputError } from '../../core/errors';
import { outlineOf, type Outline } from '../../core/markdown/outline';
import { sectionsOf, type Section } from '../../core/markdown/sections';
import type { Plan } from '../../core/plan/plan';
import { devicePrediction, type DevicePrediction } from '../../core/report/prediction';
import type { TokenMap, TokenMapper } from '../../engine/read/tokenizer/token-map';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Calibrations } from './calibrations';
import type { ModelReader, PlanningModel } from './model-reader';
import { planTokens } from './plan-tokens';

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
export interface PlanSources {
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
    const { plan: makePlan, calibration } = await planTokens(tokenMap.tokens, model, options, calibrations);
    const plan = makePlan();
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
