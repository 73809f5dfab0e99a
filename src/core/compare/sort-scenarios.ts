import { InputError } from '../errors';
import type { Plan } from '../plan/plan';
import type { PlanOptions } from '../plan/request';
import type { Calibration } from '../predict/calibration';
import { settledPlan } from '../predict/fastest';
import type { Scenario, ScenarioChoice } from '../scenario/scenario';
import { type ModelShape, nativeScenario } from '../shapes';

/** Scenarios to compare. */
export interface WantedScenarios {
  readonly scenarios: readonly ScenarioChoice[];
  /** Whether the user named the scenarios: then none may be left out. */
  readonly named: boolean;
}

/** A scenario that a prompt can have, planned. */
export interface PossibleScenario {
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
 * @param check refuses a planned scenario, with an InputError, for what a plan does not know
 * @throws InputError if a scenario that the user named is refused, or every scenario; any other error of planning
 */
export function sortScenarios(
  { scenarios, named }: WantedScenarios,
  tokens: number,
  shape: ModelShape,
  options: Omit<PlanOptions, 'scenario'>,
  candidates: readonly Calibration[],
  check: (planned: PossibleScenario) => void = () => undefined,
): SortedScenarios {
  const possible: PossibleScenario[] = [];
  const refused: RefusedScenario[] = [];
  for (const choice of scenarios) {
    const scenario = choice.kind === 'native' ? nativeScenario(shape) : choice;
    try {
      const planned = settledPlan(tokens, shape, { ...options, scenario }, candidates);
      check(planned);
      possible.push(planned);
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      refused.push({ scenario, reason: error.message });
    }
  }
  if (possible.length === 0 || (named && refused.length > 0)) {
    throw new InputError(refused[0]?.reason ?? 'There is no scenario to compare; name one.');
  }
  return { possible, refused };
}
