import type { NeedleGrid } from '../core/evaluate/needles';
import type { CurveBin } from '../core/evaluate/quality-summary';
import { formatCount } from '../core/format';
import type { ExperimentReport } from '../core/evaluate/report';
import { curveRows, measuredPoints, needleScores, pointTitle, qualityNotes, statisticsRows } from '../core/evaluate/rows';
import { table } from './text';

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
