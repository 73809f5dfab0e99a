import { InputError } from '../errors';
import type { PlanRequest } from '../plan/request';
import { requestCost, type RequestCost } from '../plan/request-cost';
import type { Calibration } from '../predict/calibration';
import { sumOf, timePredictor } from '../predict/predict';
import { breakEven, type BreakEven } from '../predict/prediction';
import { isWritten, type Scenario, scenarioLabel, scenarioTitle } from '../scenario/scenario';

/** The lengths of a curve: the powers of two from 128 to a million tokens. */
export const curveLengths: readonly number[] = Array.from({ length: 14 }, (_, index) => 2 ** (index + 7));

/** The longest point of a written mask's curve: its tiles are looked at one by one, and its pairs where they must be. */
const longestWritten = 2048;

/** What a scenario costs at one length. */
export interface CurvePoint {
  /** N. */
  readonly tokens: number;
  readonly attentionCalls: number;
  readonly tokenwiseCalls: number;
  /** What the theorem allows of attention calls. */
  readonly boundCalls: number;
  readonly flops: number;
  /** Those of them that are attention calls. */
  readonly attentionFlops: number;
  /** Tensors at the peak. */
  readonly bytes: number;
  /** Expected wall time in milliseconds; null where the device is not calibrated. */
  readonly predictedMs: number | null;
}

/** A scenario's cost over N. */
export interface CostCurve {
  readonly scenario: Scenario;
  readonly title: string;
  /** With its parameters, such as `sliding-window(window 512)`. */
  readonly label: string;
  readonly theorem: string;
  /** By `curveLengths`, without those at which the construction cannot have the scenario, or it would take long to tell. */
  readonly points: readonly CurvePoint[];
}

/** The cost of every scenario over N, for one model, M and construction. */
export interface CostCurves {
  readonly curves: readonly CostCurve[];
  /** Of the scenario that was asked for, with dense attention; null where nothing is predicted. */
  readonly breakEven: Pick<Required<BreakEven>, 'fromTokens' | 'operator' | 'measured' | 'known'> | null;
}

/**
 * The cost of scenarios at every length of `curveLengths`. The request's own N does not matter.
 *
 * @param requests one for each scenario, the one in force among them
 * @param current the one in force, whose break-even is looked for
 */
export function costCurves(requests: readonly PlanRequest[], current: PlanRequest, calibration: Calibration | undefined): CostCurves {
  const found = calibration && breakEven(current, calibration);
  return {
    curves: requests.map((request) => curveOf(request, calibration)).filter(({ points }) => points.length > 0),
    breakEven:
      found === undefined ? null : { fromTokens: found.fromTokens, operator: found.operator, measured: found.measured, known: found.known },
  };
}

/** What a request costs, with the expected time that its caller knows. */
export function curvePoint(
  tokens: number,
  { calls, bound, flops, flopsByPhase, bytes }: Omit<RequestCost, 'blocks'>,
  predictedMs: number | null,
): CurvePoint {
  return {
    tokens,
    attentionCalls: calls.attention,
    tokenwiseCalls: calls.tokenwise,
    boundCalls: bound.calls,
    flops,
    attentionFlops: flopsByPhase.attend,
    bytes,
    predictedMs,
  };
}

function curveOf(request: PlanRequest, calibration: Calibration | undefined): CostCurve {
  const { scenario } = request;
  const phasesAt = calibration && timePredictor(request, calibration);
  let theorem = '';
  const lengths = isWritten(scenario) ? curveLengths.filter((tokens) => tokens <= longestWritten) : curveLengths;
  const points = lengths.flatMap((tokens): CurvePoint[] => {
    try {
      const cost = requestCost({ ...request, tokens });
      const phases = phasesAt?.(tokens);
      theorem = cost.bound.theorem;
      return [curvePoint(tokens, cost, phases === undefined ? null : sumOf(phases))];
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      // A window that theorem 5.1 does not reach is no reason to leave out the lengths that it covers.
      return [];
    }
  });
  return { scenario, title: scenarioTitle(scenario), label: scenarioLabel(scenario), theorem, points };
}
