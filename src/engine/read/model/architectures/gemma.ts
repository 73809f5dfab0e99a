import * as z from 'zod';
import { type LayerScenario, ofLayers } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import type { ConfigJson } from '../keys';
import { type RotaryEmbedding, trainedLength } from '../rope';
import { headPlace, parametersOf } from '../weights';
import { llamaCheckpoint } from './llama-checkpoint';
import { activationOf, checkHeads, epsilon, flag, layers, localLayers, readFields, theta, tokens, vocabulary, width } from './fields';
import { ropeSource, rotaryFrom } from './rope-fields';

/** Beyond float32's digits a cap would bend nothing, and below them everything to one number. */
const cap = z.number().min(1e-3).max(1e6);

/** The defaults of transformers 5, where Gemma 2 and 3 share them. */
const schema = z.object({
  model_type: z.string(),
  vocab_size: vocabulary,
  hidden_size: width.default(2304),
  intermediate_size: width.default(9216),
  num_hidden_layers: layers.default(26),
  num_attention_heads: width.default(8),
  num_key_value_heads: width.default(4),
  head_dim: width.default(256),
  hidden_activation: z.string().default('gelu_pytorch_tanh'),
  rms_norm_eps: epsilon.default(1e-6),
  max_position_embeddings: tokens,
  rope_theta: theta.optional(),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  rope_local_base_freq: theta.default(10_000),
  attention_bias: flag(false),
  query_pre_attn_scalar: z.number().min(1e-6).max(1e6).default(256),
  attn_logit_softcapping: cap.nullish(),
  final_logit_softcapping: cap.nullish(),
  sliding_window: tokens.default(4096),
  sliding_window_pattern: z.number().int().positive().optional(),
  _sliding_window_pattern: z.number().int().positive().optional(),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: flag(true),
});
type Fields = z.infer<typeof schema>;

/** What distinguishes Gemma 2 and 3. */
interface Member {
  /** Values of fields that are absent, where transformers 5 has others than the family. */
  readonly defaults: ConfigJson;
  /** Keys of the schema that it does not have. */
  readonly unread: readonly (keyof Fields)[];
  /** All but every p-th layer have a window, where nothing says which. */
  readonly pattern: number;
  /** Norms of each head's queries and keys before rotation. */
  readonly queryKeyNorms: boolean;
  readonly predicting: readonly string[];
  readonly others: readonly string[];
  readonly ropes: (fields: Fields, path: string) => Ropes;
}

/** The ropes of layers without a window and with one. */
interface Ropes extends Record<'global' | 'local', RotaryEmbedding> {
  readonly trainedTokens: number;
  readonly notes: readonly string[];
}

/** By `model_type`. */
const members: Readonly<Record<string, Member>> = {
  gemma2: {
    defaults: { vocab_size: 256_000, max_position_embeddings: 8192, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
    unread: ['rope_local_base_freq'],
    pattern: 2,
    queryKeyNorms: false,
    predicting: ['Gemma2ForCausalLM'],
    others: ['Gemma2Model', 'Gemma2ForSequenceClassification', 'Gemma2ForTokenClassification'],
    ropes: oneRope,
  },
  gemma3_text: {
    defaults: { vocab_size: 262_208, max_position_embeddings: 131_072 },
    unread: ['attn_logit_softcapping'],
    pattern: 6,
    queryKeyNorms: true,
    predicting: ['Gemma3ForCausalLM'],
    others: ['Gemma3TextModel', 'Gemma3TextForSequenceClassification', 'Gemma3ForSequenceClassification'],
    ropes: twoRopes,
  },
};

/** The reader of Gemma 2 (arXiv 2408.00118) and of the text part of Gemma 3 (arXiv 2503.19786). */
export const gemmaReader: ArchitectureReader = {
  keysOf: (modelType) => ({
    reads: Object.keys(schema.shape).filter((key) => !members[modelType].unread.includes(key as keyof Fields)),
    ignores: { hidden_act: 'another name of hidden_activation, which is read' },
    neutral: { is_causal: [true], is_decoder: [true, false] },
  }),
  classes: Object.fromEntries(Object.entries(members).map(([type, { predicting, others }]) => [type, { predicting, others }])),
  read: gemmaConfig,
};

function gemmaConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const member = members[json.model_type as string];
  const fields = readFields(schema, { ...member.defaults, ...json }, path);
  const isLocal = localLayers(fields, member.pattern, path);
  const ropes = member.ropes(fields, path);
  const local: LayerScenario = { kind: 'sliding-window', window: fields.sliding_window };
  const shape: ModelShape = {
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_key_value_heads,
    headWidth: fields.head_dim,
    width: fields.hidden_size,
    feedForwardWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
    ...given('scoreCap', fields.attn_logit_softcapping),
  };
  checkHeads(shape, path, true);
  const checkpoint = llamaCheckpoint(shape, {
    head: headPlace(predicts, fields.tie_word_embeddings),
    inputBiases: fields.attention_bias,
    outputBias: fields.attention_bias,
    mlpBiases: false,
    queryKeyNorms: member.queryKeyNorms ? 'each' : undefined,
    normPlacement: 'around',
    // Norms are by 1 + w.
    normOffset: 1,
  });
  return {
    modelType: fields.model_type,
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: ofLayers(isLocal.map((slides) => (slides ? local : { kind: 'causal' }))),
      trainedTokens: ropes.trainedTokens,
    },
    norm: { kind: 'rms', epsilon: fields.rms_norm_eps },
    normPlacement: 'around',
    activation: activationOf(fields.hidden_activation, 'hidden_activation', path),
    multipliers: {
      // In float32, as the run is; transformers rounds it to the type of the weights, bfloat16 for example.
      embedding: Math.sqrt(fields.hidden_size),
      scores: fields.query_pre_attn_scalar ** -0.5,
      residual: 1,
      logits: 1,
    },
    ...given('logitCap', fields.final_logit_softcapping),
    rotary: isLocal.map((slides) => (slides ? ropes.local : ropes.global)),
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
    notes: ropes.notes,
  };
}

/** A field that is absent where the configuration has none, or null. */
function given<Name extends string>(name: Name, value: number | null | undefined): Partial<Record<Name, number>> {
  return value === null || value === undefined ? {} : ({ [name]: value } as Record<Name, number>);
}

function oneRope(fields: Fields, path: string): Ropes {
  const source = ropeSource(fields);
  const maximumTokens = fields.max_position_embeddings;
  const rope = rotaryFrom(source.json, { theta: fields.rope_theta ?? 10_000, maximumTokens, path });
  return { global: rope, local: rope, trainedTokens: trainedLength(rope, maximumTokens), notes: source.notes };
}

const ropesSchema = z.strictObject({
  full_attention: z.record(z.string(), z.unknown()).nullish(),
  sliding_attention: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Gemma 3: `rope_scaling` is of global layers, and counts before `rope_parameters`, which has a rope for each kind of layer.
 * `max_position_embeddings` is the length after it.
 */
function twoRopes(fields: Fields, path: string): Ropes {
  const maximumTokens = fields.max_position_embeddings;
  const parameters = readFields(ropesSchema, fields.rope_parameters ?? {}, `${path}: rope_parameters`);
  const scaling = readFields(z.record(z.string(), z.unknown()), fields.rope_scaling ?? {}, `${path}: rope_scaling`);
  return {
    global: rotaryFrom({ ...parameters.full_attention, ...scaling }, { theta: fields.rope_theta ?? 1_000_000, maximumTokens, path }),
    local: rotaryFrom(parameters.sliding_attention, { theta: fields.rope_local_base_freq, maximumTokens, path }),
    trainedTokens: maximumTokens,
    notes: [],
  };
}
