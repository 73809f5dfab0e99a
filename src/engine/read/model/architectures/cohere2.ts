import * as z from 'zod';
import { type LayerScenario, ofLayers } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { trainedLength } from '../rope';
import { headPlace, parametersOf, type StoredLayer } from '../weights';
import { decoderCheckpoint } from './llama-checkpoint';
import {
  activationOf,
  checkHeads,
  epsilon,
  factor,
  flag,
  gatedShape,
  layers,
  localLayers,
  readFields,
  theta,
  tokens,
  vocabulary,
  width,
} from './fields';
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
  layer_norm_eps: epsilon.default(1e-5),
  logit_scale: factor.default(0.0625),
  max_position_embeddings: tokens.default(8192),
  rope_theta: theta.default(10_000),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  attention_bias: flag(false),
  sliding_window: tokens.default(4096),
  sliding_window_pattern: z.number().int().positive().optional(),
  _sliding_window_pattern: z.number().int().positive().optional(),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: flag(true),
});

/** All but every fourth layer have a window, where nothing says which. */
const usualPattern = 4;

/** The reader of Command R7B: the halves of a layer side by side after one norm, and a rope on the layers with a window only. */
export const cohere2Reader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(schema.shape),
    ignores: { use_parallel_embedding: 'an implementation' },
    // What transformers does not read, at the values that it has.
    neutral: {
      is_causal: [true],
      is_decoder: [true, false],
      layer_switch: [usualPattern],
      order_of_interleaved_layers: ['local_attn_first'],
      position_embedding_type: ['rope_gptj'],
      rotary_pct: [1],
      use_embedding_sharing: [true],
      use_gated_activation: [true],
      use_parallel_block: [true],
      use_qk_norm: [false],
    },
  }),
  classes: {
    cohere2: { predicting: ['Cohere2ForCausalLM'], others: ['Cohere2Model', 'Cohere2ForSequenceClassification'] },
  },
  read: cohere2Config,
};

function cohere2Config(json: unknown, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  const shape = gatedShape(fields);
  checkHeads(shape, path, true);
  const isLocal = localLayers(fields, usualPattern, path);
  const local: LayerScenario = { kind: 'sliding-window', window: fields.sliding_window };
  const rope = ropeSource(fields);
  const rotary = rotaryFrom(rope.json, { theta: fields.rope_theta, maximumTokens: fields.max_position_embeddings, path });
  const head = headPlace(predicts, fields.tie_word_embeddings);
  const checkpoint = decoderCheckpoint(shape, { head }, (layer) => cohere2Layer(shape, fields.attention_bias, layer));
  return {
    modelType: 'cohere2',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: ofLayers(isLocal.map((slides) => (slides ? local : { kind: 'causal' }))),
      trainedTokens: trainedLength(rotary, fields.max_position_embeddings),
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_eps },
    normPlacement: 'before',
    parallelHalves: true,
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    multipliers: { embedding: 1, scores: shape.headWidth ** -0.5, residual: 1, logits: fields.logit_scale },
    rotary: isLocal.map((slides) => (slides ? rotary : undefined)),
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
    notes: rope.notes,
  };
}

/** Both halves have the same norm. Neighbouring columns of queries and keys rotate as pairs, where there is a rope. */
function cohere2Layer(
  { width: d, heads, keyValueHeads, headWidth: m, feedForwardWidth: inner }: ModelShape,
  biases: boolean,
  layer: string,
): StoredLayer {
  const weight = (part: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${part}.weight`, shape });
  const bias = (part: string, size: number) => ({ tensor: `${layer}.${part}.bias`, shape: [size] });
  const [queries, keys] = [heads * m, keyValueHeads * m];
  const norm = weight('input_layernorm', d);
  return {
    project: {
      attentionNormWeight: norm,
      queryWeight: { ...weight('self_attn.q_proj', queries, d), neighbours: m },
      keyWeight: { ...weight('self_attn.k_proj', keys, d), neighbours: m },
      valueWeight: weight('self_attn.v_proj', keys, d),
      ...(biases && {
        queryBias: { ...bias('self_attn.q_proj', queries), neighbours: m },
        keyBias: { ...bias('self_attn.k_proj', keys), neighbours: m },
        valueBias: bias('self_attn.v_proj', keys),
      }),
    },
    outputAndMlp: {
      outputWeight: weight('self_attn.o_proj', d, queries),
      ...(biases && { outputBias: bias('self_attn.o_proj', d) }),
      mlpNormWeight: norm,
      gateWeight: weight('mlp.gate_proj', inner, d),
      upWeight: weight('mlp.up_proj', inner, d),
      downWeight: weight('mlp.down_proj', d, inner),
    },
  };
}
