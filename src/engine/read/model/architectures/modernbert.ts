import * as z from 'zod';
import { said, text } from '../../../../core/l10n';
import { ofLayers, type LayerScenario } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import type { ConfigJson } from '../keys';
import { parametersOf, type Checkpoint, type StoredLayer } from '../weights';
import { type RotaryEmbedding, trainedLength } from '../rope';
import { quoted } from '../../../../core/text/printable';
import {
  activationOf,
  checkHeads,
  epsilon,
  flag,
  layers,
  plainShape,
  readFields,
  refuse,
  slidingLayers,
  theta,
  tokens,
  vocabulary,
  width,
} from './fields';
import { rotaryFrom } from './rope-fields';

const schema = z.object({
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  hidden_activation: z.string().default('gelu'),
  classifier_activation: z.string().default('gelu'),
  norm_eps: epsilon.default(1e-5),
  norm_bias: flag(false),
  attention_bias: flag(false),
  mlp_bias: flag(false),
  classifier_bias: flag(false),
  decoder_bias: flag(true),
  max_position_embeddings: tokens.default(8192),
  global_attn_every_n_layers: layers.default(3),
  local_attention: tokens.default(128),
  global_rope_theta: theta.default(160_000),
  local_rope_theta: theta.nullable().default(10_000),
  rope_parameters: z.object({ full_attention: z.unknown(), sliding_attention: z.unknown() }).nullish(),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: flag(true),
});
type Fields = z.infer<typeof schema>;

/** The reader of ModernBERT: layers with global attention, and local layers with a window between them. */
export const modernbertReader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(schema.shape),
    ignores: { mask_token_id: 'names a token', layer_norm_eps: 'another name of norm_eps, which is read' },
    neutral: { is_causal: [false], position_embedding_type: ['absolute', 'sans_pos'] },
  }),
  classes: {
    modernbert: {
      predicting: ['ModernBertForMaskedLM'],
      others: [
        ...['ModernBertModel', 'ModernBertForSequenceClassification', 'ModernBertForTokenClassification'],
        ...['ModernBertForQuestionAnswering', 'ModernBertForMultipleChoice'],
      ],
    },
  },
  read: modernbertConfig,
};

function modernbertConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  const shape: ModelShape = { ...plainShape(fields), feedForward: 'gated' };
  checkHeads(shape, path, true);
  const activation = activationOf(fields.hidden_activation, 'hidden_activation', path);
  // Without a class there is nothing that says that the checkpoint has a head.
  const hasHead = predicts && Array.isArray(json.architectures);
  if (hasHead && activationOf(fields.classifier_activation, 'classifier_activation', path) !== activation) {
    refuse(
      path,
      said`classifier_activation ${quoted(fields.classifier_activation)} beside hidden_activation ${quoted(fields.hidden_activation)}`,
      text('a ModernBERT with one activation'),
    );
  }
  const checkpoint = modernbertCheckpoint(shape, fields, hasHead);
  const isGlobal = globalLayers(fields, path);
  const local: LayerScenario = { kind: 'local-window', window: fields.local_attention };
  const rotary = rotaryEmbeddings(fields, path);
  return {
    modelType: 'modernbert',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: ofLayers(isGlobal.map((global) => (global ? { kind: 'full' } : local))),
      // Local layers read a window, so only the global ones' embedding limits the length.
      trainedTokens: trainedLength(rotary.global, fields.max_position_embeddings),
    },
    norm: { kind: 'layer', epsilon: fields.norm_eps },
    normPlacement: 'before',
    activation,
    rotary: isGlobal.map((global) => (global ? rotary.global : rotary.local)),
    predicts: hasHead ? 'masked' : 'nothing',
    checkpoint,
  };
}

function globalLayers(
  { layer_types: types, global_attn_every_n_layers: every, num_hidden_layers: count }: Fields,
  path: string,
): boolean[] {
  return slidingLayers(types, count, path)?.map((slides) => !slides) ?? Array.from({ length: count }, (_, layer) => layer % every === 0);
}

function rotaryEmbeddings(fields: Fields, path: string): Record<'global' | 'local', RotaryEmbedding> {
  const context = { maximumTokens: fields.max_position_embeddings, path };
  return {
    global: rotaryFrom(fields.rope_parameters?.full_attention, { ...context, theta: fields.global_rope_theta }),
    local: rotaryFrom(fields.rope_parameters?.sliding_attention, {
      ...context,
      theta: fields.local_rope_theta ?? fields.global_rope_theta,
    }),
  };
}

function modernbertCheckpoint(shape: ModelShape, fields: Fields, hasHead: boolean): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const { norm_bias: normBias } = fields;
  const vector = (tensor: string, size = d) => ({ tensor, shape: [size] });
  const embedding = { tensor: 'embeddings.tok_embeddings.weight', shape: [words, d] };
  return {
    prefixes: ['model.', ''],
    embedding: {
      words: embedding,
      embeddingNormWeight: vector('embeddings.norm.weight'),
      ...(normBias && { embeddingNormBias: vector('embeddings.norm.bias') }),
    },
    layers: Array.from({ length: shape.layers }, (_, layer) => modernbertLayer(shape, fields, layer)),
    head: {
      finalNormWeight: vector('final_norm.weight'),
      ...(normBias && { finalNormBias: vector('final_norm.bias') }),
      ...(hasHead && {
        transformWeight: { tensor: 'head.dense.weight', shape: [d, d] },
        ...(fields.classifier_bias && { transformBias: vector('head.dense.bias') }),
        transformNormWeight: vector('head.norm.weight'),
        ...(normBias && { transformNormBias: vector('head.norm.bias') }),
        headWeight: fields.tie_word_embeddings
          ? { ...embedding, unless: 'decoder.weight' }
          : { tensor: 'decoder.weight', shape: [words, d] },
        ...(fields.decoder_bias && { headBias: vector('decoder.bias', words) }),
      }),
    },
  };
}

/**
 * Queries, keys and values are one matrix, and so are the activated half and its gate; the first layer uses the embedding's
 * norm.
 */
function modernbertLayer(
  { width: d, feedForwardWidth: inner }: ModelShape,
  { attention_bias: attentionBias, mlp_bias: mlpBias, norm_bias: normBias }: Fields,
  index: number,
): StoredLayer {
  const layer = `layers.${index}`;
  const part = (name: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${name}`, shape });
  const rows = (from: number, size: number) => ({ rows: [from * size, (from + 1) * size] as const });
  const joined = part('attn.Wqkv.weight', 3 * d, d);
  const joinedBias = part('attn.Wqkv.bias', 3 * d);
  const halves = part('mlp.Wi.weight', 2 * inner, d);
  const halvesBias = part('mlp.Wi.bias', 2 * inner);
  return {
    project: {
      ...(index > 0 && {
        attentionNormWeight: part('attn_norm.weight', d),
        ...(normBias && { attentionNormBias: part('attn_norm.bias', d) }),
      }),
      queryWeight: { ...joined, ...rows(0, d) },
      keyWeight: { ...joined, ...rows(1, d) },
      valueWeight: { ...joined, ...rows(2, d) },
      ...(attentionBias && {
        queryBias: { ...joinedBias, ...rows(0, d) },
        keyBias: { ...joinedBias, ...rows(1, d) },
        valueBias: { ...joinedBias, ...rows(2, d) },
      }),
    },
    outputAndMlp: {
      outputWeight: part('attn.Wo.weight', d, d),
      ...(attentionBias && { outputBias: part('attn.Wo.bias', d) }),
      mlpNormWeight: part('mlp_norm.weight', d),
      ...(normBias && { mlpNormBias: part('mlp_norm.bias', d) }),
      gateWeight: { ...halves, ...rows(0, inner) },
      upWeight: { ...halves, ...rows(1, inner) },
      downWeight: part('mlp.Wo.weight', d, inner),
      ...(mlpBias && {
        gateBias: { ...halvesBias, ...rows(0, inner) },
        upBias: { ...halvesBias, ...rows(1, inner) },
        downBias: part('mlp.Wo.bias', d),
      }),
    },
  };
}
