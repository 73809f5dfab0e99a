import { formatCount, formatFigure, formatNumberOf } from '../format';
import { t } from '../l10n';
import { automaticBlock } from '../options/table';
import { contextNote } from '../plan/context-length';
import { type Range, scenarioLabel } from '../scenario/scenario';
import type { Estimate } from './estimate';
import type { NeedleCell, NeedleGrid } from './needles';
import type { CurveBin, QualitySummary, SideQuality } from './quality-summary';
import type { ExperimentSummary, SummedPoint } from './report';

/** What the command line and the panel say of an experiment in the same words. A value that is not finite is null after JSON. */

/** What stands where there is no value. */
const none = '-';

/** A value with its standard error, as `12.34 ± 0.05`, or alone where that is not known. */
export function plusMinus({ value, error }: { readonly value: number | null; readonly error: number | null }, digits = 4): string {
  return isNumber(value) && isNumber(error) ? `${value.toFixed(digits)} ± ${error.toFixed(digits)}` : fixed(value, digits);
}

/** A share as a percentage with its standard error. */
function percent({ value, error }: Estimate): string {
  return `${plusMinus({ value: 100 * value, error: isNumber(error) ? 100 * error : null }, 2)} %`;
}

/** What was read, and how errors were found. */
export function readText({ experiment: { context, stride }, model, prompts, baseline, points, resumed }: ExperimentSummary): string {
  const quality = points.find((point) => point.quality !== null)?.quality;
  const windows = prompts.reduce((sum, prompt) => sum + prompt.windows, 0);
  // A point's cost is that of the longest window.
  const past = contextNote(Math.max(0, ...points.map(({ cost }) => cost.tokens)), model.shape);
  const read = [
    model.name,
    scenarioLabel(baseline),
    formatNumberOf(prompts.length, 'prompt'),
    formatNumberOf(windows, 'window'),
    formatCount(context),
    formatCount(stride),
  ];
  return [
    quality
      ? t(
          quality.errors === 'clustered by window'
            ? '{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}, {6} scored; standard errors clustered by window'
            : '{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}, {6} scored; standard errors positions taken as independent',
          ...read,
          formatNumberOf(quality.positions, 'position'),
        )
      : t('{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}', ...read),
    ...(resumed > 0 ? [t('{0} from earlier runs', formatNumberOf(resumed, 'result'))] : []),
    ...(past === undefined ? [] : [past]),
    ...new Set(prompts.flatMap(({ notes = [] }) => notes)),
  ].join('\n');
}

/** Whether all points of an experiment have one block size; where it is automatic, each scenario may have its own. */
export function hasOneBlockSize({ blocks }: Pick<ExperimentSummary['experiment'], 'blocks'>): boolean {
  return blocks.length === 1 && blocks[0] !== automaticBlock;
}

/** A point's name in its experiment: with the block size where there are several. */
export function pointTitle(
  { scenario, blockSize }: Pick<SummedPoint, 'scenario' | 'blockSize'>,
  { blocks }: Pick<ExperimentSummary['experiment'], 'blocks'>,
): string {
  return hasOneBlockSize({ blocks }) ? scenarioLabel(scenario) : `${scenarioLabel(scenario)}, M = ${blockSize}`;
}

/** The points whose own runs their quality comes from: points that share one are told of once. */
export function measuredPoints<P extends SummedPoint>(points: readonly P[]): readonly (P & { readonly quality: QualitySummary })[] {
  return points.filter((point): point is P & { readonly quality: QualitySummary } => point.quality !== null && point.measured !== null);
}

/** Why points have no quality, each reason with its scenario, once. */
export function qualityNotes(points: readonly SummedPoint[]): readonly string[] {
  return [
    ...new Set(
      points
        .filter(({ quality }) => quality === null)
        .map(({ scenario, qualityNote }) => `${scenarioLabel(scenario)}: ${qualityNote ?? ''}`),
    ),
  ];
}

/** The statistics of evaluations in the layout of llama.cpp's report on KL divergence: rows of a name and a cell for each evaluation. */
export function statisticsRows(qualities: readonly QualitySummary[]): readonly (readonly [name: string, ...cells: string[]])[] {
  const perplexity = ({ targets }: Pick<SideQuality, 'targets'>): string => (targets ? plusMinus(targets.perplexity) : none);
  const own = ({ targets }: Pick<SideQuality, 'targets'>): string => (targets ? plusMinus(targets.baselinePerplexity) : none);
  /** A measure within and past the trained length, where there are positions on both sides. */
  const apart = (of: (side: SideQuality) => string): [string, (quality: QualitySummary) => string][] => [
    ['  within the trained length', ({ byTraining }) => (byTraining ? of(byTraining.within) : none)],
    ['  past the trained length', ({ byTraining }) => (byTraining ? of(byTraining.past) : none)],
  ];
  const rows: [string, (quality: QualitySummary) => string][] = [
    ['perplexity', perplexity],
    ...apart(perplexity),
    ["perplexity, model's own attention", own],
    ...apart(own),
    ['ln(ratio of perplexities)', ({ targets }) => (targets ? plusMinus(targets.logPerplexityRatio, 6) : none)],
    ['ratio of perplexities', ({ targets }) => (targets ? plusMinus(targets.perplexityRatio) : none)],
    ['KL divergence, mean (nats)', ({ divergence }) => plusMinus(divergence.mean, 6)],
    ...apart(({ divergence }) => plusMinus(divergence, 6)),
    ['  maximum', ({ divergence }) => figureOf(divergence.maximum)],
    ['  99.9%', ({ divergence }) => figureOf(divergence.p999)],
    ['  99%', ({ divergence }) => figureOf(divergence.p99)],
    ['  95%', ({ divergence }) => figureOf(divergence.p95)],
    ['  90%', ({ divergence }) => figureOf(divergence.p90)],
    ['  median', ({ divergence }) => figureOf(divergence.median)],
    ['change of the probability, mean', ({ targets }) => (targets ? percent(targets.probabilityChange) : none)],
    ['  root mean square', ({ targets }) => (targets ? percent(targets.probabilityChangeRms) : none)],
    ['same top token', ({ agreement }) => percent(agreement)],
    ...apart(({ agreement }) => percent(agreement)),
  ];
  return rows
    .map(([name, of]): [string, ...string[]] => [name, ...qualities.map(of)])
    .filter(([, ...cells]) => cells.some((cell) => cell !== none));
}

/** The columns of a curve by position, and its rows. */
export function curveRows(curve: readonly CurveBin[]): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const targets = curve.some(({ loss }) => loss !== undefined);
  return {
    columns: ['tokens before', 'scored', ...(targets ? ['loss', 'own loss'] : []), 'mean KL', '95% interval', 'same top'],
    rows: curve.map((bin) => {
      const { count, loss, baselineLoss, divergence, agreement } = bin;
      return [
        positionsText(bin),
        formatCount(count),
        ...(targets ? [loss ? fixed(loss.value, 3) : none, baselineLoss ? fixed(baselineLoss.value, 3) : none] : []),
        fixed(divergence.value, 5),
        intervalText(divergence, 5),
        `${(100 * agreement.value).toFixed(1)} %`,
      ];
    }),
  };
}

/** The tokens before a position, such as `4 - 7`. */
function positionsText({ from, to }: Range): string {
  return to - from === 1 ? String(from) : `${from} - ${to - 1}`;
}

/** A 95% interval, or that there is none. */
export function intervalText({ low, high }: Estimate, digits: number): string {
  return isNumber(low) && isNumber(high) ? `${low.toFixed(digits)} - ${high.toFixed(digits)}` : none;
}

/** The log-probability of an answer and the worst rank of its tokens, such as `-19.50 #537`; of a cell, and of its baseline. */
export function needleScores({ logProbability, rank, baselineLogProbability, baselineRank }: NeedleCell): {
  readonly own: string;
  readonly baseline: string;
} {
  const score = (value: number, worst: number): string => `${fixed(value, 2)} #${isNumber(worst) ? formatCount(worst) : '?'}`;
  return { own: score(logProbability, rank), baseline: score(baselineLogProbability, baselineRank) };
}

/** Steps of a heat map of needles, from the least probable answer to the most probable. */
export const needleLevels = 6;

/**
 * The step of every cell of needle grids, from 0 to `needleLevels - 1`, on one scale for all of them and their baselines; null
 * where there was no test, or no probability.
 */
export function needleHeat(grids: readonly NeedleGrid[]): readonly (readonly (readonly (number | null)[])[])[] {
  const cells = grids.flatMap((grid) => grid.cells.flat().filter((cell) => cell !== null));
  const values = cells.flatMap(({ logProbability, baselineLogProbability }) => [logProbability, baselineLogProbability]).filter(isNumber);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const level = (value: number): number =>
    most > least ? Math.min(needleLevels - 1, Math.floor((needleLevels * (value - least)) / (most - least))) : 0;
  return grids.map((grid) =>
    grid.cells.map((row) => row.map((cell) => (cell !== null && isNumber(cell.logProbability) ? level(cell.logProbability) : null))),
  );
}

function figureOf(value: number | null): string {
  return isNumber(value) ? formatFigure(value) : fixed(value, 0);
}

function fixed(value: number | null, digits: number): string {
  if (value === null) {
    return t('not finite');
  }
  return Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

function isNumber(value: number | null): value is number {
  return Number.isFinite(value);
}
