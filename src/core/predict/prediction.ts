import { isWritten } from '../scenario/scenario';
import type { PlanRequest } from '../plan/plan';
import { requestCost } from '../plan/request-cost';
import { linearBetween, type Calibration } from './calibration';
import { timePredictor } from '../device/predict-request';

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
export function denseAttentionMs({ model, tokens }: Pick<PlanRequest, 'model' | 'tokens'>, { dense }: Calibration): number {
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
