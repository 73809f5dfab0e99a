import { messageOf } from '../errors';
import { makeScenario, scenarioKinds, scenarioLabel, scenarioTitle, type Scenario, type ScenarioParameters } from '../masks';
import type { PlanRequest } from '../plan/plan';
import { requestCost } from '../plan/request-cost';
import { breakEven, type BreakEven } from './break-even';
import type { Calibration } from './calibration';
import { sumOf } from './predict';
import { timePredictor } from './predict-request';

/** The lengths of a curve: the powers of two from 128 to a million tokens. */
export const curveLengths: readonly number[] = Array.from({ length: 14 }, (_, index) => 2 ** (index + 7));

/** What a scenario costs at one length. */
export interface CurvePoint {
  /** N. */
  readonly tokens: number;
  readonly attentionCalls: number;
  /** What the theorem allows. */
  readonly boundCalls: number;
  readonly flops: number;
  /** Tensors at the peak. */
  readonly bytes: number;
  /** Expected wall time in milliseconds; null where the device is not calibrated. */
  readonly predictedMs: number | null;
}

/** A scenario's cost over N. */
export interface CostCurve {
  readonly kind: Scenario['kind'];
  readonly title: string;
  /** With its parameters, such as `sliding-window(window 512)`. */
  readonly label: string;
  readonly theorem: string;
  /** By `curveLengths`, without those at which the construction cannot have the scenario. */
  readonly points: readonly CurvePoint[];
}

/** The cost of every scenario over N, for one model, M and construction. */
export interface CostCurves {
  readonly curves: readonly CostCurve[];
  /** Of the scenario that was asked for, with dense attention; null where nothing is predicted. */
  readonly breakEven: Pick<BreakEven, 'fromTokens'> | null;
}

/** The scenarios that stand side by side: each kind with these parameters, where it can be, and first one whose layers differ. */
export function comparedScenarios(chosen: Scenario, parameters: ScenarioParameters): { readonly scenarios: readonly Scenario[]; readonly impossible: readonly string[] } {
  const scenarios: Scenario[] = chosen.kind === 'per-layer' ? [chosen] : [];
  // Two scenarios may share what is wrong with their window: it is said once.
  const impossible = new Set<string>();
  for (const kind of scenarioKinds) {
    try {
      scenarios.push(chosen.kind === kind ? chosen : makeScenario(kind, parameters));
    } catch (error) {
      impossible.add(messageOf(error));
    }
  }
  return { scenarios, impossible: [...impossible] };
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
    breakEven: found === undefined ? null : { fromTokens: found.fromTokens },
  };
}

function curveOf(request: PlanRequest, calibration: Calibration | undefined): CostCurve {
  const { scenario } = request;
  const phasesAt = calibration && timePredictor(request, calibration);
  let theorem = '';
  const points = curveLengths.flatMap((tokens): CurvePoint[] => {
    try {
      const { calls, bound, flops, bytes } = requestCost({ ...request, tokens });
      const phases = phasesAt?.(tokens);
      theorem = bound.theorem;
      return [{ tokens, attentionCalls: calls.attention, boundCalls: bound.calls, flops, bytes, predictedMs: phases === undefined ? null : sumOf(phases) }];
    } catch {
      // A window that theorem 5.1 does not reach is no reason to leave out the lengths that it covers.
      return [];
    }
  });
  return { kind: scenario.kind, title: scenarioTitle(scenario), label: scenarioLabel(scenario), theorem, points };
}
