import { type Arrangement, arrangementOf, type BlackBoxConstruction, isBlackBox, type PatternCount } from '../construct/construction';
import { separationWidth } from '../construct/separation';
import { type BlackBoxShape, callBytes, callFlops, callWeightBytes, readingsOf } from '../construct/slice';
import { isSampled } from '../scenario/scenario';
import type { ModelShape } from '../shapes';
import type { LayerPlanRequest } from './request';

/** What the attention calls of one layer cost. */
export interface AttentionCost {
  /** Calls, packed H'L' single-head instances each (lemma 3.3). */
  readonly calls: number;
  /** Floating-point operations of those calls, masked and padded pairs included. */
  readonly flops: number;
}

/** Cost of `tiles` tiles a head as `fused` runs them. */
export function fusedCost({ model, oracle, tokens }: LayerPlanRequest, tiles: number): AttentionCost {
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
export function blackBoxLayout({ construction, scenario, oracle, tokens, model }: LayerPlanRequest): BlackBoxLayout | undefined {
  if (!isBlackBox(construction)) {
    return undefined;
  }
  const arrangement = arrangementOf(scenario, construction, { ...oracle, tokens });
  const { rows, chunks } = arrangement;
  const shape = { rows, layers: oracle.layers, heads: oracle.heads, headWidth: model.headWidth, separation: separationWidth(chunks) };
  return { construction, arrangement, shape };
}

/** Cost of a black-box layout with so many patterns a head. */
export function blackBoxCost(
  { model, oracle }: LayerPlanRequest,
  { construction, shape }: BlackBoxLayout,
  count: PatternCount,
): AttentionCost {
  const perReading = packedCalls(count.causal, model, oracle) + packedCalls(count.open, model, oracle);
  const readings = readingsOf[construction];
  return {
    calls: readings.length * perReading,
    flops: perReading * readings.reduce((sum, reading) => sum + callFlops(shape, reading), 0),
  };
}

/** Calls that carry `instances` single-head instances of every head of a layer. */
export function packedCalls(
  instances: number,
  model: Pick<ModelShape, 'heads'>,
  oracle: Pick<LayerPlanRequest['oracle'], 'heads' | 'layers'>,
): number {
  return Math.ceil((instances * model.heads) / (oracle.heads * oracle.layers));
}

/** A score (m multiply-adds) and a weighted value (m multiply-adds) for every head of one layer. */
export function flopsPerPair(model: ModelShape): number {
  return 4 * model.headWidth * model.heads;
}

/** Bytes of the weights that a black box is given with its calls; `fused` has none. */
export function attentionWeightBytes(request: LayerPlanRequest): number {
  const layout = blackBoxLayout(request);
  return layout === undefined
    ? 0
    : readingsOf[layout.construction].reduce((sum, reading) => sum + callWeightBytes(layout.shape, reading), 0);
}

/**
 * Bytes that the attention runs of a layer take besides the layer's own tensors: grows as O(M^2), and as O(N) by the keys
 * of one head that `fused` copies.
 */
export function attentionRunBytes(request: LayerPlanRequest, layerCalls: number): number {
  const layout = blackBoxLayout(request);
  // A black box fills two batches, such as open and causal ones.
  return layout === undefined ? fusedRunBytes(request) : 2 * callsPerDispatch(layout, layerCalls) * blackBoxCallBytes(layout);
}

/** Scores and weights `[tiles, M, M]` with operands and results of one run, the masks, and one head's keys. */
function fusedRunBytes({ model, oracle, tokens, scenario, scoreBytes }: LayerPlanRequest): number {
  const rows = Math.min(oracle.inputLength, tokens);
  const width = model.headWidth;
  const tiles = Math.min(tilesPerDispatch(rows, scoreBytes), Math.ceil(tokens / rows) ** 2);
  const keys = tokens * (width + 1) + (isSampled(scenario) ? tokens * width : 0);
  return floatBytes * (rows * rows * (2 * tiles + fusedMasks) + tiles * rows * (3 * width + 2) + keys);
}

/** Distinct masks of a plan, with the copy that a run makes of the scores they are added to. */
const fusedMasks = 4;

function blackBoxCallBytes({ construction, shape }: BlackBoxLayout): number {
  return Math.max(...readingsOf[construction].map((reading) => callBytes(shape, reading)));
}

/** Memory that one batch of black-box calls may take, so that one `run()` stays short and cancelling stays prompt. */
const batchBytes = 32 * 1024 * 1024;

/** Calls of a black box that one `run()` carries: as many as the batch's memory holds, at least one, at most a layer's. */
export function callsPerDispatch(layout: BlackBoxLayout, layerCalls: number): number {
  return Math.max(1, Math.min(layerCalls, Math.floor(batchBytes / blackBoxCallBytes(layout))));
}

/** Bytes of a float32. */
const floatBytes = 4;

/** Memory of one run's scores in bytes, where nothing was calibrated: about what a processor's last cache holds. */
export const defaultScoreBytes = 4 * 1024 * 1024;

/** Tiles of `rows` by `rows` float32 scores that fit, at least one. */
export function tilesPerDispatch(rows: number, scoreBytes: number = defaultScoreBytes): number {
  return Math.max(1, Math.floor(scoreBytes / (4 * rows * rows)));
}
