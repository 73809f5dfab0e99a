import { InputError } from '../errors';
import { makePlan, type Plan } from '../plan/plan';
import type { PlanOptions } from '../plan/request';
import type { Calibration } from '../predict/calibration';
import { settleRequest } from '../predict/fastest';
import type { Scenario, ScenarioChoice } from '../scenario/scenario';
import { type ModelShape, nativeScenario } from '../shapes';

/** A scenario that a prompt can have, planned. */
interface PossibleScenario {
  readonly plan: Plan;
  /** What is known of the device that the plan is for. */
  readonly calibration: Calibration | undefined;
}

/** A scenario that a prompt cannot have. */
interface RefusedScenario {
  readonly scenario: Scenario;
  /** A sentence with the fix. */
  readonly reason: string;
}

/** Scenarios of one prompt, in the order in which they were asked for. */
export interface SortedScenarios {
  readonly possible: readonly PossibleScenario[];
  readonly refused: readonly RefusedScenario[];
}

/**
 * Decides which scenarios a prompt of N tokens can have on a model of this shape, by planning each; nothing is run for it.
 *
 * @param options all but the scenario; an automatic block size is settled for each scenario by itself
 * @param candidates what is known of the devices that the options allow
 * @throws what is no refusal, but a fault
 */
export function sortScenarios(
  scenarios: readonly ScenarioChoice[],
  tokens: number,
  shape: ModelShape,
  options: Omit<PlanOptions, 'scenario'>,
  candidates: readonly Calibration[],
): SortedScenarios {
  const possible: PossibleScenario[] = [];
  const refused: RefusedScenario[] = [];
  for (const choice of scenarios) {
    const scenario = choice.kind === 'native' ? nativeScenario(shape) : choice;
    try {
      const { request, calibration } = settleRequest(tokens, shape, { ...options, scenario }, candidates);
      possible.push({ plan: makePlan(request), calibration });
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      refused.push({ scenario, reason: error.message });
    }
  }
  return { possible, refused };
}
