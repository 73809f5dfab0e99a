import type { ExperimentReport, PlannedCost } from './report';
import { scenarioLabel } from '../scenario/scenario';

/** Limits that every prompt has to keep under every scenario and block size; those that are left out limit nothing. */
export interface Budgets {
  /** Calls of the small transformer for the whole prompt. */
  readonly calls?: number | undefined;
  /** Milliseconds that the calibrated device is expected to take for the whole prompt. */
  readonly predictedMs?: number | undefined;
  /** Mean KL divergence from the model's own attention, in nats, over the prompt's windows. */
  readonly kl?: number | undefined;
}

/** One limit held against one prompt. */
export interface BudgetCheck {
  readonly prompt: string;
  readonly scenario: string;
  /** M. */
  readonly blockSize: number;
  readonly budget: keyof Budgets;
  readonly limit: number;
  /** Null where it could not be found out, which breaks the budget. */
  readonly value: number | null;
  readonly kept: boolean;
}

/** Holds every budget against every prompt at every point of an experiment. */
export function checkBudgets({ points }: ExperimentReport, budgets: Budgets): BudgetCheck[] {
  return points.flatMap(({ scenario, blockSize, prompts }) =>
    prompts.flatMap(({ path, cost, quality }) => {
      const values = { ...costsOf(cost), kl: quality?.divergence.mean.value ?? null };
      return (Object.keys(values) as (keyof Budgets)[]).flatMap((budget): BudgetCheck[] => {
        const [limit, value] = [budgets[budget], values[budget]];
        return limit === undefined
          ? []
          : [{ prompt: path, scenario: scenarioLabel(scenario), blockSize, budget, limit, value, kept: value !== null && value <= limit }];
      });
    }),
  );
}

function costsOf({ calls, predictedMs }: PlannedCost): Readonly<Record<'calls' | 'predictedMs', number | null>> {
  return { calls: calls.total, predictedMs };
}
