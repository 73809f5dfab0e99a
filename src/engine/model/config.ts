import { z } from 'zod';
import { InputError } from '../../core/errors';
import type { ModelShape } from '../../core/shapes';

const count = z.number().int().positive();

/** The parts of a Hugging Face `config.json` that a Llama layer needs. */
const configSchema = z.object({
  model_type: z.string(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.optional(),
  head_dim: count.optional(),
  hidden_act: z.string().default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10_000),
  rope_scaling: z.unknown().optional(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
});

/** What a model's configuration says. */
export interface ModelConfig {
  readonly shape: ModelShape;
  readonly normEpsilon: number;
  /** Base of the rotary position embedding. */
  readonly ropeTheta: number;
  /** Whether the output head is the embedding matrix. */
  readonly tiedHead: boolean;
}

/**
 * Reads a `config.json`.
 *
 * @param text the file's text
 * @param path named in errors
 * @throws InputError where it is not JSON, lacks a field, or asks for a part that is not supported
 */
export function parseConfig(text: string, path: string): ModelConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; restore the model's config.json.`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}; restore the model's config.json.`);
  }
  const config = parsed.data;
  refuseUnsupported(config, path);
  const heads = config.num_attention_heads;
  const shape: ModelShape = {
    layers: config.num_hidden_layers,
    heads,
    keyValueHeads: config.num_key_value_heads ?? heads,
    headWidth: config.head_dim ?? config.hidden_size / heads,
    width: config.hidden_size,
    feedForwardWidth: config.intermediate_size,
    vocabulary: config.vocab_size,
  };
  if (!Number.isInteger(shape.headWidth) || shape.headWidth % 2 !== 0) {
    throw new InputError(`${path}: a head width of ${shape.headWidth} is not an even whole number; correct head_dim.`);
  }
  if (heads % shape.keyValueHeads !== 0) {
    throw new InputError(`${path}: ${shape.keyValueHeads} key-value heads do not divide ${heads} heads; correct num_key_value_heads.`);
  }
  return { shape, normEpsilon: config.rms_norm_eps, ropeTheta: config.rope_theta, tiedHead: config.tie_word_embeddings };
}

function refuseUnsupported(config: z.infer<typeof configSchema>, path: string): void {
  const refusals: readonly [boolean, string, string][] = [
    [config.model_type !== 'llama', `model_type "${config.model_type}"`, 'a Llama model'],
    [config.hidden_act !== 'silu', `hidden_act "${config.hidden_act}"`, 'a model with silu'],
    [config.rope_scaling !== undefined && config.rope_scaling !== null, 'rope_scaling', 'a model without it'],
    [config.attention_bias, 'attention_bias', 'a model without it'],
    [config.mlp_bias, 'mlp_bias', 'a model without it'],
  ];
  for (const [refused, what, instead] of refusals) {
    if (refused) {
      throw new InputError(`${path}: ${what} is not supported; use ${instead}.`);
    }
  }
}
