import * as z from 'zod';
import { said } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { type RotaryEmbedding, trainedLength } from '../rope';
import { headPlace, parametersOf, type StoredLayer } from '../weights';
import { decoderCheckpoint } from './llama-checkpoint';
import { activationOf, checkHeads, epsilon, flag, gatedShape, layers, readFields, theta, tokens, vocabulary, width } from './fields';
import { ropeSource, rotaryFrom } from './rope-fields';

const schema = z.object({
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  num_key_value_heads: width.nullish(),
  head_dim: width.nullish(),
  hidden_act: z.string().default('silu'),
  rms_norm_eps: epsilon.default(1e-5),
  max_position_embeddings: tokens.default(4096),
  // A length of one would divide by ln 1.
  original_max_position_embeddings: tokens.min(2).default(4096),
  partial_rotary_factor: z.number().gt(0).max(1).default(1),
  rope_theta: theta.default(10_000),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  sliding_window: tokens.nullish(),
  tie_word_embeddings: flag(false),
});
type Fields = z.infer<typeof schema>;

/** The reader of Phi-3 (arXiv 2404.14219) and Phi-4-mini (arXiv 2503.01743). */
export const phi3Reader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(schema.shape),
    neutral: {
      is_causal: [true],
      is_decoder: [true, false],
      // Of Phi-4: all layers attend to everything, nothing is interpolated, and there are no biases.
      full_attn_mod: [1],
      interpolate_factor: [1],
      attention_bias: [false],
      mlp_bias: [false],
      lm_head_bias: [false],
    },
  }),
  classes: {
    phi3: {
      predicting: ['Phi3ForCausalLM'],
      others: ['Phi3Model', 'Phi3ForSequenceClassification', 'Phi3ForTokenClassification'],
    },
  },
  ownCode: ['configuration_phi3', 'modeling_phi3'],
  read: phi3Config,
};

function phi3Config(json: unknown, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  const shape = gatedShape(fields);
  checkHeads(shape, path, true);
  const head = headPlace(predicts, fields.tie_word_embeddings);
  const checkpoint = decoderCheckpoint(shape, { head }, (layer) => phi3Layer(shape, layer));
  const { rotary, notes, lacks } = ropeOf(fields, shape.headWidth, path);
  const { sliding_window: window } = fields;
  return {
    modelType: 'phi3',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: window === null || window === undefined ? { kind: 'causal' } : { kind: 'sliding-window', window },
      trainedTokens: trainedLength(rotary, fields.max_position_embeddings),
    },
    norm: { kind: 'rms', epsilon: fields.rms_norm_eps },
    normPlacement: 'before',
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    rotary: Array.from({ length: shape.layers }, () => rotary),
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
    notes,
    ...(lacks.length > 0 && { lacks }),
  };
}

/** What transformers 5 takes for longrope in a Phi-3: early ones have other names for it. */
const longropes: ReadonlySet<unknown> = new Set(['longrope', 'su', 'yarn']);

/** The rope, and why there is no run where a list of its factors is missing or of another length, as in excerpts of configurations. */
function ropeOf(
  fields: Fields,
  headWidth: number,
  path: string,
): { readonly rotary: RotaryEmbedding; readonly notes: readonly string[]; readonly lacks: readonly string[] } {
  const { json, notes } = ropeSource(fields);
  const context = {
    theta: fields.rope_theta,
    maximumTokens: fields.max_position_embeddings,
    originalTokens: fields.original_max_position_embeddings,
    partial: { factor: fields.partial_rotary_factor, headWidth },
    path,
  };
  const given = (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>;
  if (!longropes.has(given.rope_type ?? given.type)) {
    return { rotary: rotaryFrom(json, context), notes, lacks: [] };
  }
  const { short_factor: short, long_factor: long, ...others } = given;
  const lists = { short_factor: short, long_factor: long };
  const named = (rope_type: string) => ({ ...others, type: undefined, rope_type });
  const plain = rotaryFrom(named('default'), context);
  const pairs = (plain.columns ?? headWidth) / 2;
  const lacks = Object.entries(lists).flatMap(([name, list]) =>
    Array.isArray(list) && list.length === pairs
      ? []
      : [said`its rope needs ${pairs} numbers in ${name}, and config.json has ${Array.isArray(list) ? list.length : 'none'}`],
  );
  return { rotary: lacks.length > 0 ? plain : rotaryFrom({ ...named('longrope'), ...lists }, context), notes, lacks };
}

/** Queries, keys and values are one matrix, and so are the gate and what it multiplies. */
function phi3Layer({ width: d, heads, keyValueHeads, headWidth: m, feedForwardWidth: inner }: ModelShape, layer: string): StoredLayer {
  const part = (name: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${name}.weight`, shape });
  const [queries, keys] = [heads * m, keyValueHeads * m];
  const joined = part('self_attn.qkv_proj', queries + 2 * keys, d);
  const halves = part('mlp.gate_up_proj', 2 * inner, d);
  return {
    project: {
      attentionNormWeight: part('input_layernorm', d),
      queryWeight: { ...joined, rows: [0, queries] },
      keyWeight: { ...joined, rows: [queries, queries + keys] },
      valueWeight: { ...joined, rows: [queries + keys, queries + 2 * keys] },
    },
    outputAndMlp: {
      outputWeight: part('self_attn.o_proj', d, queries),
      mlpNormWeight: part('post_attention_layernorm', d),
      gateWeight: { ...halves, rows: [0, inner] },
      upWeight: { ...halves, rows: [inner, 2 * inner] },
      downWeight: part('mlp.down_proj', d, inner),
    },
  };
}
