import { z } from 'zod';
import { perLayer, type LayerScenario, type Scenario } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import type { ConfigJson, KeyRules } from '../keys';
import { trainedLength } from '../rope';
import { parametersOf, type Checkpoint, type StoredLayer } from '../weights';
import {
  activationOf,
  checkHeads,
  epsilon,
  layers,
  readFields,
  refuse,
  ropeSource,
  rotaryFrom,
  slidingLayers,
  theta,
  tokens,
  vocabulary,
  width,
} from './fields';

/** The fields of `config.json` that Llama, Mistral, Qwen2 and Qwen3 share. */
const schema = z.object({
  model_type: z.string(),
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  num_key_value_heads: width.nullish(),
  head_dim: width.nullish(),
  hidden_act: z.string().default('silu'),
  rms_norm_eps: epsilon.default(1e-6),
  max_position_embeddings: tokens.default(2048),
  rope_theta: theta.default(10_000),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  sliding_window: tokens.nullish(),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().nonnegative().default(28),
  layer_types: z.array(z.string()).nullish(),
});
type Fields = z.infer<typeof schema>;

/** Keys for windows, which only some members read. */
const windowKeys: readonly string[] = ['sliding_window', 'use_sliding_window', 'max_window_layers', 'layer_types'];

/** What distinguishes the members of the family. */
interface Member {
  /** What the names of its classes in transformers begin with. */
  readonly name: string;
  /** Values of fields that are absent, in transformers 5, where the family has others. */
  readonly defaults?: ConfigJson;
  /** Which of `windowKeys` transformers reads; none by default. */
  readonly windows?: readonly string[];
  /** Whether queries, keys and values have biases even if the configuration says otherwise. */
  readonly attentionBiases: boolean;
  /** Whether each head's queries and keys are normalised before rotation. */
  readonly headNorms: boolean;
  /** Default head width, if it is not the width divided by the heads. */
  readonly headWidth?: number;
  readonly attention: (fields: Fields, path: string) => Scenario;
}

/** The window of a Mistral whose configuration omits it; `null` there means no window. */
const mistralWindow = 4096;

const causal = (): Scenario => ({ kind: 'causal' });

/** Of Qwen2 and Qwen3. */
const qwenDefaults: ConfigJson = { num_key_value_heads: 32, max_position_embeddings: 32_768 };

/** By `model_type`. */
const members: Readonly<Record<string, Member>> = {
  llama: { name: 'Llama', attentionBiases: false, headNorms: false, attention: causal },
  mistral: {
    name: 'Mistral',
    windows: ['sliding_window'],
    defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072 },
    attentionBiases: false,
    headNorms: false,
    attention: ({ sliding_window: window }) => windowOrCausal(window === undefined ? mistralWindow : window),
  },
  qwen2: { name: 'Qwen2', windows: windowKeys, defaults: qwenDefaults, attentionBiases: true, headNorms: false, attention: qwenAttention },
  qwen3: {
    name: 'Qwen3',
    windows: windowKeys,
    defaults: qwenDefaults,
    attentionBiases: false,
    headNorms: true,
    headWidth: 128,
    attention: qwenAttention,
  },
};

/** The reader of Llama, Mistral, Qwen2 and Qwen3. */
export const llamaReader: ArchitectureReader = {
  keysOf,
  classes: Object.fromEntries(
    Object.entries(members).map(([type, { name }]) => [
      type,
      {
        // As the first ones that were converted have it.
        predicting: [`${name}ForCausalLM`, ...(type === 'llama' ? ['LLaMAForCausalLM'] : [])],
        others: ['Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'].map((end) => `${name}${end}`),
      },
    ]),
  ),
  read: llamaConfig,
};

function keysOf(modelType: string): KeyRules {
  const unread = windowKeys.filter((key) => members[modelType].windows?.includes(key) !== true);
  return {
    reads: Object.keys(schema.shape).filter((key) => !unread.includes(key)),
    ignores: {
      is_llama_config: 'marks a model that was converted to a Llama',
      max_window_layers: 'counts only beside a window, which is read or refused',
    },
    neutral: { is_causal: [true], is_decoder: [true, false] },
  };
}

function llamaConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const member = members[json.model_type as string];
  const fields = readFields(schema, { ...member.defaults, ...json }, path);
  const heads = fields.num_attention_heads;
  const shape: ModelShape = {
    layers: fields.num_hidden_layers,
    heads,
    keyValueHeads: fields.num_key_value_heads ?? heads,
    headWidth: fields.head_dim ?? member.headWidth ?? fields.hidden_size / heads,
    width: fields.hidden_size,
    feedForwardWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
  };
  checkHeads(shape, path, true);
  const checkpoint = llamaCheckpoint(shape, {
    head: !predicts ? 'none' : fields.tie_word_embeddings ? 'tied' : 'own',
    // In the whole family, biases are on queries, keys and values; `attention_bias` adds one to the output.
    inputBiases: member.attentionBiases || fields.attention_bias,
    outputBias: !member.attentionBiases && fields.attention_bias,
    mlpBiases: fields.mlp_bias,
    headNorms: member.headNorms,
  });
  const rope = ropeSource(fields);
  const rotary = rotaryFrom(rope.json, {
    theta: fields.rope_theta,
    maximumTokens: fields.max_position_embeddings,
    path,
  });
  return {
    modelType: fields.model_type,
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: member.attention(fields, path),
      trainedTokens: trainedLength(rotary, fields.max_position_embeddings),
    },
    norm: { kind: 'rms', epsilon: fields.rms_norm_eps },
    normPlacement: 'before',
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    rotary: Array.from({ length: shape.layers }, () => rotary),
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
    notes: rope.notes,
  };
}

/** A bias-free Llama of a given shape, with the usual constants: data for testing a theorem or a device. */
export function plainLlama(shape: ModelShape): ModelConfig {
  const rotary = { theta: 10_000, scaling: { type: 'none' } } as const;
  return {
    modelType: 'llama',
    shape,
    norm: { kind: 'rms', epsilon: 1e-5 },
    normPlacement: 'before',
    activation: 'silu',
    rotary: Array.from({ length: shape.layers }, () => rotary),
    predicts: 'next',
    checkpoint: llamaCheckpoint(shape, { head: 'tied', inputBiases: false, outputBias: false, mlpBiases: false, headNorms: false }),
  };
}

function windowOrCausal(window: number | null | undefined): LayerScenario {
  return window === null || window === undefined ? { kind: 'causal' } : { kind: 'sliding-window', window };
}

/** The window of a Qwen that uses one and does not say which; `null` there means none. */
const qwenWindow = 4096;

/** Qwen: with `use_sliding_window`, layers from `max_window_layers` on have a window, or those that `layer_types` lists. */
function qwenAttention(
  { use_sliding_window: used, sliding_window: given, max_window_layers: first, layer_types: types, num_hidden_layers: count }: Fields,
  path: string,
): Scenario {
  const window = given === undefined ? qwenWindow : given;
  if (!used && types?.includes('sliding_attention') === true) {
    refuse(path, 'layer_types with sliding_attention beside use_sliding_window false', 'a model that says one of both');
  }
  const sliding = slidingLayers(types, count, path) ?? Array.from({ length: count }, (_, layer) => used && layer >= first);
  return perLayer(sliding.map((slides) => (slides ? windowOrCausal(window) : { kind: 'causal' })));
}

/** Which optional weights a member of the family has. */
interface Parts {
  readonly head: 'tied' | 'own' | 'none';
  readonly inputBiases: boolean;
  readonly outputBias: boolean;
  readonly mlpBiases: boolean;
  readonly headNorms: boolean;
}

function llamaCheckpoint(shape: ModelShape, parts: Parts): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const embedding = { tensor: 'model.embed_tokens.weight', shape: [words, d] };
  return {
    prefixes: [''],
    base: { name: 'model.', others: ['', 'model.language_model.', 'language_model.model.', 'language_model.'] },
    embedding: { words: embedding },
    layers: Array.from({ length: shape.layers }, (_, layer) => llamaLayer(shape, parts, `model.layers.${layer}`)),
    head: {
      finalNormWeight: { tensor: 'model.norm.weight', shape: [d] },
      ...(parts.head === 'tied' && { headWeight: { ...embedding, unless: 'lm_head.weight' } }),
      ...(parts.head === 'own' && { headWeight: { tensor: 'lm_head.weight', shape: [words, d] } }),
    },
  };
}

function llamaLayer({ width: d, heads, keyValueHeads, headWidth, feedForwardWidth }: ModelShape, parts: Parts, layer: string): StoredLayer {
  const weight = (part: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${part}.weight`, shape });
  const bias = (part: string, size: number) => ({ tensor: `${layer}.${part}.bias`, shape: [size] });
  const [queries, keys] = [heads * headWidth, keyValueHeads * headWidth];
  return {
    project: {
      attentionNormWeight: weight('input_layernorm', d),
      queryWeight: weight('self_attn.q_proj', queries, d),
      keyWeight: weight('self_attn.k_proj', keys, d),
      valueWeight: weight('self_attn.v_proj', keys, d),
      ...(parts.inputBiases && {
        queryBias: bias('self_attn.q_proj', queries),
        keyBias: bias('self_attn.k_proj', keys),
        valueBias: bias('self_attn.v_proj', keys),
      }),
      ...(parts.headNorms && {
        queryNormWeight: weight('self_attn.q_norm', headWidth),
        keyNormWeight: weight('self_attn.k_norm', headWidth),
      }),
    },
    outputAndMlp: {
      outputWeight: weight('self_attn.o_proj', d, queries),
      mlpNormWeight: weight('post_attention_layernorm', d),
      gateWeight: weight('mlp.gate_proj', feedForwardWidth, d),
      upWeight: weight('mlp.up_proj', feedForwardWidth, d),
      downWeight: weight('mlp.down_proj', d, feedForwardWidth),
      ...(parts.outputBias && { outputBias: bias('self_attn.o_proj', d) }),
      ...(parts.mlpBiases && {
        gateBias: bias('mlp.gate_proj', feedForwardWidth),
        upBias: bias('mlp.up_proj', feedForwardWidth),
        downBias: bias('mlp.down_proj', d),
      }),
    },
  };
}
