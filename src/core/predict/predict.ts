import { isBlackBox } from '../construct/construction';
import { tilesPerDispatch } from '../plan/attention-cost';
import { tokenwiseRows } from '../plan/cost';
import { type Dispatch, dispatchesOf, readsPlainKeys, tileRows } from '../plan/dispatches';
import { layerParts, type LayerPlan, makePlan, type Plan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import type { Phase } from '../report/phases';
import { attentionWidth } from '../shapes';
import { type Calibration, interpolate, type LayerRate, linearBetween, type PassRate, type RunRate, type TileRate } from './calibration';

/** Expected time and memory of a run on a calibrated device. */
export interface Prediction {
  /** Wall time of the layers in milliseconds: the sum of the phases below, without tokenization and checks. */
  readonly wallMs: number;
  readonly phases: Readonly<Record<Extract<Phase, 'project' | 'gather' | 'attend' | 'layer' | 'mlp'>, number>>;
  /** Milliseconds of each layer, which add up to `wallMs`; absent in reports of earlier versions. */
  readonly layerMs?: readonly number[];
  /** Peak resident memory of the process in bytes. */
  readonly peakBytes: number;
}

/** The counts that decide the attention time of one head of one layer. */
interface DispatchCounts {
  readonly runs: number;
  /** Query blocks, each with its first tile. */
  readonly first: number;
  /** Further tiles without a mask. */
  readonly open: number;
  /** Further tiles with a mask. */
  readonly masked: number;
}

/** The rates that predict tile-wise execution. */
export type TilewiseRates = Pick<Calibration, 'tiles' | 'tokenwise' | 'gatherNsPerFloat'>;

/** Counts the tiles of some dispatches. */
export function countDispatches(dispatches: readonly Dispatch[]): DispatchCounts {
  const counts = { runs: dispatches.length, first: 0, open: 0, masked: 0 };
  for (const { blocks, stacks, continues } of dispatches) {
    stacks.forEach(({ tiles, mask }, index) => {
      // With several query blocks, each reads one tile of a stack: its own, or one shared by all.
      const read = blocks > 1 ? blocks : tiles;
      const kind = index === 0 && !continues ? 'first' : mask === undefined ? 'open' : 'masked';
      counts[kind] += read;
    });
  }
  return counts;
}

/**
 * Predicts a run of the `fused` construction from a device's calibration; undefined for the black-box constructions, whose
 * calls are not calibrated.
 */
export function predict(plan: Plan, calibration: Calibration): Prediction | undefined {
  if (isBlackBox(plan.construction)) {
    return undefined;
  }
  const { layer, pass } = calibration;
  const parts = layerParts(plan).map((part) => ({
    layers: part.layers,
    phases: layer === null ? layerPhases(part.plan, calibration) : compiledPhases(part.plan, layer),
  }));
  const whole = totalOf(parts.map(({ phases }) => phases));
  const phases = layer === null ? inPass(whole, pass) : whole;
  return {
    wallMs: sumOf(phases),
    phases,
    layerMs: layerTimes(parts, layer === null ? pass : undefined),
    peakBytes: calibration.idleBytes + plan.bytes + processBytes(plan),
  };
}

/** Times of the layers in order; the first one includes starting sessions. */
function layerTimes(
  parts: readonly { readonly layers: readonly number[]; readonly phases: Prediction['phases'] }[],
  { startMs, factor }: PassRate = { startMs: 0, factor: 1 },
): number[] {
  const times: number[] = [];
  for (const { layers, phases } of parts) {
    for (const layer of layers) {
      times[layer] = (factor * sumOf(phases)) / layers.length + (layer === 0 ? startMs : 0);
    }
  }
  return times;
}

/** The tokenizer with its tables, and memory left over from reading a prompt and a model. */
const preparationBytes = 32 * 1024 * 1024;

/** Layers' worth of run results that await garbage collection: the collector runs only when their memory is worth it. */
const uncollectedLayers = 5;
const mostUncollectedBytes = 200 * 1024 * 1024;

/** Memory of the process in addition to live tensors and the idle runtime. */
function processBytes({ tokens, model }: Plan): number {
  const layerResults = 4 * tokens * (model.width + attentionWidth(model));
  return preparationBytes + Math.min(mostUncollectedBytes, uncollectedLayers * layerResults);
}

/** The sum of phases in milliseconds. */
export function sumOf(phases: Prediction['phases']): number {
  return Object.values(phases).reduce((sum, time) => sum + time, 0);
}

/** Phases as measured in a whole pass; most of its start-up is that of the attention calls' sessions. */
function inPass(phases: Prediction['phases'], { startMs, factor }: PassRate): Prediction['phases'] {
  const { project, gather, attend, layer, mlp } = phases;
  return {
    project: factor * project,
    gather: factor * gather,
    attend: startMs + factor * attend,
    layer: factor * layer,
    mlp: factor * mlp,
  };
}

/** Phases on a device that runs whole layers as compiled graphs. */
function compiledPhases(
  { model, flopsByPhase }: Pick<Plan, 'model' | 'flopsByPhase'>,
  { layerMs, attendNsPerFlop, tokenwiseNsPerFlop }: LayerRate,
): Prediction['phases'] {
  const work = flopsByPhase.attend * attendNsPerFlop + (flopsByPhase.project + flopsByPhase.outputAndMlp) * tokenwiseNsPerFlop;
  return { project: 0, gather: 0, attend: 0, layer: model.layers * layerMs + work / 1e6, mlp: 0 };
}

/** The phases of a tile-wise pass, each as if repeated on its own. */
export function tilewisePhases(plan: Plan, calibration: TilewiseRates): Prediction['phases'] {
  return totalOf(layerParts(plan).map((part) => layerPhases(part.plan, calibration)));
}

function totalOf(parts: readonly Prediction['phases'][]): Prediction['phases'] {
  const total = (phase: keyof Prediction['phases']): number => parts.reduce((sum, phases) => sum + phases[phase], 0);
  return { project: total('project'), gather: total('gather'), attend: total('attend'), layer: total('layer'), mlp: total('mlp') };
}

function layerPhases(plan: LayerPlan, calibration: TilewiseRates): Prediction['phases'] {
  const { model, tokens } = plan;
  const rows = tileRows(plan);
  // Masks are compared by content only when a plan runs; here all partial tiles count as having the same mask.
  const dispatches = plan.tiles === 0 ? [] : dispatchesOf(plan, () => 0, tilesPerDispatch(rows, plan.scoreBytes));
  const { runs, first, open, masked } = countDispatches(dispatches);
  const rate = tileRate(calibration, rows, model.headWidth);
  const attendHead = runs * rate.runMs + first * rate.firstMs + open * rate.openMs + masked * rate.maskedMs;
  const copied = readsPlainKeys(plan) ? 0 : model.keyValueHeads * tokens * model.headWidth;
  const stretches = Math.ceil(tokens / tokenwiseRows(plan.oracle.inputLength));
  return {
    project: tokenwiseMs(calibration, 'project', model.width, model.layers * stretches, plan.flopsByPhase.project),
    gather: (model.layers * copied * calibration.gatherNsPerFloat) / 1e6,
    attend: model.layers * model.heads * attendHead,
    layer: 0,
    mlp: tokenwiseMs(calibration, 'outputAndMlp', model.width, model.layers * stretches, plan.flopsByPhase.outputAndMlp),
  };
}

/** The rates for a tile size and head width that need not have been measured: interpolated per pair and per token. */
export function tileRate({ tiles }: Pick<Calibration, 'tiles'>, rows: number, headWidth: number): TileRate {
  const widths = [...new Set(tiles.map((tile) => tile.headWidth))].sort((a, b) => a - b);
  const at = (pick: (tile: TileRate) => number, power: 0 | 2): number => {
    const ofWidth = widths.map((width): [number, number] => {
      const own = tiles.filter((tile) => tile.headWidth === width).sort((a, b) => a.rows - b.rows);
      return [
        width,
        interpolate(
          own.map((tile) => [tile.rows, pick(tile) / tile.rows ** power]),
          rows,
        ),
      ];
    });
    return linearBetween(ofWidth, headWidth) * rows ** power;
  };
  return {
    rows,
    headWidth,
    runMs: at((tile) => tile.runMs, 0),
    firstMs: at((tile) => tile.firstMs, 2),
    openMs: at((tile) => tile.openMs, 2),
    maskedMs: at((tile) => tile.maskedMs, 2),
  };
}

function tokenwiseMs({ tokenwise }: TilewiseRates, part: 'project' | 'outputAndMlp', width: number, runs: number, flops: number): number {
  const at = (pick: (rate: RunRate) => number): number =>
    interpolate(
      tokenwise.map((rate) => [rate.width, pick(rate[part])]),
      width,
    );
  return runs * at(({ runMs }) => runMs) + (flops * at(({ nsPerFlop }) => nsPerFlop)) / 1e6;
}

/**
 * Largest number of blocks for which every tile of a plan is examined. Longer prompts use the time per tile at this size.
 */
const exactBlocks = 128;

type Phases = Prediction['phases'];

/**
 * Predicts the phases of one request at many lengths.
 *
 * Up to 128 blocks the result is `predict` of the plan. Longer prompts are not planned tile by tile: their attention takes
 * the same time per tile as at 128 blocks, and their other phases the same time per token. Tests check that this is within
 * a few per cent of `predict`.
 * @returns the phases of `tokens` tokens in milliseconds; undefined for a black box, whose calls are not calibrated
 */
export function timePredictor(request: PlanRequest, calibration: Calibration): (tokens: number) => Phases | undefined {
  if (isBlackBox(request.construction)) {
    return () => undefined;
  }
  const { layer, pass, scoreBytes } = calibration;
  const at = (tokens: number): PlanRequest => ({ ...request, tokens, scoreBytes });
  if (layer !== null) {
    return (tokens) => compiledPhases({ model: request.model, flopsByPhase: requestCost(at(tokens)).flopsByPhase }, layer);
  }
  const exact = (tokens: number): Phases | undefined => predict(makePlan(at(tokens)), calibration)?.phases;
  const longest = exactBlocks * request.oracle.inputLength;
  let known: Phases | undefined;
  return (tokens) => {
    if (tokens <= longest) {
      return exact(tokens);
    }
    known ??= exact(longest);
    return known && scaled(known, tokens / longest, attendFlops(at(tokens)) / attendFlops(at(longest)), pass.startMs);
  };
}

/** The wall time of a request in milliseconds, by `timePredictor`. */
export function predictedMs(request: PlanRequest, calibration: Calibration): number | undefined {
  const phases = timePredictor(request, calibration)(request.tokens);
  return phases && sumOf(phases);
}

/** Floating-point operations of attention: the same for every tile. */
function attendFlops(request: PlanRequest): number {
  return requestCost(request).flopsByPhase.attend;
}

/** Scales the phases to a longer prompt. Attention sessions are started once, whatever the length. */
function scaled({ project, gather, attend, layer, mlp }: Phases, tokens: number, tiles: number, startMs: number): Phases {
  return {
    project: tokens * project,
    gather: tokens * gather,
    attend: startMs + tiles * (attend - startMs),
    layer: tokens * layer,
    mlp: tokens * mlp,
  };
}
