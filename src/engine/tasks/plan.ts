import type { Calibration } from '../../core/predict/calibration';
import { fastestBlock, fastestDevice } from '../../core/predict/fastest';
import { automaticBlock, defaultOptions, type SimulationOptions } from '../../core/options/options';
import { makePlan, summarise, type Plan } from '../../core/plan/plan';
import { planRequest } from '../../core/plan/request';
import { predictionReport } from '../../core/predict/prediction';
import {
  type ModelDescription,
  type PlanDocument,
  reportSchemaVersion,
  type TokenizerDescription,
  withTokenizerNote,
} from '../../core/report/report';
import { parameterCount, type ModelShape } from '../../core/shapes';
import type { CalibrationStore } from '../store/calibrations';
import { openModel, type ModelFolder } from '../read/model/load';
import type { Prompt } from '../read/prompt';
import { checkVocabulary, PromptTokenizer } from '../read/tokenizer/tokenizer';

/** A prompt, planned: everything that is known before a run. */
export interface PlannedPrompt {
  readonly prompt: Prompt;
  readonly model: ModelFolder;
  readonly tokenizer: PromptTokenizer;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  readonly plan: Plan;
  /** What is known of the device that the plan is for. */
  readonly calibration: Calibration | undefined;
  /** Milliseconds that tokenization took. */
  readonly tokenizeMs: number;
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
export async function planPrompt(
  prompt: Prompt,
  options: SimulationOptions,
  { modelsFolder, calibrations }: Places,
): Promise<PlannedPrompt> {
  const model = await openModel(options.model, modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const start = performance.now();
  const all = tokenizer.encode(prompt.text);
  const tokens = options.maxTokens > 0 ? all.slice(0, options.maxTokens) : all;
  const tokenizeMs = performance.now() - start;
  checkVocabulary(tokens, model, tokenizer.source);
  const request = planRequest(
    tokens.length,
    model.config.shape,
    options.blockSize === automaticBlock ? { ...options, blockSize: defaultOptions.blockSize } : options,
  );
  const calibration = fastestDevice(request, await calibrations.candidates(options.provider, options.threads));
  const measured = { ...request, scoreBytes: calibration?.scoreBytes };
  const plan = makePlan(options.blockSize === automaticBlock && calibration !== undefined ? fastestBlock(measured, calibration) : measured);
  return { prompt, model, tokenizer, tokens, tokenizeMs, calibration, plan: withTokenizerNote(plan, tokenizer.source) };
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
