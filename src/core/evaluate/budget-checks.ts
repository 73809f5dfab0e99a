import { InputError } from '../errors';
import { said, text } from '../l10n';
import { scenarioLabel } from '../scenario/scenario';
import { nothingTouched } from '../scenario/touched';
import type { ModelShape } from '../shapes';
import { type BudgetName, type Budgets, namesOf, tolerancePattern } from './budgets';
import type { QualitySummary } from './quality-summary';
import type { ExperimentReport, PlannedCost } from './report';

/** One limit held against one prompt. */
export interface BudgetCheck {
  readonly prompt: string;
  readonly scenario: string;
  /** M. */
  readonly blockSize: number;
  readonly budget: BudgetName;
  readonly limit: number;
  /** What the limit comes to with its tolerance. */
  readonly allowed: number;
  /** Null where it could not be found out, or is no finite number, which breaks the budget. */
  readonly value: number | null;
  /** Why there is no value, in a clause; absent where there is one. */
  readonly unknown?: string | undefined;
  readonly kept: boolean;
  /** Why the runs behind it failed, which breaks the budget whatever the value; absent where they did not. */
  readonly failed?: string | undefined;
}

/**
 * Holds every budget against every prompt at every point of an experiment.
 *
 * @param tolerance of budgets that have none of their own, as a percentage
 */
export function checkBudgets({ points, model, experiment }: ExperimentReport, budgets: Budgets, tolerance = '0%'): BudgetCheck[] {
  const limits = namesOf(budgets).map((budget) => {
    const given = budgets[budget] ?? NaN;
    const own = typeof given === 'number' ? { limit: given } : given;
    return { budget, limit: own.limit, allowed: allowedBy(own.limit, own.tolerance ?? tolerance) };
  });
  return points.flatMap((point) => {
    const { scenario, blockSize, prompts, verdict } = point;
    return prompts.flatMap(({ path, cost, quality }) => {
      const values = { ...costsOf(cost), ...qualitiesOf(quality, model.shape) };
      return limits.map(({ budget, limit, allowed }): BudgetCheck => {
        const found = values[budget];
        const value = found !== null && Number.isFinite(found) ? found : null;
        const at = { prompt: path, scenario: scenarioLabel(scenario), blockSize, budget };
        // No budget passes a run that failed.
        const failed = verdict.kind === 'failed' ? { failed: verdict.reason } : {};
        const unknown = value === null && {
          unknown: unknownBecause(budget, found, point.quality !== null && quality === null, experiment),
        };
        const kept = verdict.kind !== 'failed' && value !== null && value <= allowed;
        return { ...at, limit, allowed, value, ...unknown, kept, ...failed };
      });
    });
  });
}

/** Why a budget has no value. @param unscored whether the scenario has quality, but none of this prompt */
function unknownBecause(
  budget: BudgetName,
  found: number | null,
  unscored: boolean,
  { score }: Pick<ExperimentReport['experiment'], 'score'>,
): string {
  if (found !== null) {
    return text('it is no finite number');
  }
  if (budget === 'predictedMs') {
    return text('run two-heads calibrate first');
  }
  return !unscored
    ? text('predictions under this scenario mean nothing')
    : score === 'all'
      ? text('one token has no next token to predict')
      : said`score ${score} leaves none of its positions`;
}

/** A limit with its tolerance, rounded up by a few units in the last place, so that 105 is within 5% of 100. */
function allowedBy(limit: number, tolerance: string): number {
  if (!new RegExp(`^(?:${tolerancePattern})$`).test(tolerance)) {
    throw new InputError(`A tolerance of "${tolerance}" is not possible; use a percentage such as 5%.`);
  }
  const share = Number(tolerance.slice(0, -1)) / 100;
  return share === 0 ? limit : limit * (1 + share) * (1 + 4 * Number.EPSILON);
}

/**
 * The ratio of perplexities and mean divergences over all positions; those within the trained length, which are all where none is
 * past it; and those that the mask touches, 0 where it touches none.
 */
function qualitiesOf(
  quality: QualitySummary | null,
  { trainedTokens }: ModelShape,
): Readonly<Record<'perplexityRatio' | 'kl' | 'klWithin' | 'klTouched', number | null>> {
  const kl = quality?.divergence.mean.value ?? null;
  const touched = quality?.touched?.divergence.value;
  const targets = quality?.targets;
  // Of two perplexities beyond all numbers a ratio can still be told, from losses that mean nothing.
  const areFinite = [targets?.perplexity, targets?.baselinePerplexity].every((own) => Number.isFinite(own?.value ?? 0));
  return {
    perplexityRatio: areFinite ? (targets?.perplexityRatio.value ?? null) : NaN,
    kl,
    klWithin: trainedTokens === undefined ? null : (quality?.byTraining?.within.divergence.value ?? kl),
    klTouched: touched ?? (quality?.touchedNote === nothingTouched ? 0 : null),
  };
}

function costsOf({
  tokens,
  calls,
  peakBytes,
  predictedMs,
}: PlannedCost): Readonly<Record<'tokens' | 'calls' | 'memoryMiB' | 'predictedMs', number | null>> {
  return { tokens, calls: calls.total, memoryMiB: peakBytes / 1024 ** 2, predictedMs };
}
