import type { BudgetCheck } from '../evaluate/budget-checks';
import type { ExperimentSummary } from '../evaluate/report';
import { plusMinus } from '../evaluate/rows';
import { formatBytes, formatCount, formatDuration, formatFigure, formatNumberOf } from '../format';
import { expectedDuration } from '../hints/expected';
import { t } from '../l10n';
import type { Plan } from '../plan/plan';
import type { MemoryEstimate } from '../predict/memory';
import type { DevicePrediction } from '../predict/prediction';
import type { RunReport } from '../report/report';
import { type Verdict, verdictName } from '../report/verdict';
import { reasonShown } from '../report/verdict-words';
import type { ExperimentOutlook } from './outlook';

/** One figure of a headline: what it is of, its text, what explains it, and whether it is as it should be. */
export interface HeadlineFigure {
  readonly name: 'verdict' | 'time' | 'calls' | 'memory' | 'quality' | 'budgets' | 'points';
  readonly title: string;
  readonly text: string;
  readonly detail: string;
  /** `good` and `bad` only where something was checked. */
  readonly state: 'good' | 'bad' | 'plain';
}

/** What a prompt costs, predicted and measured. @param run the newest of this prompt under this plan; undefined before the first */
export function promptHeadline(
  plan: Plan,
  prediction: DevicePrediction | null,
  memory: MemoryEstimate | null,
  run: RunReport | undefined,
): readonly HeadlineFigure[] {
  return [
    verdictFigure(run?.verdict),
    timeFigure(prediction === null ? null : expectedDuration(prediction), run?.run.wallMs ?? null),
    callsFigure(plan, run),
    memoryFigure(memory?.peak ?? null, run?.run.peakRssBytes ?? null),
    qualityFigure(run),
  ];
}

/** A run that was kept or exported. */
export function runHeadline(run: RunReport): readonly HeadlineFigure[] {
  const { plan, prediction, memory } = run;
  return [
    verdictFigure(run.verdict),
    timeFigure(prediction && expectedDuration(prediction), run.run.wallMs),
    callsFigure(plan, run),
    memoryFigure(memory?.peak ?? prediction?.peakBytes ?? null, run.run.peakRssBytes),
    qualityFigure(run),
  ];
}

/** An experiment, and what came out of it. @param evaluation null before it is measured whole */
export function experimentHeadline(outlook: ExperimentOutlook, evaluation: ExperimentSummary | null): readonly HeadlineFigure[] {
  const measured = evaluation?.points.flatMap((point) => point.measured ?? []) ?? [];
  const divergences =
    evaluation?.points.flatMap(({ quality, ownBaseline }) => (quality && !ownBaseline ? [quality.divergence.mean] : [])) ?? [];
  const [best] = [...divergences].sort((one, other) => one.value - other.value);
  return [
    verdictFigure(evaluation?.verdict),
    {
      name: 'points',
      title: t('Points'),
      text: formatCount(outlook.points.length),
      detail: t('{0} of {1} results are kept', formatCount(outlook.known), formatCount(outlook.units)),
      state: 'plain',
    },
    timeFigure(
      outlook.predictedMs === null ? null : formatDuration(outlook.predictedMs),
      measured.length === 0 ? null : measured.reduce((sum, { wallMs }) => sum + wallMs, 0),
    ),
    {
      name: 'calls',
      title: t('Calls'),
      text: formatCount(measured.reduce((sum, { calls }) => sum + calls, 0)),
      detail:
        measured.length === 0
          ? t('none made yet')
          : t(
              'made in {0}',
              formatNumberOf(
                measured.reduce((sum, { windows }) => sum + windows, 0),
                'window',
              ),
            ),
      state: 'plain',
    },
    {
      name: 'quality',
      title: t('Quality'),
      text: divergences.length === 0 ? '–' : t('KL {0}', plusMinus(best)),
      detail:
        divergences.length === 0 ? t('not measured yet') : t('the least of {0}, in nats', formatNumberOf(divergences.length, 'point')),
      state: 'plain',
    },
    ...budgetFigures(outlook.budgets),
  ];
}

function budgetFigures(checks: readonly BudgetCheck[] | null): readonly HeadlineFigure[] {
  if (checks === null || checks.length === 0) {
    return [];
  }
  const broken = checks.filter(({ kept }) => !kept);
  return [
    {
      name: 'budgets',
      title: t('Budgets'),
      text: t('{0} of {1} kept', checks.length - broken.length, checks.length),
      detail:
        broken.length === 0
          ? t('every prompt within every budget')
          : broken
              .slice(0, 3)
              .map(({ budget, prompt, scenario }) => t('{0} of {1} under {2}', budget, prompt, scenario))
              .join('; '),
      state: broken.length === 0 ? 'good' : 'bad',
    },
  ];
}

function verdictFigure(verdict: Verdict | undefined): HeadlineFigure {
  return {
    name: 'verdict',
    title: t('Verdict'),
    text: verdict === undefined ? '–' : verdictName(verdict.kind),
    detail: verdict === undefined ? t('nothing run yet') : reasonShown(verdict.reason),
    state: verdict === undefined || verdict.kind === 'vacuous' ? 'plain' : verdict.kind === 'failed' ? 'bad' : 'good',
  };
}

/** @param predicted with its interval; null where the device is not calibrated */
function timeFigure(predicted: string | null, measuredMs: number | null): HeadlineFigure {
  const measured = measuredMs === null ? null : formatDuration(measuredMs);
  return {
    name: 'time',
    title: t('Time'),
    text: predicted !== null && measured !== null ? `${predicted} → ${measured}` : (measured ?? predicted ?? '–'),
    detail:
      predicted === null
        ? measured === null
          ? t('calibrate this machine to predict it')
          : t('measured; calibrate this machine to predict it')
        : measured === null
          ? t('predicted')
          : t('predicted → measured'),
    state: 'plain',
  };
}

/** Calls of attention against their bound: those that a run counted, else those that are planned. */
function callsFigure({ calls, bound }: Pick<Plan, 'calls' | 'bound'>, run: RunReport | undefined): HeadlineFigure {
  const { attention, total } = run?.run.calls ?? calls;
  const all = formatNumberOf(total, 'call');
  return {
    name: 'calls',
    title: t('Attention calls'),
    text: `${formatCount(attention)} ≤ ${formatCount(bound.calls)}`,
    detail:
      run === undefined
        ? t('planned, within the bound of {0}; {1} in all', bound.theorem, all)
        : t('counted, within the bound of {0}; {1} in all', bound.theorem, all),
    state: run === undefined ? 'plain' : attention <= bound.calls ? 'good' : 'bad',
  };
}

function memoryFigure(expected: number | null, measured: number | null): HeadlineFigure {
  const texts = [expected, measured].flatMap((each) => (each === null ? [] : [formatBytes(each)]));
  return {
    name: 'memory',
    title: t('Memory'),
    text: texts.length === 0 ? '–' : texts.join(' → '),
    detail: measured === null ? t('expected peak') : expected === null ? t('measured peak') : t('expected → measured peak'),
    state: 'plain',
  };
}

function qualityFigure(run: RunReport | undefined): HeadlineFigure {
  const quality = run?.quality ?? null;
  return {
    name: 'quality',
    title: t('Quality'),
    text: quality === null ? '–' : quality.ownBaseline === true ? t('its own baseline') : t('KL {0}', formatFigure(quality.meanKl)),
    detail:
      quality === null
        ? (run?.qualityNote ?? t('not measured yet'))
        : t(
            'perplexity {0}, {1} under the model’s own attention',
            formatFigure(quality.perplexity),
            formatFigure(quality.baselinePerplexity),
          ),
    state: 'plain',
  };
}
