import type { ModelShape } from '../../../../core/shapes';
import type { Checkpoint, StoredLayer } from '../weights';
import type { Experts } from './experts';

/** Which optional weights a member of the family has. */
export interface LlamaParts {
  readonly head: 'tied' | 'own' | 'none';
  readonly inputBiases: boolean;
  readonly outputBias: boolean;
  readonly mlpBiases: boolean;
  /** Norms of queries and keys: of each head, or of all heads together. */
  readonly queryKeyNorms?: 'each' | 'joint' | undefined;
  /** Where the norms of a layer are: before its halves by default. */
  readonly normPlacement?: 'before' | 'output' | undefined;
  /** Whether each head has a learned sink. */
  readonly sinks?: boolean | undefined;
  readonly experts?: Experts | undefined;
}

/** Where a member of the family has its weights. */
export function llamaCheckpoint(shape: ModelShape, parts: LlamaParts): Checkpoint {
  const { width: d, vocabulary: words } = shape;
  const embedding = { tensor: 'model.embed_tokens.weight', shape: [words, d] };
  return {
    prefixes: [''],
    base: { name: 'model.', others: ['', 'model.language_model.', 'language_model.model.', 'language_model.'] },
    embedding: { words: embedding },
    layers: Array.from({ length: shape.layers }, (_, layer) => llamaLayer(shape, parts, layer)),
    head: {
      finalNormWeight: { tensor: 'model.norm.weight', shape: [d] },
      ...(parts.head === 'tied' && { headWeight: { ...embedding, unless: 'lm_head.weight' } }),
      ...(parts.head === 'own' && { headWeight: { tensor: 'lm_head.weight', shape: [words, d] } }),
    },
  };
}

function llamaLayer(
  { width: d, heads, keyValueHeads, headWidth, feedForwardWidth }: ModelShape,
  parts: LlamaParts,
  index: number,
): StoredLayer {
  const layer = `model.layers.${index}`;
  const weight = (part: string, ...shape: readonly number[]) => ({ tensor: `${layer}.${part}.weight`, shape });
  const bias = (part: string, size: number) => ({ tensor: `${layer}.${part}.bias`, shape: [size] });
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
      ...(parts.normPlacement !== 'output' && { attentionNormWeight: weight('input_layernorm', d) }),
      queryWeight: weight('self_attn.q_proj', queries, d),
      keyWeight: weight('self_attn.k_proj', keys, d),
      valueWeight: weight('self_attn.v_proj', keys, d),
      ...(parts.inputBiases && {
        queryBias: bias('self_attn.q_proj', queries),
        keyBias: bias('self_attn.k_proj', keys),
        valueBias: bias('self_attn.v_proj', keys),
      }),
      ...(parts.queryKeyNorms !== undefined && {
        queryNormWeight: weight('self_attn.q_norm', joint ? queries : headWidth),
        keyNormWeight: weight('self_attn.k_norm', joint ? keys : headWidth),
      }),
    },
    ...(parts.sinks === true && { attend: { sinks: { tensor: `${layer}.self_attn.sinks`, shape: [heads] } } }),
    outputAndMlp: {
      outputWeight: weight('self_attn.o_proj', d, queries),
      ...(parts.normPlacement === 'output'
        ? { attentionNormWeight: weight('post_attention_layernorm', d), mlpNormWeight: weight('post_feedforward_layernorm', d) }
        : { mlpNormWeight: weight('post_attention_layernorm', d) }),
      ...(parts.outputBias && { outputBias: bias('self_attn.o_proj', d) }),
      ...(parts.experts?.sparse[index] === true ? parts.experts.stored(parts.experts, d, layer) : dense),
    },
  };
}
