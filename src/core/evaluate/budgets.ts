import type { OptionTable, ValuesOf } from '../options/option';
import { scenarioLabel } from '../scenario/scenario';
import type { ModelShape } from '../shapes';
import type { QualitySummary } from './quality-summary';
import type { ExperimentReport, PlannedCost } from './report';

const anyAmount = { type: 'number', maximum: Number.MAX_SAFE_INTEGER } as const;

/** What every prompt can be limited in. */
export const budgetTable = {
  calls: {
    flag: 'max-calls',
    symbol: 'n',
    description: 'Calls of the small transformer that each prompt may take.',
    value: anyAmount,
  },
  predictedMs: {
    flag: 'max-predicted-ms',
    symbol: 't',
    description: 'Milliseconds that this device, once calibrated, may be expected to take for each prompt.',
    value: anyAmount,
  },
  kl: {
    flag: 'max-kl',
    symbol: 'x',
    description: "Mean KL divergence from the model's own attention, in nats, that each prompt may have over its windows.",
    value: anyAmount,
  },
  klWithin: {
    flag: 'max-kl-within',
    symbol: 'x',
    description: 'The same over the positions within the length that the model was trained on.',
    value: anyAmount,
  },
} as const satisfies OptionTable;

/** Limits that every prompt has to keep under every scenario and block size; those that are left out limit nothing. */
export type Budgets = Partial<ValuesOf<typeof budgetTable>>;

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
export function checkBudgets({ points, model }: ExperimentReport, budgets: Budgets): BudgetCheck[] {
  return points.flatMap(({ scenario, blockSize, prompts }) =>
    prompts.flatMap(({ path, cost, quality }) => {
      const values = { ...costsOf(cost), ...divergencesOf(quality, model.shape) };
      return (Object.keys(values) as (keyof Budgets)[]).flatMap((budget): BudgetCheck[] => {
        const [limit, value] = [budgets[budget], values[budget]];
        return limit === undefined
          ? []
          : [{ prompt: path, scenario: scenarioLabel(scenario), blockSize, budget, limit, value, kept: value !== null && value <= limit }];
      });
    }),
  );
}

/** The mean divergence over all positions, and over those within the trained length: all of them, where none is past it. */
function divergencesOf(quality: QualitySummary | null, { trainedTokens }: ModelShape): Readonly<Record<'kl' | 'klWithin', number | null>> {
  const kl = quality?.divergence.mean.value ?? null;
  return { kl, klWithin: trainedTokens === undefined ? null : (quality?.byTraining?.within.divergence.value ?? kl) };
}

function costsOf({ calls, predictedMs }: PlannedCost): Readonly<Record<'calls' | 'predictedMs', number | null>> {
  return { calls: calls.total, predictedMs };
}
