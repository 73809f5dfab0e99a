import type { SimulationOptions } from '../core/options';
import { makePlan, summarise, type Plan } from '../core/plan/plan';
import { planRequest } from '../core/plan/request';
import { reportSchemaVersion, type PlanDocument } from '../core/report/report';
import { parameterCount } from '../core/shapes';
import { openModel, type ModelFolder } from './model/load';
import type { Prompt } from './prompt';
import { PromptTokenizer } from './tokenizer/tokenizer';
import { checkVocabulary } from './tokenizer/vocabulary';

/** A prompt, planned: everything that is known before a run. */
export interface PlannedPrompt {
  readonly prompt: Prompt;
  readonly model: ModelFolder;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  readonly plan: Plan;
  /** Milliseconds that tokenization took. */
  readonly tokenizeMs: number;
}

/**
 * Tokenizes and plans a prompt.
 *
 * @param modelsFolder the folder that holds the embedded models
 * @throws InputError for any input that cannot be planned
 */
export async function planPrompt(prompt: Prompt, options: SimulationOptions, modelsFolder: string): Promise<PlannedPrompt> {
  const model = await openModel(options.model, modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const start = performance.now();
  const all = tokenizer.encode(prompt.text);
  const tokens = options.maxTokens > 0 ? all.slice(0, options.maxTokens) : all;
  const tokenizeMs = performance.now() - start;
  checkVocabulary(tokens, model);
  return { prompt, model, tokens, tokenizeMs, plan: makePlan(planRequest(tokens.length, model.config.shape, options)) };
}

/** The document that describes a planned prompt. */
export function planDocument({ prompt, model, plan }: PlannedPrompt): PlanDocument {
  const { tokens, model: shape, scenario, oracle, construction, ...figures } = summarise(plan);
  return {
    schemaVersion: reportSchemaVersion,
    prompt: { path: prompt.path, bytes: prompt.bytes, sha256: prompt.sha256, tokens },
    model: { name: model.name, shape, parameters: parameterCount(shape, model.config.tiedHead) },
    scenario,
    oracle,
    construction,
    plan: figures,
  };
}
