import { arrangementOf, isBlackBox, type Arrangement, type BlackBoxConstruction, type PatternCount } from '../constructions';
import { callBytes, callFlops, callWeightBytes, readingsOf, type BlackBoxShape } from '../constructions/slice';
import type { ModelShape } from '../shapes';
import { separationWidth } from '../constructions/separation';
import type { PlanRequest } from './plan';

/** What the attention calls of one layer cost. */
export interface AttentionCost {
  /** Calls, packed H'L' single-head instances each (lemma 3.3). */
  readonly calls: number;
  /** Floating-point operations of those calls, masked and padded pairs included. */
  readonly flops: number;
}

/** Cost of `tiles` tiles a head as `fused` runs them. */
export function fusedCost({ model, oracle, tokens }: PlanRequest, tiles: number): AttentionCost {
  const read = Math.min(tokens, oracle.inputLength);
  return { calls: packedCalls(tiles, model, oracle), flops: flopsPerPair(model) * tiles * read * read };
}

/** How a plan calls the black box: its construction, the arrangement that makes, and the shape of a call. */
export interface BlackBoxLayout {
  readonly construction: BlackBoxConstruction;
  readonly arrangement: Arrangement;
  readonly shape: BlackBoxShape;
}

/** The black-box layout of a request; undefined under `fused`. @throws InputError for a window that theorem 5.1 does not reach */
export function blackBoxLayout({ construction, scenario, oracle, tokens, model }: PlanRequest): BlackBoxLayout | undefined {
  if (!isBlackBox(construction)) {
    return undefined;
  }
  const arrangement = arrangementOf(scenario, construction, { ...oracle, tokens });
  const { rows, chunks } = arrangement;
  const shape = { rows, layers: oracle.layers, heads: oracle.heads, headWidth: model.headWidth, separation: separationWidth(chunks) };
  return { construction, arrangement, shape };
}

/** Cost of a black-box layout with so many patterns a head. */
export function blackBoxCost({ model, oracle }: PlanRequest, { construction, shape }: BlackBoxLayout, count: PatternCount): AttentionCost {
  const perReading = packedCalls(count.causal, model, oracle) + packedCalls(count.open, model, oracle);
  const readings = readingsOf[construction];
  return {
    calls: readings.length * perReading,
    flops: perReading * readings.reduce((sum, reading) => sum + callFlops(shape, reading), 0),
  };
}

/** Calls that carry `instances` single-head instances of every head of a layer. */
export function packedCalls(instances: number, model: Pick<ModelShape, 'heads'>, oracle: Pick<PlanRequest['oracle'], 'heads' | 'layers'>): number {
  return Math.ceil((instances * model.heads) / (oracle.heads * oracle.layers));
}

/** A score (m multiply-adds) and a weighted value (m multiply-adds) for every head of one layer. */
export function flopsPerPair(model: ModelShape): number {
  return 4 * model.headWidth * model.heads;
}

/** Bytes of the weights that a black box is given with its calls; `fused` has none. */
export function attentionWeightBytes(request: PlanRequest): number {
  const layout = blackBoxLayout(request);
  return layout === undefined ? 0 : readingsOf[layout.construction].reduce((sum, reading) => sum + callWeightBytes(layout.shape, reading), 0);
}

/** Bytes of one attention call's tensors in float32. */
export function attentionCallBytes(request: PlanRequest): number {
  const layout = blackBoxLayout(request);
  return layout === undefined ? fusedCallBytes(request) : Math.max(...readingsOf[layout.construction].map((reading) => callBytes(layout.shape, reading)));
}

/** Scores, weights and mask `[H'L', M, M]`, operands and results `[H'L', M, m]`. */
function fusedCallBytes({ model, oracle, tokens }: PlanRequest): number {
  const read = Math.min(oracle.inputLength, tokens);
  const instances = oracle.heads * oracle.layers;
  const masks = model.heads % instances === 0 ? 1 : instances;
  return 4 * read * (read * (2 * instances + masks) + 4 * instances * model.headWidth);
}

/** Memory that one batch of attention calls may take, so that one `run()` stays short and cancelling stays prompt. */
const batchBytes = 32 * 1024 * 1024;

/** Attention calls that one `run()` carries: as many as the batch's memory holds, at least one, at most a layer's. */
export function callsPerDispatch(request: PlanRequest, layerCalls: number): number {
  return Math.max(1, Math.min(layerCalls, Math.floor(batchBytes / attentionCallBytes(request))));
}
