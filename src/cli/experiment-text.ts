import type { CurveBin } from '../core/evaluate/quality-summary';
import type { ExperimentReport } from '../core/evaluate/report';
import { retrievalGrid, type RetrievalReport } from '../core/evaluate/retrieval';
import {
  curveRows,
  measuredPoints,
  outcomeText,
  plusMinus,
  pointTitle,
  qualityNotes,
  retrievalScores,
  retrievalText,
  statisticsRows,
  taskLabel,
  verdictNotes,
} from '../core/evaluate/rows';
import { formatCount, formatDuration, formatFlops, formatShare } from '../core/format';
import { verdictName, verdictText } from '../core/report/verdict';
import { scenarioLabel } from '../core/scenario/scenario';
import { table } from './table';

/** What each scenario does to the model, in the layout of llama.cpp's report on KL divergence; a column for each. Without quality, costs. */
export function evaluationText(report: ExperimentReport): string {
  const { points, experiment } = report;
  const measured = measuredPoints(points);
  if (measured.length === 0) {
    return sweepText(report);
  }
  const titles = measured.map((point) => pointTitle(point, experiment));
  return [
    table(['', ...titles], statisticsRows(measured)),
    ...measured.map(({ quality }, index) => `${titles[index]}, by position in the context\n${curveText(quality.curve)}`),
    ...measured.flatMap(({ retrieval }, index) =>
      retrieval === null
        ? []
        : [
            `${titles[index]}, retrieval: ${retrievalText(retrieval)}; log-probability of the answer and its worst rank (the model's own attention)\n${casesText(retrieval)}`,
          ],
    ),
    ...qualityNotes(points),
  ].join('\n\n');
}

function curveText(curve: readonly CurveBin[]): string {
  const { columns, rows } = curveRows(curve);
  return table(columns, rows);
}

function casesText({ cases }: RetrievalReport): string {
  const { depths, rows } = retrievalGrid(cases);
  return table(
    ['task', 'tokens', ...depths.map((depth) => `depth ${depth}`)],
    rows.map(({ cells, ...row }) => [
      taskLabel(row),
      formatCount(row.length),
      ...cells.map((cell) => {
        if (cell === null) {
          return '-';
        }
        const { own, baseline } = retrievalScores(cell);
        return `${outcomeText(cell)} ${own} (${baseline})`;
      }),
    ]),
  );
}

/** What the runs of every scenario prove, a line each. */
export function verdictsText({ points, verdict, experiment }: ExperimentReport): string {
  const notes = verdictNotes(points, experiment);
  return ['Verdict:', ...(notes.length === 0 ? [verdictText(verdict)] : notes.map(({ text }) => text)).map((note) => `  ${note}`)].join(
    '\n',
  );
}

/** Cost and quality of every point, a line each; those on the Pareto front are marked. */
export function sweepText({ points }: ExperimentReport): string {
  const targets = points.some(({ quality }) => quality?.targets !== undefined);
  const touched = points.some(({ quality }) => quality?.touched);
  const hidden = points.some(({ retrieval }) => retrieval !== null);
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
        ...(touched ? ['KL touched'] : []),
        'same top',
        ...(hidden ? ['retrieval'] : []),
        '',
      ],
      points.map(({ scenario, blockSize, cost, measured, quality, retrieval, verdict, onFront, tie, ownBaseline }) => [
        scenarioLabel(scenario),
        formatCount(blockSize),
        formatCount(cost.calls.total),
        formatFlops(cost.attentionFlops),
        formatFlops(cost.flops),
        ...(predicted ? [cost.predictedMs === null ? '-' : formatDuration(cost.predictedMs)] : []),
        measured === null ? '-' : formatDuration(measured.wallMs / measured.windows),
        ...(targets ? [quality?.targets ? plusMinus(quality.targets.perplexity, 3) : '-'] : []),
        quality === null ? '-' : ownBaseline ? 'its own baseline' : plusMinus(quality.divergence.mean, 5),
        ...(touched ? [quality?.touched ? plusMinus(quality.touched.divergence, 5) : '-'] : []),
        quality === null || ownBaseline ? '-' : formatShare(quality.agreement.value),
        ...(hidden ? [retrieval === null ? '-' : shareText(retrieval)] : []),
        verdict.kind === 'failed' ? verdictName('failed') : `${onFront ? '*' : ''}${tie ? '~' : ''}`,
      ]),
    ),
    `Costs are of one window of ${formatCount(points[0].cost.tokens)} tokens${points.every(({ quality }) => quality === null) ? '.' : '; quality is measured once for each scenario whose construction is exact.'}`,
    ...(points.some(({ onFront }) => onFront) ? ['* on the Pareto front: no other point has both less work and a smaller KL.'] : []),
    ...(points.some(({ tie }) => tie)
      ? ['~ a tie: 95% intervals of the KL overlap, which leaves open whether the point belongs to the front.']
      : []),
    ...qualityNotes(points),
  ].join('\n');
}

/** Cases that were found, and what was expected where that is something else. */
function shareText({ found, cases, differing }: RetrievalReport): string {
  return `${found} of ${cases.length}${differing === 0 ? '' : `, ${differing} DIFFER`}`;
}
