import type { Plan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import { isWritten } from '../scenario/scenario';
import { headsOfAllLayers } from '../shapes';
import { type Calibration, linearBetween } from './calibration';
import { predict, type Prediction, timePredictor } from './predict';

/** Attention of a plan compared with dense attention on the same device. */
export interface BreakEven {
  /** Predicted attention of the simulation at this N, all layers, in milliseconds. */
  readonly attentionMs: number;
  /** Predicted dense causal attention at this N. */
  readonly denseMs: number;
  /** The smallest tested N from which the simulation is faster; undefined if there is none up to `largestTokens`. */
  readonly fromTokens: number | undefined;
}

/** Largest N at which a break-even is searched: the dense scores of one head take 16 GiB there. */
export const largestTokens = 65_536;

/** Dense causal attention of every head and layer, in milliseconds: one head's rate, all N^2 pairs. */
function denseAttentionMs({ model, tokens }: Pick<PlanRequest, 'model' | 'tokens'>, { dense }: Calibration): number {
  const nsPerPair = linearBetween(
    dense.map((rate) => [rate.headWidth, rate.nsPerPair]),
    model.headWidth,
  );
  return (headsOfAllLayers(model) * tokens ** 2 * nsPerPair) / 1e6;
}

/**
 * From which N the simulation of a scenario beats dense attention on a device, at fixed M.
 *
 * Dense attention computes every pair whatever the mask, so a window wins early and full attention hardly ever. Undefined
 * if nothing is predicted, and for a custom mask, because planning it at a dozen lengths may take seconds.
 */
export function breakEven(request: PlanRequest, calibration: Calibration): BreakEven | undefined {
  if (isWritten(request.scenario)) {
    return undefined;
  }
  const phasesAt = timePredictor(request, calibration);
  const compare = (tokens: number): { attentionMs: number; denseMs: number } | undefined => {
    const phases = phasesAt(tokens);
    // A compiled layer has a single time: its attention is the part for its floating-point operations.
    const { layer } = calibration;
    const compiled = layer === null ? 0 : (layer.attendNsPerFlop * requestCost({ ...request, tokens }).flopsByPhase.attend) / 1e6;
    return (
      phases && { attentionMs: phases.gather + phases.attend + compiled, denseMs: denseAttentionMs({ ...request, tokens }, calibration) }
    );
  };
  const here = compare(request.tokens);
  if (here === undefined) {
    return undefined;
  }
  let fromTokens: number | undefined;
  // From above: the break-even is where the simulation begins to win for good.
  for (let tokens = largestTokens; tokens >= 64; tokens /= 2) {
    const tried = compare(tokens);
    if (tried === undefined || tried.attentionMs >= tried.denseMs) {
      break;
    }
    fromTokens = tokens;
  }
  return { ...here, fromTokens };
}

/** The expected time and memory of a plan on a calibrated device, as reports print it. */
export interface PredictionReport extends Prediction {
  readonly provider: Calibration['provider'];
  readonly device: string;
  readonly threads: number;
  /** When the device was calibrated, ISO 8601. */
  readonly calibrated: string;
  readonly breakEven: BreakEven | null;
}

/** A prediction and its device: cheap enough to compute at every keystroke. */
export type DevicePrediction = Omit<PredictionReport, 'breakEven'>;

/** The prediction of a plan, or null if its device is not calibrated or its construction is not predicted. */
export function devicePrediction(plan: Plan, calibration: Calibration | undefined): DevicePrediction | null {
  const prediction = calibration && predict(plan, calibration);
  return calibration === undefined || prediction === undefined
    ? null
    : {
        provider: calibration.provider,
        device: calibration.device,
        threads: calibration.threads,
        calibrated: calibration.date,
        ...prediction,
      };
}

/** Attention's part of a prediction in milliseconds; for a compiled layer, which is not split, the whole layer. */
export function attentionMs({ phases: { gather, attend, layer } }: DevicePrediction): number {
  return gather + attend + layer;
}

/** `devicePrediction` with the break-even, which plans a dozen other lengths. */
export function predictionReport(plan: Plan, calibration: Calibration | undefined): PredictionReport | null {
  const prediction = devicePrediction(plan, calibration);
  return calibration === undefined || prediction === null ? null : { ...prediction, breakEven: breakEven(plan, calibration) ?? null };
}
