import type { NeedleGrid } from '../core/evaluate/needles';
import type { CurveBin } from '../core/evaluate/quality-summary';
import type { ExperimentReport } from '../core/evaluate/report';
import { curveRows, measuredPoints, needleScores, plusMinus, pointTitle, qualityNotes, statisticsRows } from '../core/evaluate/rows';
import { formatCount, formatDuration, formatFlops, formatShare } from '../core/format';
import { scenarioLabel } from '../core/scenario/scenario';
import { table } from './table';

/** What each scenario does to the model, in the layout of llama.cpp's report on KL divergence; a column for each. */
export function evaluationText({ points, experiment }: ExperimentReport): string {
  const measured = measuredPoints(points);
  const titles = measured.map((point) => pointTitle(point, experiment));
  return [
    ...(measured.length === 0 ? [] : [table(['', ...titles], statisticsRows(measured.map(({ quality }) => quality)))]),
    ...measured.map(({ quality }, index) => `${titles[index]}, by position in the context\n${curveText(quality.curve)}`),
    ...measured.flatMap(({ needle }, index) =>
      needle === null
        ? []
        : [
            `${titles[index]}, needle: mean log-probability of the answer and its worst rank (the model's own attention)\n${needleText(needle)}`,
          ],
    ),
    ...qualityNotes(points),
  ].join('\n\n');
}

function curveText(curve: readonly CurveBin[]): string {
  const { columns, rows } = curveRows(curve);
  return table(columns, rows);
}

function needleText({ lengths, depths, cells }: NeedleGrid): string {
  return table(
    ['tokens', ...depths.map((depth) => `depth ${depth}`)],
    lengths.map((length, row) => [
      formatCount(length),
      ...cells[row].map((cell) => {
        const scores = cell && needleScores(cell);
        return scores === null ? '-' : `${scores.own} (${scores.baseline})`;
      }),
    ]),
  );
}

/** Cost and quality of every point, a line each; those on the Pareto front are marked. */
export function sweepText({ points }: ExperimentReport): string {
  const targets = points.some(({ quality }) => quality?.targets !== undefined);
  const predicted = points.some(({ cost }) => cost.predictedMs !== null);
  return [
    table(
      [
        'scenario',
        'M',
        'calls',
        'attention',
        'work',
        ...(predicted ? ['expected'] : []),
        'measured',
        ...(targets ? ['perplexity'] : []),
        'mean KL',
        'same top',
        '',
      ],
      points.map(({ scenario, blockSize, cost, measured, quality, onFront }) => [
        scenarioLabel(scenario),
        formatCount(blockSize),
        formatCount(cost.calls.total),
        formatFlops(cost.attentionFlops),
        formatFlops(cost.flops),
        ...(predicted ? [cost.predictedMs === null ? '-' : formatDuration(cost.predictedMs)] : []),
        measured === null ? '-' : formatDuration(measured.wallMs / measured.windows),
        ...(targets ? [quality?.targets ? plusMinus(quality.targets.perplexity, 3) : '-'] : []),
        quality === null ? '-' : plusMinus(quality.divergence.mean, 5),
        quality === null ? '-' : formatShare(quality.agreement.value),
        onFront ? '*' : '',
      ]),
    ),
    `Costs are of one window of ${formatCount(points[0].cost.tokens)} tokens; quality is measured once for each scenario whose construction is exact.`,
    ...(points.some(({ onFront }) => onFront) ? ['* on the Pareto front: no other point has both less work and a smaller KL.'] : []),
    ...qualityNotes(points),
  ].join('\n');
}
