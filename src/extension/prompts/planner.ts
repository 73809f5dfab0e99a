import { sortScenarios, type WantedScenarios } from '../../core/compare/sort-scenarios';
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
import type { TokenIndex } from '../../engine/read/tokenizer/token-index';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Calibrations } from './calibrations';
import type { ModelReader, PlanningModel } from './models';

/** N: the prompt's tokens, up to the limit in the options. */
function tokensRead(tokens: number, { maxTokens }: Pick<SimulationOptions, 'maxTokens'>): number {
  return maxTokens > 0 ? Math.min(maxTokens, tokens) : tokens;
}

/** A planned text. */
export interface PlannedText {
  readonly text: string;
  /** Its sections by Markdown headings, computed at first use. */
  readonly sections: () => readonly Section[];
  readonly plan: Plan;
  /** Expected time and memory on the calibrated device. */
  readonly prediction: DevicePrediction | null;
  readonly calibration: Calibration | undefined;
  readonly tokenIndex: TokenIndex;
}

/** What planning depends on besides the text. */
interface PlanSources {
  readonly choices: ChoiceStore;
  readonly models: ModelReader;
  readonly calibrations: Calibrations;
}

/** Longest time that indexing blocks its thread, in milliseconds, but for words of many thousand characters. */
const sliceMs = 8;

/**
 * Indexes an edited text and gives way to other work every few milliseconds.
 *
 * @returns the index so far, not whole, once `isStale` says that the result is no longer needed
 */
async function indexInSlices(
  before: TokenIndex,
  text: string,
  isStale: () => boolean,
): Promise<{ readonly index: TokenIndex; readonly isWhole: boolean }> {
  const steps = before.steps(text);
  let resumed = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return { index: step.value, isWhole: true };
    }
    if (performance.now() - resumed > sliceMs) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isStale()) {
        return { index: step.value(), isWhole: false };
      }
      resumed = performance.now();
    }
  }
}

/** Plans one document repeatedly; it keeps the token index and the outline of the previous version. */
export class Planner {
  private outline: Outline | undefined;
  private known: { readonly model: PlanningModel; index: TokenIndex } | undefined;

  constructor(private readonly sources: PlanSources) {}

  /**
   * Tokenizes and plans.
   *
   * @returns undefined once `isStale` says that the result is no longer needed
   * @throws InputError if the choice, the model or the text cannot be planned
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
      this.known = { model, index: model.emptyIndex };
    }
    if (text.length === 0) {
      throw new InputError('This prompt is empty.');
    }
    const { known } = this;
    const indexed = await indexInSlices(known.index, text, isStale);
    known.index = indexed.index;
    if (!indexed.isWhole || isStale()) {
      return undefined;
    }
    const tokenIndex = indexed.index;
    const tokens = tokensRead(tokenIndex.tokens, options);
    const { request, calibration } = settleRequest(tokens, model.folder.config.shape, options, await calibrations.candidates(options));
    const plan = withTokenizerNote(makePlan(request), model.tokenizer);
    return { text, sections: this.sectionsLater(text), plan, prediction: devicePrediction(plan, calibration), calibration, tokenIndex };
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

/** A prompt with its number of tokens, ready to be planned under any number of scenarios. */
interface CountedPrompt {
  readonly prompt: Prompt;
  readonly model: PlanningModel;
  /** N, up to the limit in the options. */
  readonly tokens: number;
}

/** Plans texts without an editor. It needs no engine process, so it does not wait for runs. */
export class TextPlanner {
  constructor(
    private readonly models: ModelReader,
    private readonly calibrations: Calibrations,
  ) {}

  /** @throws InputError if there is no such model, CancelledError */
  async count(prompt: Prompt, options: SimulationOptions, signal: AbortSignal): Promise<CountedPrompt> {
    const model = await this.models.read(options.model);
    const { index, isWhole } = await indexInSlices(model.emptyIndex, prompt.text, () => signal.aborted);
    if (!isWhole || signal.aborted) {
      throw new CancelledError();
    }
    return { prompt, model, tokens: tokensRead(index.tokens, options) };
  }

  /** @throws InputError if the scenario does not fit the prompt */
  async plan(counted: CountedPrompt, options: SimulationOptions): Promise<PlanDocument> {
    const wanted = { scenarios: [options.scenario], named: true };
    const [document] = await this.planComparison(counted, options, wanted);
    return document;
  }

  /** Plans every scenario that the prompt can have. @throws InputError if a named scenario, or every scenario, is refused */
  async planComparison(
    { prompt, model, tokens }: CountedPrompt,
    options: SimulationOptions,
    wanted: WantedScenarios,
  ): Promise<readonly PlanDocument[]> {
    const candidates = await this.calibrations.candidates(options);
    // Loaded at first use, like models.
    const { planDocument } = await import('../../engine/tasks/plan');
    // Other extensions and language models get English text, as on the command line.
    return inEnglish(() =>
      sortScenarios(wanted, tokens, model.folder.config.shape, options, candidates).possible.map(({ plan, calibration }) =>
        planDocument({
          prompt,
          model: model.folder,
          tokenizer: { source: model.tokenizer },
          plan: withTokenizerNote(plan, model.tokenizer),
          calibration,
        }),
      ),
    );
  }
}
