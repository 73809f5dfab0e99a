import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { type LayerScenario, ofLayers } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import { quoted } from '../../../../core/text/printable';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { headPlace, parametersOf, type StoredLayer } from '../weights';
import { activationOf, checkHeads, epsilon, flag, layers, plainShape, readFields, refuse, tokens, vocabulary, width } from './fields';
import { gpt2Checkpoint } from './gpt2';

const schema = z.object({
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: width.nullish(),
  num_layers: layers,
  num_heads: width,
  activation_function: z.string().default('gelu_new'),
  layer_norm_epsilon: epsilon.default(1e-5),
  max_position_embeddings: tokens.default(2048),
  window_size: tokens.default(256),
  // Words for layers, and how often they are repeated.
  attention_types: z
    .array(z.tuple([z.array(z.string()).max(64), z.number().int().nonnegative().max(4096)]))
    .max(64)
    .default([[['global', 'local'], 12]]),
  attention_layers: z.array(z.string()).nullish(),
  tie_word_embeddings: flag(true),
});
type Fields = z.infer<typeof schema>;

/** The reader of GPT-Neo (and TinyStories): learned positions, scores that are not scaled, and windows on alternate layers. */
export const gptNeoReader: ArchitectureReader = {
  keysOf: () => ({ reads: Object.keys(schema.shape), neutral: { is_causal: [true], is_decoder: [true, false] } }),
  classes: {
    gpt_neo: {
      predicting: ['GPTNeoForCausalLM'],
      others: ['Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'].map((end) => `GPTNeo${end}`),
    },
  },
  read: gptNeoConfig,
};

function gptNeoConfig(json: unknown, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  const shape = plainShape({
    ...fields,
    num_hidden_layers: fields.num_layers,
    num_attention_heads: fields.num_heads,
    intermediate_size: fields.intermediate_size ?? 4 * fields.hidden_size,
  });
  checkHeads(shape, path, false);
  const positions = fields.max_position_embeddings;
  const head = headPlace(predicts, fields.tie_word_embeddings);
  const checkpoint = gpt2Checkpoint(shape, positions, head, (layer) => gptNeoLayer(shape, layer));
  return {
    modelType: 'gpt_neo',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: ofLayers(masksOf(fields, path)),
      trainedTokens: positions,
      maximumTokens: positions,
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_epsilon },
    normPlacement: 'before',
    activation: activationOf(fields.activation_function, 'activation_function', path),
    multipliers: { embedding: 1, scores: 1, residual: 1, logits: 1 },
    rotary: undefined,
    predicts: predicts ? 'next' : 'nothing',
    checkpoint,
  };
}

/** The mask of each layer, by `attention_layers`, or by `attention_types` with its repetitions. */
function masksOf(
  { attention_layers: listed, attention_types: types, num_layers: count, window_size: window }: Fields,
  path: string,
): LayerScenario[] {
  const words = listed ?? types.flatMap(([repeated, times]) => Array.from({ length: times }, () => repeated).flat());
  if (words.length !== count) {
    const field = listed === null || listed === undefined ? 'attention_types' : 'attention_layers';
    throw new InputError(`${path}: ${field} describes ${words.length} layers but num_layers is ${count}; correct one of them.`);
  }
  return words.map((word) => {
    if (word !== 'global' && word !== 'local') {
      refuse(path, said`layer type ${quoted(word)}`, text('a model with global and local layers'));
    }
    return word === 'local' ? { kind: 'sliding-window', window } : { kind: 'causal' };
  });
}

function gptNeoLayer({ width: d, feedForwardWidth: inner }: ModelShape, layer: string): StoredLayer {
  const vector = (part: string, size = d) => ({ tensor: `${layer}.${part}`, shape: [size] });
  const matrix = (part: string, outputs = d, inputs = d) => ({ tensor: `${layer}.${part}.weight`, shape: [outputs, inputs] });
  return {
    project: {
      attentionNormWeight: vector('ln_1.weight'),
      attentionNormBias: vector('ln_1.bias'),
      queryWeight: matrix('attn.attention.q_proj'),
      keyWeight: matrix('attn.attention.k_proj'),
      valueWeight: matrix('attn.attention.v_proj'),
    },
    outputAndMlp: {
      outputWeight: matrix('attn.attention.out_proj'),
      outputBias: vector('attn.attention.out_proj.bias'),
      mlpNormWeight: vector('ln_2.weight'),
      mlpNormBias: vector('ln_2.bias'),
      upWeight: matrix('mlp.c_fc', inner),
      upBias: vector('mlp.c_fc.bias', inner),
      downWeight: matrix('mlp.c_proj', d, inner),
      downBias: vector('mlp.c_proj.bias'),
    },
  };
}
