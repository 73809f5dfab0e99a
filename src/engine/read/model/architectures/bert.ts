import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import type { ConfigJson } from '../keys';
import { parametersOf, type Checkpoint, type StoredLayer } from '../weights';
import { quoted } from '../../../../core/text/printable';
import { activationOf, checkHeads, epsilon, flag, layers, plainShape, readFields, refuse, tokens, vocabulary, width } from './fields';

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
  is_decoder: flag(false),
  add_cross_attention: flag(false),
  tie_word_embeddings: flag(true),
  pad_token_id: z.number().int().nonnegative().default(1),
});

/** What distinguishes the members of the family. */
interface Member {
  /** What the names of its classes in transformers begin with. */
  readonly name: string;
  /** Of all tensors but those of the head. */
  readonly prefix: string;
  /** Whether positions begin after that of padding, which no prompt has. */
  readonly paddedPositions: boolean;
  readonly headNames: HeadNames;
  /** Whether the head's activation is GELU whatever that of the layers is. */
  readonly geluHead: boolean;
}

/** Where the layer and the bias of a head are. */
interface HeadNames {
  readonly transform: string;
  readonly norm: string;
  readonly decoder: string;
  readonly bias: string;
}

/** RoBERTa (Liu et al., arXiv 1907.11692) and XLM-R: a BERT whose positions begin after that of padding. */
const roberta = {
  prefix: 'roberta.',
  paddedPositions: true,
  headNames: { transform: 'lm_head.dense', norm: 'lm_head.layer_norm', decoder: 'lm_head.decoder', bias: 'lm_head.bias' },
  geluHead: true,
};

/** By `model_type`. */
const members: Readonly<Record<string, Member>> = {
  bert: {
    name: 'Bert',
    prefix: 'bert.',
    paddedPositions: false,
    headNames: {
      transform: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      decoder: 'cls.predictions.decoder',
      bias: 'cls.predictions.bias',
    },
    geluHead: false,
  },
  roberta: { ...roberta, name: 'Roberta' },
  'xlm-roberta': { ...roberta, name: 'XLMRoberta' },
};

const tasks = ['ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice'];

/** The reader of BERT and its family. */
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
  classes: Object.fromEntries(
    Object.entries(members).map(([type, { name }]) => [
      type,
      {
        predicting: [`${name}ForMaskedLM`, ...(type === 'bert' ? ['BertForPreTraining'] : [])],
        others: ['Model', ...tasks, ...(type === 'bert' ? ['ForNextSentencePrediction'] : [])].map((end) => `${name}${end}`),
      },
    ]),
  ),
  read: bertConfig,
};

function bertConfig(json: ConfigJson, path: string, predicts: boolean): ModelConfig {
  const modelType = json.model_type as string;
  const member = members[modelType];
  const { pad_token_id: padding, ...own } = json;
  const fields = readFields(schema, member.paddedPositions ? { ...own, pad_token_id: padding } : own, path);
  if (fields.position_embedding_type !== 'absolute') {
    refuse(path, `position_embedding_type ${quoted(fields.position_embedding_type)}`, text('a BERT with absolute positions'));
  }
  for (const name of ['is_decoder', 'add_cross_attention'] as const) {
    if (fields[name]) {
      refuse(path, `${name} true`, text('a BERT that is an encoder'));
    }
  }
  const shape = plainShape(fields);
  checkHeads(shape, path, false);
  // Without a class there is nothing that says that the checkpoint has a head.
  const hasHead = predicts && Array.isArray(json.architectures);
  const firstPosition = member.paddedPositions ? fields.pad_token_id + 1 : 0;
  if (firstPosition >= fields.max_position_embeddings) {
    throw new InputError(
      `${path}: positions begin at pad_token_id + 1 = ${firstPosition} and max_position_embeddings is ${fields.max_position_embeddings}; correct one of them.`,
    );
  }
  const checkpoint = bertCheckpoint(shape, {
    member,
    positions: fields.max_position_embeddings,
    firstPosition,
    segments: fields.type_vocab_size,
    hasHead,
    tiedHead: fields.tie_word_embeddings,
  });
  const activation = activationOf(fields.hidden_act, 'hidden_act', path);
  if (hasHead && member.geluHead && activation !== 'gelu') {
    refuse(path, said`hidden_act ${quoted(fields.hidden_act)} beside a head with gelu`, said`a ${modelType} with gelu`);
  }
  const positions = fields.max_position_embeddings - firstPosition;
  return {
    modelType,
    shape: {
      ...shape,
      parameters: parametersOf(checkpoint),
      attention: { kind: 'full' },
      trainedTokens: positions,
      maximumTokens: positions,
    },
    norm: { kind: 'layer', epsilon: fields.layer_norm_eps },
    normPlacement: 'after',
    activation,
    rotary: undefined,
    predicts: hasHead ? 'masked' : 'nothing',
    checkpoint,
  };
}

/** Which embeddings and which head a BERT has. */
interface Parts {
  readonly member: Member;
  readonly positions: number;
  /** Row of a prompt's first token. */
  readonly firstPosition: number;
  readonly segments: number;
  readonly hasHead: boolean;
  readonly tiedHead: boolean;
}

function bertCheckpoint(shape: ModelShape, { member, positions, firstPosition, segments, hasHead, tiedHead }: Parts): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const { prefix, headNames } = member;
  const vector = (tensor: string, size = d) => ({ tensor, shape: [size] });
  const embedding = { tensor: 'embeddings.word_embeddings.weight', shape: [words, d] };
  return {
    prefixes: [prefix, ''],
    embedding: {
      words: embedding,
      positions: { tensor: 'embeddings.position_embeddings.weight', shape: [positions, d], rows: [firstPosition, positions] },
      segments: { tensor: 'embeddings.token_type_embeddings.weight', shape: [segments, d] },
      embeddingNormWeight: vector('embeddings.LayerNorm.weight'),
      embeddingNormBias: vector('embeddings.LayerNorm.bias'),
    },
    layers: Array.from({ length: shape.layers }, (_, layer) => bertLayer(shape, `encoder.layer.${layer}`)),
    head: hasHead
      ? {
          transformWeight: { tensor: `${headNames.transform}.weight`, shape: [d, d] },
          transformBias: vector(`${headNames.transform}.bias`),
          transformNormWeight: vector(`${headNames.norm}.weight`),
          transformNormBias: vector(`${headNames.norm}.bias`),
          headWeight: tiedHead
            ? { ...embedding, unless: `${headNames.decoder}.weight` }
            : { tensor: `${headNames.decoder}.weight`, shape: [words, d] },
          headBias: vector(headNames.bias, words),
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
