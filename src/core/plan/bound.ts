import type { Arrangement, BlackBoxConstruction, PatternFormula } from '../construct/construction';
import { readingsOf } from '../construct/slice';
import { bandOf, isSampled, tileBoundOf } from '../scenario/scenario';
import { packedCalls } from './attention-cost';
import type { LayerPlanRequest } from './request';

/** The number of calls that a theorem of arXiv 2506.12220 allows, with explicit constants. */
export interface Bound {
  /** Statement of the paper, such as `Theorem 5.1`. */
  readonly theorem: string;
  /** The number of attention calls as a formula in N, M, T, r, s, H, L, H', L'. */
  readonly formula: string;
  /** The formula's value: attention calls over all layers. */
  readonly calls: number;
}

/** The bound of the `fused` construction: one call per tile, packed with H'L' single-head instances (lemma 3.3). */
export function boundOf({ scenario, oracle, model }: Pick<LayerPlanRequest, 'scenario' | 'oracle' | 'model'>, blocks: number): Bound {
  const { theorem, formula, tiles } = tileBoundOf(scenario, oracle.inputLength, blocks);
  return {
    theorem,
    formula: `L * ceil(H * ${formula} / (H' * L'))`,
    calls: model.layers * packedCalls(tiles, model, oracle),
  };
}

/** The bound of a black-box construction: its statement's count, packed (lemma 3.3). */
export function blackBoxBound(request: PackedRequest, { statement, bound }: Arrangement, construction: BlackBoxConstruction): Bound {
  return { theorem: statement, ...packedFormula(request, bound, construction) };
}

/** A formula in patterns as attention calls over all heads and layers. */
export function packedFormula(
  { model, oracle }: PackedRequest,
  terms: PatternFormula,
  construction: BlackBoxConstruction,
): Pick<Bound, 'formula' | 'calls'> {
  const readings = readingsOf[construction].length;
  const packed = terms.map(({ text }) => `ceil(H * ${text} / (H' * L'))`);
  const sum = packed.length === 1 ? packed[0] : `(${packed.join(' + ')})`;
  return {
    formula: `${readings === 1 ? '' : `${readings} * `}L * ${sum}`,
    calls: model.layers * readings * terms.reduce((calls, { patterns }) => calls + packedCalls(patterns, model, oracle), 0),
  };
}

/**
 * Lower bound on the calls of any arrangement with H'L' instances per call, each of which reads its normalisers by a synthetic token: the
 * pairs to cover divided by the pairs that an instance can cover.
 *
 * One of its M rows has the synthetic key, so a query sees M - 1 keys at most, and no more than the mask shows it. Under a causal mask
 * queries above that row learn nothing, so that the one i rows below it sees i keys at most. Without one, no M queries and M - 1 keys
 * have more pairs in a band than consecutive ones around its middle have (Riesz' rearrangement inequality for sequences: Hardy,
 * Littlewood and Polya, Inequalities, chapter 10): M - 1 - floor(j/2) in the j-th of its diagonals, from the middle.
 *
 * Under theorem 4.1 the pairs are those of each query block with its sample.
 */
export function lowerBoundOf({
  model,
  oracle,
  tokens,
  scenario,
  visiblePairs,
  blockSize,
  blocks,
}: LayerPlanRequest & { readonly visiblePairs: number; readonly blockSize: number; readonly blocks: number }): number {
  const { inputLength } = oracle;
  const last = tokens - (blocks - 1) * blockSize;
  const pairs = isSampled(scenario) ? (blocks - 1) * blockSize ** 2 + last ** 2 : visiblePairs;
  const { width, sinks } = bandOf(scenario, tokens);
  const seen = Math.min(inputLength - 1, width + sinks);
  // Of diagonals 0 to d - 1 from the middle, floor(j/2) adds up to floor((d - 1)^2 / 4).
  const diagonals = Math.min(width, 2 * (inputLength - 1));
  const inBand = diagonals * (inputLength - 1) - Math.floor((diagonals - 1) ** 2 / 4);
  // Under a causal mask, rows 0 to M - 1, the first `seen` of which see as many keys as rows are above them.
  const perInstance = oracle.causal
    ? seen * inputLength - (seen * (seen + 1)) / 2
    : Math.min((inputLength - 1) * inputLength, inBand + sinks * inputLength);
  return model.layers * Math.ceil((model.heads * pairs) / (perInstance * oracle.heads * oracle.layers));
}

type PackedRequest = Pick<LayerPlanRequest, 'oracle' | 'model'>;

/** The statements and formulas of all kinds of layer that attend, each with its own number of layers as L, and its own H. */
export function joinBounds(all: readonly { readonly layers: readonly number[]; readonly plan: { readonly bound: Bound } }[]): Bound {
  const parts = all.filter(({ plan }) => plan.bound.calls > 0);
  return {
    theorem: [...new Set(parts.map(({ plan }) => plan.bound.theorem))].join('; '),
    formula: parts.map(({ layers, plan }) => plan.bound.formula.replace(/^L\b/, String(layers.length))).join(' + '),
    calls: parts.reduce((calls, { plan }) => calls + plan.bound.calls, 0),
  };
}
