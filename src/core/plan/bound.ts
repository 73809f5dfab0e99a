import type { Arrangement, BlackBoxConstruction, PatternFormula } from '../construct/construction';
import { readingsOf } from '../construct/slice';
import type { LayerScenario } from '../scenario/scenario';
import { packedCalls } from './attention-cost';
import type { LayerPlanRequest } from './request';

/** The calls of the small transformer that a theorem of arXiv 2506.12220 allows, with its constants written out. */
export interface Bound {
  /** Statement of the paper, such as `Theorem 5.1`. */
  readonly theorem: string;
  /** The number of attention calls as a formula in N, M, T, r, s, H, L, H', L'. */
  readonly formula: string;
  /** The formula's value: attention calls over all layers. */
  readonly calls: number;
}

/** Tiles of one head that the construction can need at most, with the words for it. */
interface TileBound {
  readonly theorem: string;
  readonly formula: string;
  readonly tiles: number;
}

/** The bound of the `fused` construction: one call per tile, H'L' single-head instances a call (lemma 3.3). */
export function boundOf({ scenario, oracle, model }: Pick<LayerPlanRequest, 'scenario' | 'oracle' | 'model'>, blocks: number): Bound {
  const { theorem, formula, tiles } = tileBound(scenario, oracle.inputLength, blocks);
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

/** A formula of patterns as attention calls over all heads and layers. */
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
 * Calls that no arrangement of H'L' instances a call can do without: the pairs to be covered over the pairs that a call of M
 * tokens can cover, M^2 or, where it masks causally, M(M + 1)/2.
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
  const perInstance = oracle.causal ? (inputLength * (inputLength + 1)) / 2 : inputLength ** 2;
  const last = tokens - (blocks - 1) * blockSize;
  const pairs = scenario.kind === 'average-case' ? (blocks - 1) * blockSize ** 2 + last ** 2 : visiblePairs;
  return model.layers * Math.ceil((model.heads * pairs) / (perInstance * oracle.heads * oracle.layers));
}

type PackedRequest = Pick<LayerPlanRequest, 'oracle' | 'model'>;

function tileBound(scenario: LayerScenario, blockSize: number, blocks: number): TileBound {
  switch (scenario.kind) {
    case 'full':
      return { theorem: 'Theorem 3.4', formula: 'T^2', tiles: blocks * blocks };
    case 'causal':
      return { theorem: 'Theorem 3.4, causal tiles', formula: 'T(T + 1)/2', tiles: (blocks * (blocks + 1)) / 2 };
    case 'sliding-window':
      return {
        theorem: 'Theorem 5.1',
        formula: 'T * min(T, ceil((r - 1)/M) + 1)',
        tiles: blocks * windowTiles(scenario.window, blockSize, blocks),
      };
    case 'attention-sink':
      return {
        theorem: 'Theorem 5.1, attention sinks',
        formula: 'T * min(T, ceil((r - 1)/M) + 1 + ceil(s/M))',
        tiles: blocks * Math.min(blocks, windowTiles(scenario.window, blockSize, blocks) + Math.ceil(scenario.sinks / blockSize)),
      };
    case 'local-window':
      // Half the window before a block, and half of it after.
      return {
        theorem: 'Theorem 5.1, both sides',
        formula: 'T * min(T, 2 * ceil(floor(r/2)/M) + 1)',
        tiles: blocks * Math.min(blocks, 2 * Math.ceil(Math.floor(scenario.window / 2) / blockSize) + 1),
      };
    case 'average-case':
      return { theorem: 'Theorem 4.1', formula: 'T', tiles: blocks };
    case 'custom':
      return { theorem: 'Theorem 3.4, any mask', formula: 'T^2', tiles: blocks * blocks };
  }
}

/** Key blocks that the windows of one query block can touch. */
function windowTiles(window: number, blockSize: number, blocks: number): number {
  return Math.min(blocks, Math.ceil((window - 1) / blockSize) + 1);
}

/** The statements and formulas of all kinds of layer, each with its own number of layers for L. */
export function joinBounds(parts: readonly { readonly layers: readonly number[]; readonly plan: { readonly bound: Bound } }[]): Bound {
  return {
    theorem: [...new Set(parts.map(({ plan }) => plan.bound.theorem))].join('; '),
    formula: parts.map(({ layers, plan }) => plan.bound.formula.replace(/^L\b/, String(layers.length))).join(' + '),
    calls: parts.reduce((calls, { plan }) => calls + plan.bound.calls, 0),
  };
}
