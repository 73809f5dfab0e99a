import { InputError } from '../errors';
import type { Plan } from '../plan/plan';
import { type PlanRequest, planRequest } from '../plan/request';
import { requestCost } from '../plan/request-cost';
import type { Calibration } from '../predict/calibration';
import { predictedMs, type Prediction } from '../predict/predict';
import {
  comparedKinds,
  isCycle,
  looksAhead,
  makeScenario,
  type Scenario,
  scenarioLabel,
  type ScenarioParameters,
  scenarioTitle,
} from '../scenario/scenario';
import { nativeScenario } from '../shapes';
import { curvePoint, type CurvePoint } from './cost-curves';

/** What one scenario costs a prompt. */
export interface ScenarioCost extends CurvePoint {
  readonly kind: Scenario['kind'];
  readonly title: string;
  /** With its parameters, such as `sliding-window(window 512)`. */
  readonly label: string;
}

/** Scenarios of one prompt, model and small transformer, and why others cannot be. */
interface Compared<T> {
  readonly possible: readonly T[];
  /** Each reason once. */
  readonly impossible: readonly string[];
}

/**
 * The scenarios that stand side by side: each standard kind with these parameters, where it can be; a written mask where it is
 * the one chosen; and first one whose layers or heads differ.
 */
export function comparedScenarios(chosen: Scenario, parameters: ScenarioParameters): Compared<Scenario> {
  const { possible, impossible } = attempt(comparedKinds(chosen.kind), (kind) =>
    chosen.kind === kind ? chosen : makeScenario(kind, parameters),
  );
  return { possible: isCycle(chosen) ? [chosen, ...possible] : possible, impossible };
}

/** The requests that compared scenarios are, for the prompt, the model and the small transformer of a plan. */
export function comparedRequests(plan: PlanRequest, parameters: ScenarioParameters): Compared<PlanRequest> {
  const { tokens, model, construction, oracle, restarts, scoreBytes } = plan;
  const options = {
    construction,
    blockSize: oracle.inputLength,
    oracleLayers: oracle.layers,
    oracleHeads: oracle.heads,
    ...(restarts && { restarts }),
  };
  const { possible, impossible } = comparedScenarios(plan.scenario, parameters);
  return { possible: possible.map((scenario) => ({ ...planRequest(tokens, model, { ...options, scenario }), scoreBytes })), impossible };
}

/**
 * What each scenario costs the prompt of a plan: the plan's own costs for its own scenario, and for others those of `requestCost`.
 *
 * @param prediction of the plan, which is known where it was planned: a million tokens take a second to predict
 */
export function scenarioCosts(
  plan: Plan,
  prediction: Pick<Prediction, 'wallMs'> | null,
  parameters: ScenarioParameters,
  calibration: Calibration | undefined,
): Compared<ScenarioCost> {
  const { possible: requests, impossible } = comparedRequests(plan, parameters);
  const own = scenarioLabel(plan.scenario);
  const costs = attempt(requests, (request): ScenarioCost => {
    const { scenario, tokens } = request;
    const label = scenarioLabel(scenario);
    const [cost, time] =
      label === own ? [plan, prediction?.wallMs] : [requestCost(request), calibration && predictedMs(request, calibration)];
    return { kind: scenario.kind, title: scenarioTitle(scenario), label, ...curvePoint(tokens, cost, time ?? null) };
  });
  return { possible: costs.possible, impossible: [...new Set([...impossible, ...costs.impossible])] };
}

/**
 * The compared scenarios that the prompt, the construction and the small transformer of a plan allow, and that a model which
 * predicts the next token has a quality under: there a query must not see later keys.
 */
export function evaluatedScenarios(plan: PlanRequest, parameters: ScenarioParameters): readonly Scenario[] {
  const encoder = looksAhead(nativeScenario(plan.model), shortestPair);
  const { possible } = attempt(comparedRequests(plan, parameters).possible, (request) => {
    requestCost(request);
    return request.scenario;
  });
  return possible.filter((scenario) => encoder || !looksAhead(scenario, shortestPair));
}

/** Tokens among which one can come later. */
const shortestPair = 2;

/** What `make` makes of each item, and why it could not. Two scenarios may share what is wrong with their window: it is said once. */
function attempt<Item, T>(items: readonly Item[], make: (item: Item) => T): Compared<T> {
  const possible: T[] = [];
  const impossible = new Set<string>();
  for (const item of items) {
    try {
      possible.push(make(item));
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      impossible.add(error.message);
    }
  }
  return { possible, impossible: [...impossible] };
}
