import { text } from '../l10n';
import type { OptionTable, ValuesOf } from '../options/option';

const anyAmount = { type: 'number', maximum: Number.MAX_SAFE_INTEGER } as const;

/** What every prompt can be limited in. */
export const budgetTable = {
  tokens: {
    flag: 'max-prompt-tokens',
    symbol: 'n',
    description: 'Tokens that each prompt may have.',
    value: anyAmount,
  },
  calls: {
    flag: 'max-calls',
    symbol: 'n',
    description: 'Calls of the small transformer that each prompt may take.',
    value: anyAmount,
  },
  memoryMiB: {
    flag: 'max-memory',
    symbol: 'MiB',
    description:
      'MiB of memory that a run of each prompt, with its check and its quality, is expected to take at its peak, the process included.',
    value: anyAmount,
  },
  predictedMs: {
    flag: 'max-predicted-ms',
    symbol: 't',
    description: 'Milliseconds that this device, once calibrated, may be expected to take for each prompt.',
    value: anyAmount,
  },
  perplexityRatio: {
    flag: 'max-perplexity-ratio',
    symbol: 'x',
    description: "Perplexity that each prompt may have over its windows, as a multiple of that under the model's own attention.",
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
  klTouched: {
    flag: 'max-kl-touched',
    symbol: 'x',
    description: 'The same over the positions at which the mask hides a key; where it hides none, 0.',
    value: anyAmount,
  },
} as const satisfies OptionTable;

/** What may be limited. */
export type BudgetName = keyof typeof budgetTable;

/** What tolerances look like: a percentage. */
export const tolerancePattern = '(?:0|[1-9][0-9]{0,3})(?:\\.[0-9]{1,6})?%';

/** How far values may be over their budgets. */
export const toleranceOption = {
  flag: 'tolerance',
  symbol: 'p%',
  description: 'How far a value may be over its budget, in percent of it, where the budget has no tolerance of its own.',
  value: { type: 'text', pattern: tolerancePattern, form: text('a percentage such as 5%') },
  default: '0%',
} as const;

/** A limit of a budget as an experiment file may have it: with a tolerance of its own, or with that of all. */
export interface LimitWithTolerance {
  readonly limit: number;
  readonly tolerance?: string | undefined;
}

/** Limits that every prompt has to keep under every scenario and block size; those that are left out limit nothing. */
export type Budgets = { readonly [Name in BudgetName]?: number | LimitWithTolerance | undefined };

/** Limits as flags give them. */
export type GivenBudgets = Partial<ValuesOf<typeof budgetTable>>;

/** Budgets of which a measured quality decides: the others are planned. */
const measuredBudgets = new Set<BudgetName>(['perplexityRatio', 'kl', 'klWithin', 'klTouched']);

/** Whether budgets need the model to run. */
export function needsRun(budgets: Budgets): boolean {
  return namesOf(budgets).some((name) => measuredBudgets.has(name));
}

/** The budgets that limit something, in the order of the table. */
export function namesOf(budgets: Budgets): readonly BudgetName[] {
  return (Object.keys(budgetTable) as BudgetName[]).filter((name) => budgets[name] !== undefined);
}
