import type { SimulationOptions } from '../../core/options/table';
import { makePlan, type Plan, summarise } from '../../core/plan/plan';
import type { Calibration } from '../../core/predict/calibration';
import { settleRequest } from '../../core/predict/fastest';
import { predictionReport } from '../../core/predict/prediction';
import {
  type ModelDescription,
  type PlanDocument,
  reportSchemaVersion,
  type TokenizerDescription,
  withTokenizerNote,
} from '../../core/report/report';
import { type ModelShape, parameterCount } from '../../core/shapes';
import { type ModelFolder, openModel } from '../read/model/load';
import type { Prompt } from '../read/prompt';
import { checkVocabulary, PromptTokenizer } from '../read/tokenizer/tokenizer';
import type { CalibrationStore } from '../store/calibrations';
import { interruptible } from '../interruptible';

/** A prompt as a model's tokenizer reads it. */
export interface TokenizedPrompt {
  readonly prompt: Prompt;
  readonly model: ModelFolder;
  readonly tokenizer: PromptTokenizer;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  /** Milliseconds that tokenization took. */
  readonly tokenizeMs: number;
}

/** A prompt, planned: everything that is known before a run. */
export interface PlannedPrompt extends TokenizedPrompt {
  readonly plan: Plan;
  /** What is known of the device that the plan is for. */
  readonly calibration: Calibration | undefined;
}

/** Where planning finds what it needs. */
export interface Places {
  /** The folder that holds the embedded models. */
  readonly modelsFolder: string;
  readonly calibrations: CalibrationStore;
}

/**
 * Tokenizes and plans a prompt, for the device that the options name or calibration prefers.
 *
 * @throws InputError for any input that cannot be planned
 */
export async function planPrompt(prompt: Prompt, options: SimulationOptions, places: Places): Promise<PlannedPrompt> {
  const tokenized = await tokenizePrompt(prompt, options, places);
  const { model, tokenizer, tokens } = tokenized;
  const candidates = await places.calibrations.candidates(options.provider, options.threads);
  return interruptible(() => {
    const { request, calibration } = settleRequest(tokens.length, model.config.shape, options, candidates);
    return { ...tokenized, calibration, plan: withTokenizerNote(makePlan(request), tokenizer.source) };
  });
}

/** Tokenizes a prompt for the model that the options name. @throws InputError for a model or a prompt that cannot be read */
export async function tokenizePrompt(
  prompt: Prompt,
  options: Pick<SimulationOptions, 'model' | 'maxTokens'>,
  { modelsFolder }: Pick<Places, 'modelsFolder'>,
): Promise<TokenizedPrompt> {
  const model = await openModel(options.model, modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const start = performance.now();
  const tokens = interruptible(() => tokenizer.encode(prompt.text, options.maxTokens > 0 ? options.maxTokens : undefined));
  const tokenizeMs = performance.now() - start;
  checkVocabulary(tokens, model, tokenizer.source);
  return { prompt, model, tokenizer, tokens, tokenizeMs };
}

/** The document that describes a planned prompt. */
export function planDocument({
  prompt,
  model,
  tokenizer,
  plan,
  calibration,
}: Omit<PlannedPrompt, 'tokens' | 'tokenizeMs' | 'tokenizer'> & { readonly tokenizer: Pick<PromptTokenizer, 'source'> }): PlanDocument {
  const { tokens, model: shape, scenario, oracle, construction, ...figures } = summarise(plan);
  return {
    schemaVersion: reportSchemaVersion,
    prompt: { path: prompt.path, bytes: prompt.bytes, sha256: prompt.sha256, tokens },
    model: describeModel(model.name, shape, tokenizer.source),
    scenario,
    oracle,
    construction,
    plan: figures,
    prediction: predictionReport(plan, calibration),
  };
}

/** What a report says about a model. */
export function describeModel(name: string, shape: ModelShape, tokenizer: TokenizerDescription): ModelDescription {
  return { name, shape, parameters: parameterCount(shape), tokenizer };
}
