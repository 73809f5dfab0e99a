import type { CurveBin } from '../core/evaluate/quality-summary';
import type { ExperimentReport } from '../core/evaluate/report';
import { retrievalGrid, type RetrievalReport } from '../core/evaluate/retrieval';
import {
  curveRows,
  measuredPoints,
  outcomeText,
  pointTitle,
  qualityNotes,
  retrievalNote,
  retrievalScores,
  retrievalText,
  statisticsRows,
  taskLabel,
  verdictNotes,
} from '../core/evaluate/rows';
import { sweepNotes, sweepTable } from '../core/evaluate/sweep';
import { formatCount } from '../core/format';
import { verdictText } from '../core/report/verdict';
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
    ...[retrievalNote(measured.flatMap(({ retrieval }) => retrieval ?? []))].filter((note) => note !== null),
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
  const { header, rows } = sweepTable(points);
  return [table(header, rows), ...sweepNotes(points)].join('\n');
}
