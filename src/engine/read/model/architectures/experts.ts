import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { ofLayers, type Scenario } from '../../../../core/scenario/scenario';
import type { ModelShape } from '../../../../core/shapes';
import type { ClampedGate, ExpertChoice } from '../architecture';
import { kindsOf } from '../layer-configs';
import type { OutputAndMlpWeight, StoredWeights } from '../weights';
import { flag, layers, refuse, slidingLayers, width } from './fields';

const count = z.number().int().positive().max(65_536);

/** The fields of `config.json` about experts that some members of the Llama family read. */
export const expertFields = {
  num_local_experts: count.nullish(),
  num_experts: z.number().int().nonnegative().max(65_536).nullish(),
  num_experts_per_tok: count.nullish(),
  experts_per_token: count.nullish(),
  moe_intermediate_size: width.nullish(),
  decoder_sparse_step: layers.default(1),
  mlp_only_layers: z.array(z.number().int().nonnegative()).nullish(),
  norm_topk_prob: flag(false),
  swiglu_limit: z.number().positive().max(1e6).default(7),
};
type Fields = z.infer<z.ZodObject<typeof expertFields>> & {
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly layer_types?: readonly string[] | null | undefined;
  readonly sliding_window?: number | null | undefined;
};

/** Their names, which only members that have experts read. */
export const expertKeys = Object.keys(expertFields) as (keyof typeof expertFields)[];

/** Those of Qwen3-MoE. */
export const qwenExpertKeys = [
  ...(['num_experts', 'num_experts_per_tok', 'moe_intermediate_size'] as const),
  ...(['decoder_sparse_step', 'mlp_only_layers', 'norm_topk_prob'] as const),
];

/** The experts of a model, and where its checkpoint has them. */
export interface Experts {
  readonly choice: ExpertChoice;
  readonly count: number;
  /** Inner width of each. */
  readonly width: number;
  /** By layer; the others have a dense network. */
  readonly sparse: readonly boolean[];
  /** The weights of one layer's router and experts. @param d width of the residual stream @param layer its tensors' prefix */
  readonly stored: (experts: Pick<Experts, 'count' | 'width'>, d: number, layer: string) => StoredWeights<OutputAndMlpWeight>;
}

/** Mixtral (arXiv 2401.04088): experts in every layer, each as wide as a dense network would be. */
export function mixtralExperts(fields: Fields, path: string): Experts {
  const experts = fields.num_local_experts ?? 8;
  return {
    ...chosenOf(fields.num_experts_per_tok ?? 2, experts, true, fields, path),
    width: fields.intermediate_size,
    sparse: Array.from({ length: fields.num_hidden_layers }, () => true),
    stored: separate({ block: 'block_sparse_moe', gate: 'w1', up: 'w3', down: 'w2' }),
  };
}

/** Qwen3-MoE (arXiv 2505.09388): narrow experts in all layers, or in every so many without those that are named. */
export function qwenExperts(fields: Fields, path: string): Experts | undefined {
  if (fields.num_experts === 0) {
    return undefined;
  }
  const { decoder_sparse_step: step, mlp_only_layers: dense, num_hidden_layers: all } = fields;
  return {
    ...chosenOf(fields.num_experts_per_tok ?? 8, fields.num_experts ?? 128, fields.norm_topk_prob, fields, path),
    width: fields.moe_intermediate_size ?? 768,
    sparse: Array.from({ length: all }, (_, layer) => (layer + 1) % step === 0 && dense?.includes(layer) !== true),
    stored: separate({ block: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
  };
}

/**
 * What is peculiar to gpt-oss (arXiv 2508.10925) besides its sinks: windows on the layers that `layer_types` lists, or else on
 * every second one from the first; experts with biases in every layer; a clamped gate; and values of fields that are absent.
 */
export const gptOss = {
  reads: ['sliding_window', 'layer_types', 'num_local_experts', 'num_experts_per_tok', 'experts_per_token', 'swiglu_limit'],
  defaults: {
    ...{ num_key_value_heads: 8, max_position_embeddings: 131_072, rope_theta: 150_000, rms_norm_eps: 1e-5 },
    ...{ attention_bias: true },
  },
  rope: {
    ...{ rope_type: 'yarn', factor: 32, original_max_position_embeddings: 4096 },
    ...{ beta_fast: 32, beta_slow: 1, truncate: false },
  },
  attention({ layer_types: types, sliding_window: given, num_hidden_layers: all }: Fields, path: string): Scenario {
    const sliding = slidingLayers(types, all, path) ?? Array.from({ length: all }, (_, layer) => layer % 2 === 0);
    const window = given === undefined ? 128 : given;
    return ofLayers(sliding.map((slides) => (slides && window !== null ? { kind: 'sliding-window', window } : { kind: 'causal' })));
  },
  clampedGate: ({ swiglu_limit: limit }: Fields): ClampedGate => ({ limit, slope: 1.702 }),
  experts(fields: Fields, path: string): Experts {
    const { num_experts_per_tok: chosen, experts_per_token: original } = fields;
    if (typeof chosen === 'number' && typeof original === 'number' && chosen !== original) {
      refuse(path, said`num_experts_per_tok ${chosen} beside experts_per_token ${original}`, text('a config.json that says one of both'));
    }
    return {
      ...chosenOf(chosen ?? original ?? 4, fields.num_local_experts ?? 128, true, fields, path),
      width: fields.intermediate_size,
      sparse: Array.from({ length: fields.num_hidden_layers }, () => true),
      stored: stacked,
    };
  },
} as const;

/** Most experts of all layers together, of which each has weights with names: more than twice those of published models. */
const maximumExperts = 65_536;

function chosenOf(
  chosen: number,
  all: number,
  renormalised: boolean,
  { num_hidden_layers: depth }: Fields,
  path: string,
): Pick<Experts, 'choice' | 'count'> {
  if (all * depth > maximumExperts) {
    throw new InputError(
      `${path}: ${all} experts in ${depth} layers are ${all * depth}, and ${maximumExperts} are allowed; use another model.`,
    );
  }
  if (chosen > all) {
    throw new InputError(`${path}: a token goes to ${chosen} experts, of which there are ${all}; correct num_experts_per_tok.`);
  }
  // A softmax over all that is divided by the sum of those chosen is a softmax over those.
  return { choice: { chosen, weights: renormalised ? 'of-chosen' : 'of-all' }, count: all };
}

/** A shape's layers with experts in place of dense networks: a token goes through those that it chooses. */
export function withExperts(
  { layers: all, feedForwardWidth, ...shape }: ModelShape,
  { choice, width: each, sparse }: Experts,
): ReturnType<typeof kindsOf> {
  const { heads, keyValueHeads, headWidth } = shape;
  return kindsOf(
    Array.from({ length: all }, (_, layer) => ({
      ...{ heads, keyValueHeads, headWidth },
      feedForwardWidth: sparse[layer] ? choice.chosen * each : feedForwardWidth,
    })),
  );
}

/** Experts as tensors of their own. */
function separate(names: Readonly<Record<'block' | 'gate' | 'up' | 'down', string>>): Experts['stored'] {
  return ({ count: experts, width: inner }, d, layer) => {
    const block = `${layer}.${names.block}`;
    const weight = (name: string, ...shape: readonly number[]) => ({ tensor: `${block}.${name}.weight`, shape });
    return Object.assign(
      { routerWeight: weight('gate', experts, d) },
      ...Array.from({ length: experts }, (_, expert) => ({
        [`experts.${expert}.gateWeight`]: weight(`experts.${expert}.${names.gate}`, inner, d),
        [`experts.${expert}.upWeight`]: weight(`experts.${expert}.${names.up}`, inner, d),
        [`experts.${expert}.downWeight`]: weight(`experts.${expert}.${names.down}`, d, inner),
      })),
    ) as StoredWeights<OutputAndMlpWeight>;
  };
}

/** Experts one after the other in one tensor, matrices `[in, out]`, the columns of gate and factor in turn (gpt-oss). */
function stacked(
  { count: experts, width: inner }: Pick<Experts, 'count' | 'width'>,
  d: number,
  layer: string,
): StoredWeights<OutputAndMlpWeight> {
  const block = `${layer}.mlp`;
  const both = { tensor: `${block}.experts.gate_up_proj`, shape: [experts, d, 2 * inner], transposed: true };
  const bothBiases = { tensor: `${block}.experts.gate_up_proj_bias`, shape: [experts, 2 * inner] };
  const [gate, up] = [0, 1].map((first) => ({ rows: [first, first + 1] as const, every: 2 }));
  return Object.assign(
    {
      routerWeight: { tensor: `${block}.router.weight`, shape: [experts, d] },
      routerBias: { tensor: `${block}.router.bias`, shape: [experts] },
    },
    ...Array.from({ length: experts }, (_, expert) => ({
      [`experts.${expert}.gateWeight`]: { ...both, ...gate, expert },
      [`experts.${expert}.gateBias`]: { ...bothBiases, ...gate, expert },
      [`experts.${expert}.upWeight`]: { ...both, ...up, expert },
      [`experts.${expert}.upBias`]: { ...bothBiases, ...up, expert },
      [`experts.${expert}.downWeight`]: { tensor: `${block}.experts.down_proj`, shape: [experts, inner, d], transposed: true, expert },
      [`experts.${expert}.downBias`]: { tensor: `${block}.experts.down_proj_bias`, shape: [experts, d], expert },
    })),
  ) as StoredWeights<OutputAndMlpWeight>;
}
