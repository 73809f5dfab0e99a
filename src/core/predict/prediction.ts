import type { Plan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import { isWritten } from '../scenario/scenario';
import { type Calibration, linearBetween } from './calibration';
import { predict, type Prediction, timePredictor } from './predict';

/** Attention of a plan beside dense attention on the same device. */
export interface BreakEven {
  /** Predicted attention of the simulation at this N, all layers, in milliseconds. */
  readonly attentionMs: number;
  /** Predicted dense causal attention at this N. */
  readonly denseMs: number;
  /** The smallest N tried from which on the simulation is faster; undefined where it is not at any N up to `largestTokens`. */
  readonly fromTokens: number | undefined;
}

/** N up to which a break-even is looked for: dense scores of one head take 16 GiB there. */
export const largestTokens = 65_536;

/** Dense causal attention of every head and layer, in milliseconds: one head's rate, all N^2 pairs. */
function denseAttentionMs({ model, tokens }: Pick<PlanRequest, 'model' | 'tokens'>, { dense }: Calibration): number {
  const nsPerPair = linearBetween(
    dense.map((rate) => [rate.headWidth, rate.nsPerPair]),
    model.headWidth,
  );
  return (model.layers * model.heads * tokens ** 2 * nsPerPair) / 1e6;
}

/**
 * From which N on the simulation of a scenario beats dense attention on a device, M held.
 *
 * Dense attention computes every pair whatever the mask, so a window wins early and full attention hardly ever.
 * Undefined where nothing is predicted, and for a written mask: planning that at a dozen lengths may take seconds.
 */
export function breakEven(request: PlanRequest, calibration: Calibration): BreakEven | undefined {
  if (isWritten(request.scenario)) {
    return undefined;
  }
  const phasesAt = timePredictor(request, calibration);
  const compare = (tokens: number): { attentionMs: number; denseMs: number } | undefined => {
    const phases = phasesAt(tokens);
    // A compiled layer is one time: its attention is what its floating-point operations take.
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
  // From above: the break-even is where the simulation wins and goes on winning.
  for (let tokens = largestTokens; tokens >= 64; tokens /= 2) {
    const tried = compare(tokens);
    if (tried === undefined || tried.attentionMs >= tried.denseMs) {
      break;
    }
    fromTokens = tokens;
  }
  return { ...here, fromTokens };
}

/** What a calibrated device is expected to make of a plan, as reports print it. */
export interface PredictionReport extends Prediction {
  readonly provider: Calibration['provider'];
  readonly device: string;
  readonly threads: number;
  /** When the device was calibrated, ISO 8601. */
  readonly calibrated: string;
  readonly breakEven: BreakEven | null;
}

/** A prediction and the device that it is for: what can be said at every keystroke. */
export type DevicePrediction = Omit<PredictionReport, 'breakEven'>;

/** The prediction of a plan, or null where its device is not calibrated or its construction is not predicted. */
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

/** Attention's part of a prediction in milliseconds; a compiled layer is not taken apart. */
export function attentionMs({ phases: { gather, attend, layer } }: DevicePrediction): number {
  return gather + attend + layer;
}

/** The same with the break-even, which plans a dozen other lengths. */
export function predictionReport(plan: Plan, calibration: Calibration | undefined): PredictionReport | null {
  const prediction = devicePrediction(plan, calibration);
  return calibration === undefined || prediction === null ? null : { ...prediction, breakEven: breakEven(plan, calibration) ?? null };
}
