import type { Estimate } from '../core/evaluation/estimate';
import type { NeedleGrid } from '../core/evaluation/needle-grid';
import type { CurveBin, QualitySummary } from '../core/evaluation/quality-summary';
import { formatCount, formatFigure, formatNumberOf } from '../core/format';
import { scenarioLabel } from '../core/masks';
import type { ExperimentPoint, ExperimentReport } from '../core/report/experiment';
import { table } from './text';

/** A value with its standard error, as `12.34 ± 0.05`, or alone where that is not known. */
export function plusMinus({ value, error }: Estimate, digits = 4): string {
  return Number.isFinite(error) ? `${value.toFixed(digits)} ± ${error.toFixed(digits)}` : Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

/** A share as a percentage with its standard error. */
function percent({ value, error }: Estimate): string {
  return `${plusMinus({ value: 100 * value, error: 100 * error, low: NaN, high: NaN }, 2)} %`;
}

/** What was read, and how errors were found. */
export function readText({ experiment: { context, stride }, model, prompts, baseline, points, resumed }: ExperimentReport): string {
  const quality = points.find((point) => point.quality !== null)?.quality;
  const windows = prompts.reduce((sum, prompt) => sum + prompt.windows, 0);
  const scored = quality ? `, ${formatNumberOf(quality.positions, 'position')} scored; standard errors ${quality.errors}` : '';
  return [
    `${model.name} against its own attention, ${scenarioLabel(baseline)}: ${formatNumberOf(prompts.length, 'prompt')}, ${formatNumberOf(windows, 'window')} of ${formatCount(context)} tokens, stride ${formatCount(stride)}${scored}`,
    ...(resumed > 0 ? [`${formatNumberOf(resumed, 'result')} from earlier runs`] : []),
  ].join('\n');
}

/** What each scenario does to the model, in the layout of llama.cpp's report on KL divergence; a column for each. */
export function evaluationText(report: ExperimentReport): string {
  const measured = report.points.filter((point): point is ExperimentPoint & { quality: QualitySummary } => point.quality !== null && point.measured !== null);
  const notes = report.points.filter(({ quality }) => quality === null).map(({ scenario, qualityNote }) => `${scenarioLabel(scenario)}: ${qualityNote ?? ''}`);
  const titles = measured.map((point) => titleOf(point, report));
  return [
    ...(measured.length === 0 ? [] : [statisticsText(titles, measured.map(({ quality }) => quality))]),
    ...measured.map(({ quality }, index) => `${titles[index]}, by position in the context\n${curveText(quality.curve)}`),
    ...measured.flatMap(({ needle }, index) => (needle === null ? [] : [`${titles[index]}, needle: mean log-probability of the answer and its worst rank (the model's own attention)\n${needleText(needle)}`])),
    ...new Set(notes),
  ].join('\n\n');
}

function titleOf({ scenario, blockSize }: ExperimentPoint, { experiment: { blocks } }: ExperimentReport): string {
  return blocks.length === 1 ? scenarioLabel(scenario) : `${scenarioLabel(scenario)}, M = ${blockSize}`;
}

function statisticsText(titles: readonly string[], qualities: readonly QualitySummary[]): string {
  const rows: [string, (quality: QualitySummary) => string][] = [
    ['perplexity', ({ targets }) => (targets ? plusMinus(targets.perplexity) : '-')],
    ["perplexity, model's own attention", ({ targets }) => (targets ? plusMinus(targets.baselinePerplexity) : '-')],
    ['ln(ratio of perplexities)', ({ targets }) => (targets ? plusMinus(targets.logPerplexityRatio, 6) : '-')],
    ['ratio of perplexities', ({ targets }) => (targets ? plusMinus(targets.perplexityRatio) : '-')],
    ['KL divergence, mean (nats)', ({ divergence }) => plusMinus(divergence.mean, 6)],
    ['  maximum', ({ divergence }) => formatFigure(divergence.maximum)],
    ['  99.9%', ({ divergence }) => formatFigure(divergence.p999)],
    ['  99%', ({ divergence }) => formatFigure(divergence.p99)],
    ['  95%', ({ divergence }) => formatFigure(divergence.p95)],
    ['  90%', ({ divergence }) => formatFigure(divergence.p90)],
    ['  median', ({ divergence }) => formatFigure(divergence.median)],
    ['change of the probability, mean', ({ targets }) => (targets ? percent(targets.probabilityChange) : '-')],
    ['  root mean square', ({ targets }) => (targets ? percent(targets.probabilityChangeRms) : '-')],
    ['same top token', ({ agreement }) => percent(agreement)],
  ];
  return table(['', ...titles], rows.map(([name, of]) => [name, ...qualities.map(of)]).filter(([, ...cells]) => cells.some((cell) => cell !== '-')));
}

function curveText(curve: readonly CurveBin[]): string {
  const targets = curve.some(({ loss }) => loss !== undefined);
  return table(
    ['tokens before', 'scored', ...(targets ? ['loss', 'own loss'] : []), 'mean KL', '95% interval', 'same top'],
    curve.map(({ from, to, count, loss, baselineLoss, divergence, agreement }) => [
      to - from === 1 ? String(from) : `${from} - ${to - 1}`,
      formatCount(count),
      ...(targets ? [loss ? loss.value.toFixed(3) : '-', baselineLoss ? baselineLoss.value.toFixed(3) : '-'] : []),
      divergence.value.toFixed(5),
      Number.isFinite(divergence.low) ? `${divergence.low.toFixed(5)} - ${divergence.high.toFixed(5)}` : '-',
      `${(100 * agreement.value).toFixed(1)} %`,
    ]),
  );
}

function needleText({ lengths, depths, cells }: NeedleGrid): string {
  const score = (logProbability: number, rank: number): string => `${logProbability.toFixed(2)} #${Number.isNaN(rank) ? '?' : formatCount(rank)}`;
  return table(
    ['tokens', ...depths.map((depth) => `depth ${depth}`)],
    lengths.map((length, row) => [
      formatCount(length),
      ...cells[row].map((cell) => (cell === null ? '-' : `${score(cell.logProbability, cell.rank)} (${score(cell.baselineLogProbability, cell.baselineRank)})`)),
    ]),
  );
}
