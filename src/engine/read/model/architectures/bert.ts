import { z } from 'zod';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import type { ConfigJson } from '../keys';
import { parametersOf, type Checkpoint, type StoredLayer } from '../weights';
import { quoted } from '../../../../core/text/printable';
import { activationOf, checkHeads, epsilon, layers, readFields, refuse, tokens, vocabulary, width } from './fields';

const schema = z.object({
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: epsilon.default(1e-12),
  max_position_embeddings: tokens,
  type_vocab_size: width.default(2),
  position_embedding_type: z.string().default('absolute'),
  is_decoder: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

/** The reader of BERT. */
export const bertReader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(schema.shape),
    ignores: {
      mask_token_id: 'names a token',
      pooler_fc_size: 'of a pooler that no class of transformers has',
      pooler_num_attention_heads: 'of a pooler that no class of transformers has',
      pooler_num_fc_layers: 'of a pooler that no class of transformers has',
      pooler_size_per_head: 'of a pooler that no class of transformers has',
      pooler_type: 'of a pooler that no class of transformers has',
    },
    neutral: { is_causal: [false], directionality: ['bidi'] },
  }),
  classes: {
    bert: {
      predicting: ['BertForMaskedLM', 'BertForPreTraining'],
      others: [
        ...['BertModel', 'BertForSequenceClassification', 'BertForTokenClassification', 'BertForQuestionAnswering'],
        ...['BertForMultipleChoice', 'BertForNextSentencePrediction'],
      ],
    },
  },
  read: bertConfig,
};

function bertConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const fields = readFields(schema, json, path);
  if (fields.position_embedding_type !== 'absolute') {
    refuse(path, `position_embedding_type ${quoted(fields.position_embedding_type)}`, 'a BERT with absolute positions');
  }
  if (fields.is_decoder || fields.add_cross_attention) {
    refuse(path, 'is_decoder or add_cross_attention', 'a BERT that is an encoder');
  }
  const shape: ModelShape = {
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_attention_heads,
    headWidth: fields.hidden_size / fields.num_attention_heads,
    width: fields.hidden_size,
    feedForwardWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
    feedForward: 'plain',
  };
  checkHeads(shape, path, false);
  // Without a class there is nothing that says that the checkpoint has a head.
  const hasHead = predicts && Array.isArray(json.architectures);
  const checkpoint = bertCheckpoint(shape, {
    positions: fields.max_position_embeddings,
    segments: fields.type_vocab_size,
    hasHead,
    tiedHead: fields.tie_word_embeddings,
  });
  return {
    modelType: 'bert',
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: { kind: 'full' },
      trainedTokens: fields.max_position_embeddings,
      maximumTokens: fields.max_position_embeddings,
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_eps },
    normPlacement: 'after',
    activation: activationOf(fields.hidden_act, 'hidden_act', path),
    rotary: undefined,
    predicts: hasHead ? 'masked' : 'nothing',
    checkpoint,
  };
}

/** Which embeddings and which head a BERT has. */
interface Parts {
  readonly positions: number;
  readonly segments: number;
  readonly hasHead: boolean;
  readonly tiedHead: boolean;
}

function bertCheckpoint(shape: ModelShape, { positions, segments, hasHead, tiedHead }: Parts): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const vector = (tensor: string, size = d) => ({ tensor, shape: [size] });
  const embedding = { tensor: 'embeddings.word_embeddings.weight', shape: [words, d] };
  return {
    prefixes: ['bert.', ''],
    embedding: {
      words: embedding,
      positions: { tensor: 'embeddings.position_embeddings.weight', shape: [positions, d] },
      segments: { tensor: 'embeddings.token_type_embeddings.weight', shape: [segments, d] },
      embeddingNormWeight: vector('embeddings.LayerNorm.weight'),
      embeddingNormBias: vector('embeddings.LayerNorm.bias'),
    },
    layers: Array.from({ length: shape.layers }, (_, layer) => bertLayer(shape, `encoder.layer.${layer}`)),
    head: hasHead
      ? {
          transformWeight: { tensor: 'cls.predictions.transform.dense.weight', shape: [d, d] },
          transformBias: vector('cls.predictions.transform.dense.bias'),
          transformNormWeight: vector('cls.predictions.transform.LayerNorm.weight'),
          transformNormBias: vector('cls.predictions.transform.LayerNorm.bias'),
          headWeight: tiedHead
            ? { ...embedding, unless: 'cls.predictions.decoder.weight' }
            : { tensor: 'cls.predictions.decoder.weight', shape: [words, d] },
          headBias: vector('cls.predictions.bias', words),
        }
      : {},
  };
}

function bertLayer({ width: d, feedForwardWidth: inner }: ModelShape, layer: string): StoredLayer {
  const vector = (part: string, size = d) => ({ tensor: `${layer}.${part}`, shape: [size] });
  const matrix = (part: string, outputs: number, inputs: number) => ({ tensor: `${layer}.${part}.weight`, shape: [outputs, inputs] });
  return {
    project: {
      queryWeight: matrix('attention.self.query', d, d),
      queryBias: vector('attention.self.query.bias'),
      keyWeight: matrix('attention.self.key', d, d),
      keyBias: vector('attention.self.key.bias'),
      valueWeight: matrix('attention.self.value', d, d),
      valueBias: vector('attention.self.value.bias'),
    },
    outputAndMlp: {
      outputWeight: matrix('attention.output.dense', d, d),
      outputBias: vector('attention.output.dense.bias'),
      attentionNormWeight: vector('attention.output.LayerNorm.weight'),
      attentionNormBias: vector('attention.output.LayerNorm.bias'),
      upWeight: matrix('intermediate.dense', inner, d),
      upBias: vector('intermediate.dense.bias', inner),
      downWeight: matrix('output.dense', d, inner),
      downBias: vector('output.dense.bias'),
      mlpNormWeight: vector('output.LayerNorm.weight'),
      mlpNormBias: vector('output.LayerNorm.bias'),
    },
  };
}
