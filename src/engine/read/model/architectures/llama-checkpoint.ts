import type { ModelShape } from '../../../../core/shapes';
import { type Checkpoint, type HeadPlace, outputHead, type StoredLayer, type StoredWeight } from '../weights';
import type { Experts } from './experts';

/** Which optional weights a member of the family has. */
export interface LlamaParts {
  readonly head: HeadPlace;
  readonly inputBiases: boolean;
  readonly outputBias: boolean;
  readonly mlpBiases: boolean;
  /** Norms of queries and keys: of each head, or of all heads together. */
  readonly queryKeyNorms?: 'each' | 'joint' | undefined;
  /** Where the norms of a layer are: before its halves by default. */
  readonly normPlacement?: 'before' | 'output' | 'around' | undefined;
  /** Added to the stored weights of norms: 0 by default. */
  readonly normOffset?: number;
  /** Whether each head has a learned sink. */
  readonly sinks?: boolean | undefined;
  readonly experts?: Experts | undefined;
}

/** Where a member of the family has its weights. */
export function llamaCheckpoint(shape: ModelShape, parts: LlamaParts): Checkpoint {
  const others = ['', 'model.language_model.', 'language_model.model.', 'language_model.'];
  return decoderCheckpoint(shape, { ...parts, others }, (layer, index) => llamaLayer(shape, parts, layer, index));
}

/**
 * A checkpoint with the family's names for all but its layers.
 *
 * @param parts `others`: what stands for `model.` in the names of other checkpoints, by default nothing
 * @param layerOf the weights of a layer, by the beginning of their names and its number from 0
 */
export function decoderCheckpoint(
  shape: ModelShape,
  parts: Pick<LlamaParts, 'head' | 'normOffset'> & { readonly others?: readonly string[] },
  layerOf: (layer: string, index: number) => StoredLayer,
): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const embedding = { tensor: 'model.embed_tokens.weight', shape: [words, d] };
  return {
    prefixes: [''],
    base: { name: 'model.', others: parts.others ?? [''] },
    embedding: { words: embedding },
    layers: Array.from({ length: shape.layers }, (_, index) => layerOf(`model.layers.${index}`, index)),
    head: {
      finalNormWeight: { tensor: 'model.norm.weight', shape: [d], ...offsetOf(parts) },
      ...outputHead(parts.head, embedding),
    },
  };
}

function offsetOf({ normOffset: offset }: Pick<LlamaParts, 'normOffset'>): Pick<StoredWeight, 'offset'> {
  return offset === undefined ? {} : { offset };
}

function llamaLayer(
  { width: d, heads, keyValueHeads, headWidth, feedForwardWidth }: ModelShape,
  parts: LlamaParts,
  layer: string,
  index: number,
): StoredLayer {
  const weight = (part: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${part}.weight`, shape });
  const bias = (part: string, size: number) => ({ tensor: `${layer}.${part}.bias`, shape: [size] });
  const normOf = (part: string, size = d) => ({ ...weight(part, size), ...offsetOf(parts) });
  const [queries, keys] = [heads * headWidth, keyValueHeads * headWidth];
  const joint = parts.queryKeyNorms === 'joint';
  const dense = {
    gateWeight: weight('mlp.gate_proj', feedForwardWidth, d),
    upWeight: weight('mlp.up_proj', feedForwardWidth, d),
    downWeight: weight('mlp.down_proj', d, feedForwardWidth),
    ...(parts.mlpBiases && {
      gateBias: bias('mlp.gate_proj', feedForwardWidth),
      upBias: bias('mlp.up_proj', feedForwardWidth),
      downBias: bias('mlp.down_proj', d),
    }),
  };
  return {
    project: {
      ...(parts.normPlacement !== 'output' && { attentionNormWeight: normOf('input_layernorm') }),
      queryWeight: weight('self_attn.q_proj', queries, d),
      keyWeight: weight('self_attn.k_proj', keys, d),
      valueWeight: weight('self_attn.v_proj', keys, d),
      ...(parts.inputBiases && {
        queryBias: bias('self_attn.q_proj', queries),
        keyBias: bias('self_attn.k_proj', keys),
        valueBias: bias('self_attn.v_proj', keys),
      }),
      ...(parts.queryKeyNorms !== undefined && {
        queryNormWeight: normOf('self_attn.q_norm', joint ? queries : headWidth),
        keyNormWeight: normOf('self_attn.k_norm', joint ? keys : headWidth),
      }),
    },
    ...(parts.sinks === true && { attend: { sinks: { tensor: `${layer}.self_attn.sinks`, shape: [heads] } } }),
    outputAndMlp: {
      outputWeight: weight('self_attn.o_proj', d, queries),
      ...norms(),
      ...(parts.outputBias && { outputBias: bias('self_attn.o_proj', d) }),
      ...(parts.experts?.sparse[index] === true ? parts.experts.stored(parts.experts, d, layer) : dense),
    },
  };

  /** Norms of the second half, and on what the first one gives. */
  function norms(): StoredLayer['outputAndMlp'] {
    const afterAttention = normOf('post_attention_layernorm');
    const afterMlp = normOf('post_feedforward_layernorm');
    switch (parts.normPlacement) {
      case 'output':
        return { attentionNormWeight: afterAttention, mlpNormWeight: afterMlp };
      case 'around':
        return {
          attentionOutputNormWeight: afterAttention,
          mlpNormWeight: normOf('pre_feedforward_layernorm'),
          mlpOutputNormWeight: afterMlp,
        };
      default:
        return { mlpNormWeight: afterAttention };
    }
  }
}
