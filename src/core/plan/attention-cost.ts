import { scoredPairs } from '../chosen/rule';
import { type PatternKind, patternKinds } from '../construct/arrangement';
import { type Arrangement, type BlackBoxConstruction, isBlackBox, type PatternCount } from '../construct/construction';
import { type BlackBoxShape, callBytes, callFlops, readingsOf } from '../construct/slice';
import { arrangementOf, isSampled, tileRuleOf } from '../scenario/scenario';
import { type ModelShape, valueWidthOf } from '../shapes';
import type { LayerPlanRequest } from './request';

/** Cost of the attention calls of one layer. */
export interface AttentionCost {
  /** Calls, each packed with H'L' single-head instances (lemma 3.3). */
  readonly calls: number;
  /** Floating-point operations of those calls, including masked and padded pairs. */
  readonly flops: number;
}

/** Cost of `tiles` tiles per head under `fused`, and of choosing them where they are chosen in the run. */
export function fusedCost({ model, oracle, tokens, scenario }: LayerPlanRequest, tiles: number): AttentionCost {
  const read = Math.min(tokens, oracle.inputLength);
  const rule = tileRuleOf(scenario);
  const scores = rule === undefined || tiles === 0 ? 0 : 2 * model.headWidth * model.heads * scoredPairs(rule, tokens, oracle.inputLength);
  return { calls: packedCalls(tiles, model, oracle), flops: flopsPerPair(model) * tiles * read * read + scores };
}

/** How a plan calls the black box: its construction, the arrangement, and the shape of a call of each kind. */
export interface BlackBoxLayout {
  readonly construction: BlackBoxConstruction;
  readonly arrangement: Arrangement;
  readonly shapes: Readonly<Record<PatternKind, BlackBoxShape>>;
}

/**
 * The black-box layout of a request; undefined under `fused`. @throws InputError for a mask that the construction has no arrangement for
 */
export function blackBoxLayout({ construction, scenario, oracle, tokens, model }: LayerPlanRequest): BlackBoxLayout | undefined {
  if (!isBlackBox(construction)) {
    return undefined;
  }
  const arrangement = arrangementOf(scenario, construction, { ...oracle, tokens });
  const { rows, separation } = arrangement;
  const { causal = 0, open = 0, covered = 0 } = separation;
  const shapeOf = (columns: number): BlackBoxShape => ({
    rows,
    layers: oracle.layers,
    heads: oracle.heads,
    headWidth: model.headWidth,
    separation: columns,
  });
  return { construction, arrangement, shapes: { causal: shapeOf(causal), open: shapeOf(open), covered: shapeOf(covered) } };
}

/** Cost of a black-box layout with a given number of patterns per head. */
export function blackBoxCost(
  { model, oracle }: LayerPlanRequest,
  { construction, shapes }: BlackBoxLayout,
  count: PatternCount,
): AttentionCost {
  const cost = { calls: 0, flops: 0 };
  for (const kind of patternKinds) {
    const calls = packedCalls(count[kind] ?? 0, model, oracle);
    for (const reading of readingsOf[construction]) {
      cost.calls += calls;
      cost.flops += calls * callFlops(shapes[kind], reading);
    }
  }
  return cost;
}

/** Calls that carry `instances` single-head instances of every head of a layer. */
export function packedCalls(
  instances: number,
  model: Pick<ModelShape, 'heads'>,
  oracle: Pick<LayerPlanRequest['oracle'], 'heads' | 'layers'>,
): number {
  return Math.ceil((instances * model.heads) / (oracle.heads * oracle.layers));
}

/** A score (a multiply-add for each number of a key) and a weighted value (the same), for every head of one layer. */
export function flopsPerPair(model: ModelShape): number {
  return 2 * (model.headWidth + valueWidthOf(model)) * model.heads;
}

/**
 * Bytes that the attention runs of a layer need in addition to the layer's own tensors: grows as O(M^2), and as O(N) where the keys
 * of a sample are put in its order.
 */
export function attentionRunBytes(request: LayerPlanRequest, layerCalls: number): number {
  const layout = blackBoxLayout(request);
  if (layout === undefined) {
    return fusedRunBytes(request);
  }
  const { construction, arrangement, shapes } = layout;
  // A batch is filled for each kind of call.
  const kinds = new Set(arrangement.formula.filter(({ patterns }) => patterns > 0).map(({ kind }) => kind));
  return [...kinds].reduce(
    (sum, kind) => sum + callsPerDispatch(construction, shapes[kind], layerCalls) * blackBoxCallBytes(construction, shapes[kind]),
    0,
  );
}

/** Scores and weights `[tiles, M, M]` with the operands and results of one run, the masks, and one head's sampled keys. */
function fusedRunBytes({ model, oracle, tokens, scenario, scoreBytes }: LayerPlanRequest): number {
  if (model.heads === 0) {
    return 0;
  }
  const rows = Math.min(oracle.inputLength, tokens);
  const width = model.headWidth;
  const valueWidth = valueWidthOf(model);
  const tiles = Math.min(tilesPerDispatch(rows, scoreBytes), Math.ceil(tokens / rows) ** 2);
  const keys = isSampled(scenario) ? tokens * (width + valueWidth) : 0;
  return floatBytes * (rows * rows * (2 * tiles + fusedMasks) + tiles * rows * (2 * width + valueWidth + 2) + keys);
}

/** Distinct masks of a plan, plus the copy that a run makes of the scores to which it adds them. */
const fusedMasks = 4;

function blackBoxCallBytes(construction: BlackBoxConstruction, shape: BlackBoxShape): number {
  return Math.max(...readingsOf[construction].map((reading) => callBytes(shape, reading)));
}

/** Memory for one batch of black-box calls: small enough that each `run()` is short and cancelling takes effect soon. */
const batchBytes = 32 * 1024 * 1024;

/** Black-box calls per `run()`: as many as fit the batch's memory, at least one, at most a layer's. */
export function callsPerDispatch(construction: BlackBoxConstruction, shape: BlackBoxShape, layerCalls: number): number {
  return Math.max(1, Math.min(layerCalls, Math.floor(batchBytes / blackBoxCallBytes(construction, shape))));
}

/** Bytes of a float32. */
const floatBytes = 4;

/** Default memory of one run's scores in bytes, without a calibration: about the size of a processor's last-level cache. */
const defaultScoreBytes = 4 * 1024 * 1024;

/** Scores of one node of a compiled layer, in bytes: on a device with its own memory, many calls at once are faster than few. */
export const compiledScoreBytes = 256 * 1024 * 1024;

/** How many tiles of `rows` by `rows` float32 scores fit, at least one. */
export function tilesPerDispatch(rows: number, scoreBytes: number = defaultScoreBytes): number {
  return Math.max(1, Math.floor(scoreBytes / (4 * rows * rows)));
}
