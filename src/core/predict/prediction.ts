import type { Plan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import { isWritten, looksAhead } from '../scenario/scenario';
import { headsOfAllLayers, valueWidthOf } from '../shapes';
import { type Calibration, type DenseOperator, type DenseRate, linearBetween, type Range } from './calibration';
import {
  type Extrapolation,
  extrapolations,
  type PredictionLoad,
  predictionLoad,
  type RunWay,
  type TimeInterval,
  timeInterval,
} from './interval';
import { loadEffect } from './load';
import type { MemoryEstimate } from './memory';
import { predict, type Prediction, timePredictor } from './predict';

/** Attention of a plan compared with the best dense operator of the runtime on the same device. */
export interface BreakEven {
  /** Attention's part of the prediction at this N, all layers, in milliseconds. */
  readonly attentionMs: number;
  /** Between which it is in about nine of ten runs; absent in reports of earlier versions, as the next two are. */
  readonly interval?: TimeInterval;
  /** Dense attention at this N by the fastest operator, from its measured times, under the load of the prediction. */
  readonly denseMs: number;
  /** The residual of the operator's times. */
  readonly denseError?: number;
  /** False where the times of the calibration are too far off to tell which is faster: then `fromTokens` is undefined. */
  readonly known?: boolean;
  /** The fastest operator at this N; absent in reports of earlier versions. */
  readonly operator?: DenseOperator;
  /** The lengths at which dense attention was measured; absent in reports of earlier versions. */
  readonly measured?: Range;
  /**
   * The smallest tested N from which the simulation is faster; undefined if there is none. Beyond `measured` it is extrapolated.
   */
  readonly fromTokens: number | undefined;
}

/** The smallest and the largest N at which a break-even is searched. */
const shortestTokens = 64;
const largestTokens = 65_536;

/** The largest residual of a dense operator with which it is compared. */
const mostDenseError = 0.5;

/** Dense attention of every head and layer. */
interface DenseTime {
  readonly operator: DenseOperator;
  readonly ms: number;
  readonly error: number;
  readonly measured: Range;
}

/**
 * The fastest dense operator of the runtime at some N; undefined if none was measured.
 *
 * `GroupQueryAttention` masks causally, and has values as wide as keys: it is out where the scenario looks ahead or they differ.
 */
function bestDense(
  { model, tokens, scenario }: Pick<PlanRequest, 'model' | 'tokens' | 'scenario'>,
  { dense }: Calibration,
): DenseTime | undefined {
  const grouped = !looksAhead(scenario, tokens) && valueWidthOf(model) === model.headWidth;
  const byOperator = new Map<DenseOperator, DenseRate[]>();
  for (const rate of dense) {
    if (grouped || rate.operator !== 'GroupQueryAttention') {
      byOperator.set(rate.operator, [...(byOperator.get(rate.operator) ?? []), rate]);
    }
  }
  const times = [...byOperator].map(([operator, rates]): DenseTime => {
    const headMs = linearBetween(
      rates.map(({ headWidth, callMs, nsPerToken, nsPerPair }) => [
        headWidth,
        callMs + (nsPerToken * tokens + nsPerPair * tokens ** 2) / 1e6,
      ]),
      model.headWidth,
    );
    const measured = { from: Math.max(...rates.map((rate) => rate.tokens.from)), to: Math.min(...rates.map((rate) => rate.tokens.to)) };
    return { operator, ms: headsOfAllLayers(model) * headMs, error: Math.max(...rates.map(({ fit }) => fit.error)), measured };
  });
  return times.sort((one, other) => one.ms - other.ms)[0];
}

/**
 * From which N the simulation of a scenario beats dense attention on a device, at fixed M.
 *
 * Dense operators compute every pair that causality leaves, whatever the mask, so a window wins early and causal attention
 * hardly ever. The load of the machine slows both sides alike. Undefined if nothing is predicted or no dense operator was
 * measured, and for a custom mask, because planning it at a dozen lengths may take seconds.
 *
 * @param predicted what was predicted at the request's own N, where it was: longer prompts are otherwise scaled from shorter ones
 */
export function breakEven(
  request: PlanRequest,
  calibration: Calibration,
  predicted?: Prediction['phases'],
): Required<BreakEven> | undefined {
  if (isWritten(request.scenario)) {
    return undefined;
  }
  const phasesAt = timePredictor(request, calibration);
  const { factor } = loadEffect(calibration);
  const compare = (tokens: number): { attentionMs: number; dense: DenseTime } | undefined => {
    const phases = tokens === request.tokens && predicted !== undefined ? predicted : phasesAt(tokens);
    const dense = bestDense({ ...request, tokens }, calibration);
    // A compiled layer has a single time: its attention is the part for its floating-point operations.
    const { layer } = calibration;
    const compiled = layer === null ? 0 : (layer.attendNsPerFlop * requestCost({ ...request, tokens }).flopsByPhase.attend) / 1e6;
    return phases && dense && { attentionMs: phases.gather + phases.attend + compiled, dense: { ...dense, ms: factor * dense.ms } };
  };
  const here = compare(request.tokens);
  if (here === undefined) {
    return undefined;
  }
  const { attentionMs } = here;
  const { operator, ms: denseMs, error: denseError, measured } = here.dense;
  const interval = timeInterval(attentionMs, calibration, []);
  const common = { attentionMs, interval, denseMs, denseError, operator, measured };
  if (denseError > mostDenseError || interval.doubtful === 'calibration') {
    return { ...common, known: false, fromTokens: undefined };
  }
  const wins = (tokens: number): boolean => {
    const tried = compare(tokens);
    return tried !== undefined && tried.attentionMs < tried.dense.ms;
  };
  // Lengths double from the longest that was measured: down to where the simulation still wins, or, where it does not win there,
  // beyond, to where it begins to win for good.
  const within: number[] = [];
  for (let tokens = measured.to; tokens >= shortestTokens && wins(tokens); tokens /= 2) {
    within.unshift(tokens);
  }
  const beyond: number[] = [];
  for (let tokens = largestTokens; within.length === 0 && tokens > measured.to && wins(tokens); tokens /= 2) {
    beyond.unshift(tokens);
  }
  return { ...common, known: true, fromTokens: [...within, ...beyond].at(0) };
}

/** The expected time and memory of a plan on a calibrated device, as reports print it. */
export interface PredictionReport extends Prediction {
  /** Peak resident memory of the process in bytes: that of the memory's parts. */
  readonly peakBytes: number;
  readonly provider: Calibration['provider'];
  readonly device: string;
  readonly threads: number;
  /** When the device was calibrated, ISO 8601. */
  readonly calibrated: string;
  /** Between which about nine of ten runs end; absent in reports of earlier versions, as the next two are. */
  readonly interval?: TimeInterval;
  /** In what the plan or its run goes beyond what was measured; empty where it does not. */
  readonly extrapolates?: readonly Extrapolation[];
  readonly load?: PredictionLoad;
  readonly breakEven: BreakEven | null;
}

/** A prediction and its device: cheap enough to compute at every keystroke. */
export type DevicePrediction = Omit<PredictionReport, 'breakEven'>;

/**
 * The prediction of a plan, or null if its device is not calibrated or its construction is not predicted.
 *
 * @param way how the plan is run; as the device is calibrated by default
 */
export function devicePrediction(
  plan: Plan,
  calibration: Calibration | undefined,
  { peak }: Pick<MemoryEstimate, 'peak'>,
  way?: RunWay,
): DevicePrediction | null {
  const prediction = calibration && predict(plan, calibration);
  if (calibration === undefined || prediction === undefined) {
    return null;
  }
  const extrapolates = extrapolations(plan, calibration, way);
  return {
    provider: calibration.provider,
    device: calibration.device,
    threads: calibration.threads,
    calibrated: calibration.date,
    ...prediction,
    peakBytes: peak,
    interval: timeInterval(prediction.wallMs, calibration, extrapolates),
    extrapolates,
    load: predictionLoad(calibration),
  };
}

/** Attention's part of a prediction in milliseconds; for a compiled layer, which is not split, the whole layer. */
export function attentionMs({ phases: { gather, attend, layer } }: DevicePrediction): number {
  return gather + attend + layer;
}

/** A prediction with its break-even, which plans a dozen other lengths. */
export function withBreakEven(
  prediction: DevicePrediction | null,
  plan: Plan,
  calibration: Calibration | undefined,
): PredictionReport | null {
  return prediction === null
    ? null
    : { ...prediction, breakEven: (calibration && breakEven(plan, calibration, prediction.phases)) ?? null };
}
