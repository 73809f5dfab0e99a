import * as z from 'zod';
import { text } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { type Checkpoint, type HeadPlace, headPlace, outputHead, parametersOf, type StoredLayer } from '../weights';
import { activationOf, checkHeads, epsilon, flag, layers, readFields, refuse, tokens, vocabulary, width } from './fields';

const schema = z.object({
  vocab_size: vocabulary,
  n_positions: tokens,
  n_embd: width,
  n_layer: layers,
  n_head: width,
  n_inner: width.nullish(),
  activation_function: z.string().default('gelu_new'),
  layer_norm_epsilon: epsilon.default(1e-5),
  scale_attn_weights: flag(true),
  scale_attn_by_inverse_layer_idx: flag(false),
  add_cross_attention: flag(false),
  tie_word_embeddings: flag(true),
});

/** The reader of GPT-2. */
export const gpt2Reader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(schema.shape),
    ignores: { n_ctx: 'an early name of n_positions' },
    neutral: { is_causal: [true], is_decoder: [true, false], attention_head_type: ['multihead'] },
  }),
  classes: {
    gpt2: {
      predicting: ['GPT2LMHeadModel', 'GPT2DoubleHeadsModel'],
      others: ['GPT2Model', 'GPT2ForSequenceClassification', 'GPT2ForTokenClassification', 'GPT2ForQuestionAnswering'],
    },
  },
  read: gpt2Config,
};

function gpt2Config(json: unknown, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  for (const [refused, what] of [
    [!fields.scale_attn_weights, 'scale_attn_weights false'],
    [fields.scale_attn_by_inverse_layer_idx, 'scale_attn_by_inverse_layer_idx'],
    [fields.add_cross_attention, 'add_cross_attention'],
  ] as const) {
    if (refused) {
      refuse(path, what, text('a GPT-2 without it'));
    }
  }
  const shape: ModelShape = {
    layers: fields.n_layer,
    heads: fields.n_head,
    keyValueHeads: fields.n_head,
    headWidth: fields.n_embd / fields.n_head,
    width: fields.n_embd,
    feedForwardWidth: fields.n_inner ?? 4 * fields.n_embd,
    vocabulary: fields.vocab_size,
    feedForward: 'plain',
  };
  checkHeads(shape, path, false);
  const head = headPlace(predicts, fields.tie_word_embeddings);
  const checkpoint = gpt2Checkpoint(shape, fields.n_positions, head, (layer) => gpt2Layer(shape, layer));
  return {
    modelType: 'gpt2',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: { kind: 'causal' },
      trainedTokens: fields.n_positions,
      maximumTokens: fields.n_positions,
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_epsilon },
    normPlacement: 'before',
    activation: activationOf(fields.activation_function, 'activation_function', path),
    rotary: undefined,
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
  };
}

/**
 * A checkpoint with GPT-2's names for all but its layers.
 *
 * @param positions that are learned
 * @param layerOf the weights of a layer, by the beginning of their names
 */
export function gpt2Checkpoint(shape: ModelShape, positions: number, head: HeadPlace, layerOf: (layer: string) => StoredLayer): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const embedding = { tensor: 'wte.weight', shape: [words, d] };
  return {
    // In the language model's checkpoint, names begin with the base model's name.
    prefixes: ['transformer.', ''],
    embedding: { words: embedding, positions: { tensor: 'wpe.weight', shape: [positions, d] } },
    layers: Array.from({ length: shape.layers }, (_, layer) => layerOf(`h.${layer}`)),
    head: {
      finalNormWeight: { tensor: 'ln_f.weight', shape: [d] },
      finalNormBias: { tensor: 'ln_f.bias', shape: [d] },
      ...outputHead(head, embedding),
    },
  };
}

/** GPT-2 stores its matrices as `[in, out]`, and queries, keys and values as one matrix. */
function gpt2Layer({ width: d, feedForwardWidth: inner }: ModelShape, layer: string): StoredLayer {
  const vector = (part: string, size = d) => ({ tensor: `${layer}.${part}`, shape: [size] });
  const matrix = (part: string, inputs: number, outputs: number) => ({
    tensor: `${layer}.${part}.weight`,
    shape: [inputs, outputs],
    transposed: true,
  });
  const third = (index: number) => ({ rows: [index * d, (index + 1) * d] as const });
  const joined = matrix('attn.c_attn', d, 3 * d);
  const joinedBias = vector('attn.c_attn.bias', 3 * d);
  return {
    project: {
      attentionNormWeight: vector('ln_1.weight'),
      attentionNormBias: vector('ln_1.bias'),
      queryWeight: { ...joined, ...third(0) },
      queryBias: { ...joinedBias, ...third(0) },
      keyWeight: { ...joined, ...third(1) },
      keyBias: { ...joinedBias, ...third(1) },
      valueWeight: { ...joined, ...third(2) },
      valueBias: { ...joinedBias, ...third(2) },
    },
    outputAndMlp: {
      outputWeight: matrix('attn.c_proj', d, d),
      outputBias: vector('attn.c_proj.bias'),
      mlpNormWeight: vector('ln_2.weight'),
      mlpNormBias: vector('ln_2.bias'),
      upWeight: matrix('mlp.c_fc', d, inner),
      upBias: vector('mlp.c_fc.bias', inner),
      downWeight: matrix('mlp.c_proj', inner, d),
      downBias: vector('mlp.c_proj.bias'),
    },
  };
}
