import { isBlackBox } from '../construct/construction';
import { tilesPerDispatch } from '../plan/attention-cost';
import { tokenwiseRows } from '../plan/cost';
import { type Dispatch, dispatchesOf, tileRows } from '../plan/dispatches';
import { scoredPairs } from '../chosen/rule';
import { isSampled, tileRuleOf } from '../scenario/scenario';
import { layerParts, type LayerPlan, makePlan, type Plan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import type { Phase } from '../report/phases';
import { type Calibration, interpolate, type LayerRate, linearBetween, type PassRate, type RunRate, type TileRate } from './calibration';
import { loadEffect } from './load';

/** Expected time of a run on a calibrated device. */
export interface Prediction {
  /** Wall time of the layers in milliseconds: the sum of the phases below, without tokenization and checks. */
  readonly wallMs: number;
  readonly phases: Readonly<Record<Extract<Phase, 'project' | 'gather' | 'attend' | 'layer' | 'mlp'>, number>>;
  /** Milliseconds of each layer, which add up to `wallMs`; absent in reports of earlier versions. */
  readonly layerMs?: readonly number[];
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
export interface TilewiseRates extends Pick<Calibration, 'gatherNsPerFloat'> {
  readonly tiles: readonly TileRate[];
  readonly tokenwise: readonly {
    readonly width: number;
    readonly project: RunRate;
    readonly outputAndMlp: RunRate;
  }[];
}

/** Counts the tiles of some dispatches. */
export function countDispatches(dispatches: readonly Dispatch[]): DispatchCounts {
  const counts = { runs: dispatches.length, first: 0, open: 0, masked: 0 };
  for (const { blocks, stacks, further, continues } of dispatches) {
    counts.open += further.reduce((sum, stack) => sum + (stack?.tiles ?? 0), 0);
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
 * calls are not calibrated, and where the time is not finite.
 */
export function predict(plan: Plan, calibration: Calibration): Prediction | undefined {
  const { layer } = calibration;
  if (!isPredicted(plan, calibration)) {
    return undefined;
  }
  const pass = passNow(calibration);
  const parts = layerParts(plan).map((part) => ({
    layers: part.layers,
    phases: layer === null ? factored(layerPhases(part.plan, calibration), pass) : compiledPhases(part.plan, layer),
  }));
  const startMs = layer === null ? pass.startMs : 0;
  const phases = started(totalOf(parts.map((part) => part.phases)), startMs);
  const wallMs = sumOf(phases);
  // Rates that add up to no number say nothing.
  if (!Number.isFinite(wallMs)) {
    return undefined;
  }
  return {
    wallMs,
    phases,
    layerMs: layerTimes(parts, startMs),
  };
}

/**
 * Whether the calls of a plan are calibrated: a black box's are not, nor tiles where whole layers are, which have one mask for all heads, known
 * before.
 */
function isPredicted({ construction, scenario }: Pick<PlanRequest, 'construction' | 'scenario'>, { layer }: Calibration): boolean {
  return !isBlackBox(construction) && (layer === null || (scenario.kind !== 'per-head' && tileRuleOf(scenario) === undefined));
}

/** Times of the layers in order; the first one includes starting sessions. */
function layerTimes(
  parts: readonly { readonly layers: readonly number[]; readonly phases: Prediction['phases'] }[],
  startMs: number,
): number[] {
  const times: number[] = [];
  for (const { layers, phases } of parts) {
    for (const layer of layers) {
      times[layer] = (times[layer] ?? (layer === 0 ? startMs : 0)) + sumOf(phases) / layers.length;
    }
  }
  return times;
}

/** What whole passes take now, beside what else the machine does. */
function passNow(calibration: Calibration): PassRate {
  const { startMs, attendFactor, tokenwiseFactor } = calibration.pass;
  const { factor } = loadEffect(calibration);
  return { startMs: factor * startMs, attendFactor: factor * attendFactor, tokenwiseFactor: factor * tokenwiseFactor };
}

/** The sum of phases in milliseconds. */
export function sumOf(phases: Prediction['phases']): number {
  return Object.values(phases).reduce((sum, time) => sum + time, 0);
}

/** Phases as a whole pass takes them, without its start-up. */
function factored(
  { project, gather, attend, layer, mlp }: Prediction['phases'],
  { attendFactor, tokenwiseFactor }: Pick<PassRate, 'attendFactor' | 'tokenwiseFactor'>,
): Prediction['phases'] {
  return {
    project: tokenwiseFactor * project,
    gather: attendFactor * gather,
    attend: attendFactor * attend,
    layer,
    mlp: tokenwiseFactor * mlp,
  };
}

/** Phases with the start-up of a pass, most of which is that of the attention calls' sessions. */
function started(phases: Prediction['phases'], startMs: number): Prediction['phases'] {
  return { ...phases, attend: startMs + phases.attend };
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
  const limit = tilesPerDispatch(rows, plan.scoreBytes);
  const rule = tileRuleOf(plan.scenario);
  const { runs, first, open, masked } = rule
    ? chosenCounts(plan, limit)
    : countDispatches(plan.tiles === 0 ? [] : dispatchesOf(plan, () => 0, limit));
  const rate = tileRate(calibration, rows, model.headWidth);
  const attendHead = runs * rate.runMs + first * rate.firstMs + open * rate.openMs + masked * rate.maskedMs;
  // Keys and values of a sample are put in its order.
  const copied = isSampled(plan.scenario)
    ? 2 * model.keyValueHeads * tokens * model.headWidth
    : rule
      ? 2 * model.heads * open * rows * model.headWidth
      : 0;
  // A score to choose by is a score of a tile, without its value.
  const scoredTiles = rule ? scoredPairs(rule, tokens, rows) / rows ** 2 : 0;
  // Of several parts of a layer, one has its work token by token.
  const stretches = plan.calls.tokenwise === 0 ? 0 : Math.ceil(tokens / tokenwiseRows(plan.oracle.inputLength));
  return {
    project: tokenwiseMs(calibration, 'project', model.width, model.layers * stretches, plan.flopsByPhase.project),
    gather: (model.layers * copied * calibration.gatherNsPerFloat) / 1e6,
    attend: model.layers * model.heads * (attendHead + (scoredTiles * rate.openMs) / 2),
    layer: 0,
    mlp: tokenwiseMs(calibration, 'outputAndMlp', model.width, model.layers * stretches, plan.flopsByPhase.outputAndMlp),
  };
}

/** The counts of tiles that are chosen in the run: own ones of many query blocks in a run, all others of a head side by side. */
function chosenCounts({ tiles, blocks }: LayerPlan, limit: number): DispatchCounts {
  const open = tiles === 0 ? 0 : tiles - blocks;
  return { runs: tiles === 0 ? 0 : Math.ceil(blocks / limit) + Math.ceil(open / limit), first: tiles === 0 ? 0 : blocks, open, masked: 0 };
}

/** The rates for a tile size and head width that need not have been measured: interpolated per pair and per token. */
export function tileRate({ tiles }: Pick<TilewiseRates, 'tiles'>, rows: number, headWidth: number): TileRate {
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
 * @returns the phases of `tokens` tokens in milliseconds; undefined where calls are not calibrated, such as a black box's
 */
export function timePredictor(request: PlanRequest, calibration: Calibration): (tokens: number) => Phases | undefined {
  if (!isPredicted(request, calibration)) {
    return () => undefined;
  }
  const { layer, scoreBytes } = calibration;
  const { startMs } = passNow(calibration);
  const at = (tokens: number): PlanRequest => ({ ...request, tokens, scoreBytes });
  if (layer !== null) {
    return (tokens) => compiledPhases({ model: request.model, flopsByPhase: requestCost(at(tokens)).flopsByPhase }, layer);
  }
  const exact = (tokens: number): Phases | undefined => predict(makePlan(at(tokens)), calibration)?.phases;
  const longest = exactBlocks * request.oracle.inputLength;
  let known: Phases | undefined;
  return (tokens) => {
    // The time of chosen tiles follows from their number, whatever the length.
    if (tokens <= longest || tileRuleOf(at(tokens).scenario) !== undefined) {
      return exact(tokens);
    }
    known ??= exact(longest);
    return known && scaled(known, tokens / longest, attendFlops(at(tokens)) / attendFlops(at(longest)), startMs);
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
