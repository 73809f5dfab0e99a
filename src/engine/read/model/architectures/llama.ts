import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { text } from '../../../../core/l10n';
import { ofLayers, type LayerScenario, type Scenario } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ClampedGate, ModelConfig, Multipliers } from '../architecture';
import type { ConfigJson, KeyRules } from '../keys';
import { type RotaryEmbedding, trainedLength } from '../rope';
import { headPlace, parametersOf } from '../weights';
import { expertFields, expertKeys, type Experts, gptOss, mixtralExperts, qwenExpertKeys, qwenExperts, withExperts } from './experts';
import { llamaCheckpoint } from './llama-checkpoint';
import {
  activationOf,
  checkHeads,
  epsilon,
  factor,
  flag,
  gatedShape,
  layers,
  readFields,
  refuse,
  slidingLayers,
  theta,
  tokens,
  vocabulary,
  width,
  withDefaults,
} from './fields';
import { ropeSource, rotaryFrom } from './rope-fields';

/** The fields of `config.json` that the members of the family read, each with those of `ownKeys` that it names. */
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
  attention_bias: flag(false),
  mlp_bias: flag(false),
  tie_word_embeddings: flag(false),
  sliding_window: tokens.nullish(),
  use_sliding_window: flag(false),
  max_window_layers: z.number().int().nonnegative().default(28),
  layer_types: z.array(z.string()).nullish(),
  no_rope_layers: z.array(z.union([z.literal([0, 1]), z.boolean()])).nullish(),
  no_rope_layer_interval: z.number().int().positive().default(4),
  embedding_multiplier: factor.default(1),
  attention_multiplier: factor.default(1),
  residual_multiplier: factor.default(1),
  logits_scaling: factor.default(1),
  ...expertFields,
});
type Fields = z.infer<typeof schema>;

const windowKeys = ['sliding_window', 'use_sliding_window', 'max_window_layers', 'layer_types'] as const;
const ropelessKeys = ['no_rope_layers', 'no_rope_layer_interval'] as const;
const multiplierKeys = ['embedding_multiplier', 'attention_multiplier', 'residual_multiplier', 'logits_scaling'] as const;

/** Keys that only some members read. */
const ownKeys = [...windowKeys, ...ropelessKeys, ...multiplierKeys, ...expertKeys];

/** What distinguishes the members of the family. */
interface Member {
  /** What the names of its classes in transformers begin with. */
  readonly name: string;
  /** Values of fields that are absent, in transformers 5, where the family has others. */
  readonly defaults?: ConfigJson;
  /** Which of `ownKeys` transformers reads; none by default. */
  readonly reads?: readonly (typeof ownKeys)[number][];
  /** Whether queries, keys and values have biases even if the configuration says otherwise. */
  readonly attentionBiases: boolean;
  /** Norms of queries and keys before rotation, of each head or of all heads together; none by default. */
  readonly queryKeyNorms?: 'each' | 'joint';
  /** Where the norms of a layer are: before its halves by default. */
  readonly normPlacement?: 'before' | 'output';
  /** Default head width, if it is not the width divided by the heads. */
  readonly headWidth?: number;
  readonly attention: (fields: Fields, path: string) => Scenario;
  /** Which layers rotate queries and keys; all by default. */
  readonly rotates?: (fields: Fields, path: string) => readonly boolean[];
  /** Layers whose rope is not extended, whatever the configuration says of ropes; none by default. */
  readonly plainRopes?: (fields: Fields, path: string) => readonly boolean[];
  /** By default, none. */
  readonly multipliers?: (fields: Fields) => Multipliers;
  /** In place of dense networks; by default, none. */
  readonly experts?: (fields: Fields, path: string) => Experts | undefined;
  /** By default, the activation alone. */
  readonly clampedGate?: (fields: Fields) => ClampedGate;
  /** Whether each head has a learned sink. */
  readonly sinks?: true;
  /** The rotary parameters of a configuration without any; plain ones by default. */
  readonly rope?: ConfigJson;
}

/** The window of a Mistral whose configuration omits it; `null` there means no window. */
const mistralWindow = 4096;

const causal = (): Scenario => ({ kind: 'causal' });

/** Of Qwen2 and Qwen3. */
const qwenDefaults: ConfigJson = { num_key_value_heads: 32, max_position_embeddings: 32_768 };

/** By `model_type`. */
const members: Readonly<Record<string, Member>> = {
  llama: { name: 'Llama', attentionBiases: false, attention: causal },
  mistral: {
    name: 'Mistral',
    reads: ['sliding_window'],
    defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072 },
    attentionBiases: false,
    attention: ({ sliding_window: window }) => windowOrCausal(window === undefined ? mistralWindow : window),
  },
  qwen2: { name: 'Qwen2', reads: windowKeys, defaults: qwenDefaults, attentionBiases: true, attention: qwenAttention },
  qwen3: {
    name: 'Qwen3',
    reads: windowKeys,
    defaults: qwenDefaults,
    attentionBiases: false,
    queryKeyNorms: 'each',
    headWidth: 128,
    attention: qwenAttention,
  },
  smollm3: {
    name: 'SmolLM3',
    reads: [...windowKeys, ...ropelessKeys],
    defaults: { num_key_value_heads: 4, max_position_embeddings: 32_768, rope_theta: 2_000_000, tie_word_embeddings: true },
    attentionBiases: false,
    attention: smollm3Attention,
    rotates: smollm3Rotates,
  },
  granite: { name: 'Granite', reads: multiplierKeys, attentionBiases: false, attention: causal, multipliers: graniteMultipliers },
  olmo2: {
    name: 'Olmo2',
    defaults: { rms_norm_eps: 1e-5 },
    attentionBiases: false,
    queryKeyNorms: 'joint',
    normPlacement: 'output',
    attention: causal,
  },
  olmo3: {
    name: 'Olmo3',
    reads: ['sliding_window', 'layer_types'],
    defaults: { rms_norm_eps: 1e-5 },
    attentionBiases: false,
    queryKeyNorms: 'joint',
    normPlacement: 'output',
    attention: (fields, path) => ofLayers(olmo3Slides(fields, path).map((slides) => windowOrCausal(slides ? olmo3Window(fields) : null))),
    plainRopes: olmo3Slides,
  },
  mixtral: {
    name: 'Mixtral',
    reads: ['sliding_window', 'num_local_experts', 'num_experts_per_tok'],
    defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072, rms_norm_eps: 1e-5, rope_theta: 1_000_000 },
    attentionBiases: false,
    attention: ({ sliding_window: window }) => windowOrCausal(window),
    experts: mixtralExperts,
  },
  qwen3_moe: {
    name: 'Qwen3Moe',
    reads: ['sliding_window', 'use_sliding_window', ...qwenExpertKeys],
    defaults: { num_key_value_heads: 4, max_position_embeddings: 32_768 },
    attentionBiases: false,
    queryKeyNorms: 'each',
    // With windows, all layers have one.
    attention: ({ use_sliding_window: used, sliding_window: window }) =>
      windowOrCausal(!used ? null : window === undefined ? qwenWindow : window),
    experts: qwenExperts,
  },
  gpt_oss: {
    name: 'GptOss',
    headWidth: 64,
    attentionBiases: false,
    sinks: true,
    ...gptOss,
  },
};

/** The reader of Llama and its family. */
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
  const unread = new Set<string>(ownKeys.filter((key) => members[modelType].reads?.includes(key) !== true));
  return {
    reads: Object.keys(schema.shape).filter((key) => !unread.has(key)),
    ignores: {
      is_llama_config: 'marks a model that was converted to a Llama',
      max_window_layers: 'counts only beside a window, which is read or refused',
      ...(modelType === 'gpt_oss' && { initial_context_length: 'the length before its rope was extended, which rope_scaling says' }),
    },
    neutral: { is_causal: [true], is_decoder: [true, false] },
  };
}

function llamaConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const member = members[json.model_type as string];
  const fields = readFields(schema, withDefaults(member.defaults ?? {}, json), path);
  const shape = gatedShape(fields, member.headWidth);
  checkHeads(shape, path, true);
  const experts = member.experts?.(fields, path);
  const checkpoint = llamaCheckpoint(shape, {
    experts,
    sinks: member.sinks,
    head: headPlace(predicts, fields.tie_word_embeddings),
    // In the whole family, biases are on queries, keys and values; `attention_bias` adds one to the output.
    inputBiases: member.attentionBiases || fields.attention_bias,
    outputBias: !member.attentionBiases && fields.attention_bias,
    mlpBiases: fields.mlp_bias,
    queryKeyNorms: member.queryKeyNorms,
    normPlacement: member.normPlacement,
  });
  const rope = ropeSource(fields);
  const rotary = rotaryFrom(rope.json ?? member.rope, {
    theta: fields.rope_theta,
    maximumTokens: fields.max_position_embeddings,
    path,
  });
  const plainRopes = member.plainRopes?.(fields, path);
  const plain: RotaryEmbedding = { ...rotary, scaling: { type: 'none' } };
  const rotates = member.rotates?.(fields, path) ?? Array.from({ length: shape.layers }, () => true);
  return {
    modelType: fields.model_type,
    shape: {
      ...shape,
      ...(experts && withExperts(shape, experts)),
      parameters: parametersOf(checkpoint),
      attention: member.attention(fields, path),
      trainedTokens: trainedLength(rotary, fields.max_position_embeddings),
    },
    norm: { kind: 'rms', epsilon: fields.rms_norm_eps },
    normPlacement: member.normPlacement ?? 'before',
    ...(member.queryKeyNorms === 'joint' && { normsAcrossHeads: true }),
    ...(experts && { experts: experts.choice }),
    ...(member.clampedGate && { clampedGate: member.clampedGate(fields) }),
    ...(member.multipliers && { multipliers: member.multipliers(fields) }),
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    rotary: rotates.map((turns, layer) => (!turns ? undefined : plainRopes?.[layer] === true ? plain : rotary)),
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
    checkpoint: llamaCheckpoint(shape, { head: 'tied', inputBiases: false, outputBias: false, mlpBiases: false }),
  };
}

function windowOrCausal(window: number | null | undefined): LayerScenario {
  return window === null || window === undefined ? { kind: 'causal' } : { kind: 'sliding-window', window };
}

/** The window of a Qwen that uses one and does not say which; `null` there means none. */
const qwenWindow = 4096;

/** Qwen: with `use_sliding_window`, layers from `max_window_layers` on have a window, or those that `layer_types` lists. */
function qwenAttention(fields: Fields, path: string): Scenario {
  const { use_sliding_window: used, sliding_window: window, max_window_layers: first, num_hidden_layers: count } = fields;
  const slides = Array.from({ length: count }, (_, layer) => used && layer >= first);
  return windowsOn(slides, window === undefined ? qwenWindow : window, fields, path);
}

/** Windows on the layers that `layer_types` lists, or else on those that the architecture's rule says. */
function windowsOn(
  rule: readonly boolean[],
  window: number | null | undefined,
  { use_sliding_window: used, layer_types: types, num_hidden_layers: count }: Fields,
  path: string,
): Scenario {
  if (!used && types?.includes('sliding_attention') === true) {
    refuse(path, text('layer_types with sliding_attention beside use_sliding_window false'), text('a model that says one of both'));
  }
  const sliding = slidingLayers(types, count, path) ?? rule;
  return ofLayers(sliding.map((slides) => (slides ? windowOrCausal(window) : { kind: 'causal' })));
}

/** SmolLM3: with `use_sliding_window` and a window, the layers without rope have it, or those that `layer_types` lists. */
function smollm3Attention(fields: Fields, path: string): Scenario {
  const slides = smollm3Rotates(fields, path).map((turns) => fields.use_sliding_window && !turns);
  return windowsOn(slides, fields.sliding_window, fields, path);
}

/** Layers with a rope: those that `no_rope_layers` marks with 1, or else all but every `no_rope_layer_interval`-th. */
function smollm3Rotates(
  { no_rope_layers: marked, no_rope_layer_interval: every, num_hidden_layers: count }: Fields,
  path: string,
): boolean[] {
  if (marked !== undefined && marked !== null && marked.length < count) {
    throw new InputError(`${path}: no_rope_layers has ${marked.length} entries but num_hidden_layers is ${count}; correct one of them.`);
  }
  return Array.from({ length: count }, (_, layer) => Boolean(marked?.[layer] ?? (layer + 1) % every));
}

/** OLMo 3: all but every fourth layer have a window, or those that `layer_types` lists. */
function olmo3Slides({ layer_types: types, num_hidden_layers: count }: Fields, path: string): readonly boolean[] {
  return slidingLayers(types, count, path) ?? Array.from({ length: count }, (_, layer) => (layer + 1) % 4 !== 0);
}

function olmo3Window({ sliding_window: window }: Fields): number | null {
  return window === undefined ? 4096 : window;
}

function graniteMultipliers(fields: Fields): Multipliers {
  return {
    embedding: fields.embedding_multiplier,
    scores: fields.attention_multiplier,
    residual: fields.residual_multiplier,
    logits: 1 / fields.logits_scaling,
  };
}
