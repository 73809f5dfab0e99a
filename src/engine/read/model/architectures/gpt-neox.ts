import * as z from 'zod';
import { text } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { trainedLength } from '../rope';
import { type Checkpoint, type HeadPlace, headPlace, outputHead, parametersOf, type StoredLayer } from '../weights';
import {
  activationOf,
  checkHeads,
  epsilon,
  flag,
  layers,
  plainShape,
  readFields,
  refuse,
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
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: epsilon.default(1e-5),
  max_position_embeddings: tokens.default(2048),
  rotary_pct: z.number().gt(0).max(1).default(0.25),
  rotary_emb_base: theta.default(10_000),
  // Later releases of transformers 4 wrote both of these twice.
  partial_rotary_factor: z.number().nullish(),
  rope_theta: z.number().nullish(),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  attention_bias: flag(true),
  use_parallel_residual: flag(true),
  tie_word_embeddings: flag(false),
});

/** The reader of GPT-NeoX (Black et al., arXiv 2204.06745) and Pythia. */
export const gptNeoxReader: ArchitectureReader = {
  keysOf: () => ({ reads: Object.keys(schema.shape), neutral: { is_causal: [true], is_decoder: [true, false] } }),
  classes: {
    gpt_neox: {
      predicting: ['GPTNeoXForCausalLM'],
      others: ['Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'].map((end) => `GPTNeoX${end}`),
    },
  },
  read: gptNeoxConfig,
};

function gptNeoxConfig(json: unknown, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  for (const [name, other] of [
    ['partial_rotary_factor', 'rotary_pct'],
    ['rope_theta', 'rotary_emb_base'],
  ] as const) {
    const stated = fields[name];
    if (stated !== null && stated !== undefined && stated !== fields[other]) {
      refuse(path, `${name} ${stated} beside ${other} ${fields[other]}`, text('a config.json that says one of both'));
    }
  }
  const shape = plainShape(fields);
  checkHeads(shape, path, true);
  const rope = ropeSource(fields);
  const rotary = rotaryFrom(rope.json, {
    theta: fields.rotary_emb_base,
    maximumTokens: fields.max_position_embeddings,
    partial: { factor: fields.rotary_pct, headWidth: shape.headWidth },
    path,
  });
  const checkpoint = gptNeoxCheckpoint(shape, {
    head: headPlace(predicts, fields.tie_word_embeddings),
    attentionBiases: fields.attention_bias,
  });
  return {
    modelType: 'gpt_neox',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: { kind: 'causal' },
      trainedTokens: trainedLength(rotary, fields.max_position_embeddings),
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_eps },
    normPlacement: 'before',
    ...(fields.use_parallel_residual && { parallelHalves: true }),
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    rotary: Array.from({ length: shape.layers }, () => rotary),
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
    notes: rope.notes,
  };
}

/** Which optional weights a GPT-NeoX has. */
interface Parts {
  readonly head: HeadPlace;
  readonly attentionBiases: boolean;
}

function gptNeoxCheckpoint(shape: ModelShape, parts: Parts): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const embedding = { tensor: 'embed_in.weight', shape: [words, d] };
  return {
    prefixes: ['gpt_neox.', ''],
    embedding: { words: embedding },
    layers: Array.from({ length: shape.layers }, (_, layer) => neoxLayer(shape, `layers.${layer}`, 'attention', parts.attentionBiases)),
    head: {
      finalNormWeight: { tensor: 'final_layer_norm.weight', shape: [d] },
      finalNormBias: { tensor: 'final_layer_norm.bias', shape: [d] },
      ...outputHead(parts.head, embedding, 'embed_out.weight'),
    },
  };
}

/**
 * A layer of GPT-NeoX or BLOOM. Queries, keys and values are one matrix: those of the first head, then those of the second, and so
 * on.
 *
 * @param layer what its names begin with
 * @param attention its name for attention
 */
export function neoxLayer(
  { width: d, heads, feedForwardWidth: inner }: Pick<ModelShape, 'width' | 'heads' | 'feedForwardWidth'>,
  layer: string,
  attention: 'attention' | 'self_attention',
  attentionBiases: boolean,
): StoredLayer {
  const m = d / heads;
  const vector = (part: string, size = d) => ({ tensor: `${layer}.${part}`, shape: [size] });
  const matrix = (part: string, outputs: number, inputs: number) => ({ tensor: `${layer}.${part}.weight`, shape: [outputs, inputs] });
  const third = (index: number) => ({ rows: [index * m, (index + 1) * m] as const, every: 3 * m });
  const joined = matrix(`${attention}.query_key_value`, 3 * d, d);
  const joinedBias = vector(`${attention}.query_key_value.bias`, 3 * d);
  return {
    project: {
      attentionNormWeight: vector('input_layernorm.weight'),
      attentionNormBias: vector('input_layernorm.bias'),
      queryWeight: { ...joined, ...third(0) },
      keyWeight: { ...joined, ...third(1) },
      valueWeight: { ...joined, ...third(2) },
      ...(attentionBiases && {
        queryBias: { ...joinedBias, ...third(0) },
        keyBias: { ...joinedBias, ...third(1) },
        valueBias: { ...joinedBias, ...third(2) },
      }),
    },
    outputAndMlp: {
      outputWeight: matrix(`${attention}.dense`, d, d),
      ...(attentionBiases && { outputBias: vector(`${attention}.dense.bias`) }),
      mlpNormWeight: vector('post_attention_layernorm.weight'),
      mlpNormBias: vector('post_attention_layernorm.bias'),
      upWeight: matrix('mlp.dense_h_to_4h', inner, d),
      upBias: vector('mlp.dense_h_to_4h.bias', inner),
      downWeight: matrix('mlp.dense_4h_to_h', d, inner),
      downBias: vector('mlp.dense_4h_to_h.bias'),
    },
  };
}
