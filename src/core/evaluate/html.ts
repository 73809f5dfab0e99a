import { experimentPicture } from '../draw/experiment';
import { fileName, formatNumberOf } from '../format';
import { figure, htmlPage, paragraph, titledTable } from '../report/html';
import { verdictText } from '../report/verdict';
import type { ExperimentSummary } from './report';
import { retrievalGrid } from './retrieval';
import {
  curveRows,
  measuredPoints,
  outcomeText,
  pointTitle,
  readText,
  retrievalNote,
  retrievalScores,
  statisticsRows,
  taskLabel,
  verdictNotes,
} from './rows';
import { sweepNotes, sweepTable } from './sweep';

/** An evaluation as one HTML page with its picture and its tables: it needs no other file, no script and no network. */
export function evaluationHtml(report: ExperimentSummary): string {
  const { points, prompts, experiment, verdict } = report;
  const measured = measuredPoints(points);
  const titles = measured.map((point) => pointTitle(point, experiment));
  const verdicts = verdictNotes(points, experiment);
  const lost = retrievalNote(points.flatMap(({ retrieval }) => retrieval ?? []));
  const of = prompts.length === 1 ? fileName(prompts[0].path) : formatNumberOf(prompts.length, 'prompt');
  return htmlPage(`Two Heads: ${formatNumberOf(points.length, 'point')} on ${of}`, [
    ...readText(report).split('\n').map(paragraph),
    ...(measured.length === 0 ? [] : [figure(experimentPicture(report, 'attention'))]),
    titledTable({ title: 'Cost and quality', ...sweepTable(points) }, true),
    ...sweepNotes(points).map(paragraph),
    ...(lost === null ? [] : [paragraph(lost)]),
    ...(measured.length === 0
      ? []
      : [titledTable({ title: 'Quality', header: ['', ...titles], rows: statisticsRows(measured).map((row) => [...row]) }, true)]),
    ...measured.flatMap(({ quality, retrieval }, index) => {
      const { columns, rows } = curveRows(quality.curve);
      const curve = titledTable({ title: `${titles[index]}, by position in the context`, header: columns, rows }, true);
      if (retrieval === null) {
        return [curve];
      }
      const { depths, rows: cases } = retrievalGrid(retrieval.cases);
      return [
        curve,
        titledTable({
          title: `${titles[index]}, retrieval`,
          header: ['task', 'tokens', ...depths.map((depth) => `depth ${depth}`)],
          rows: cases.map(({ cells, ...row }) => [
            taskLabel(row),
            String(row.length),
            ...cells.map((cell) => (cell === null ? '-' : `${outcomeText(cell)} ${retrievalScores(cell).own}`)),
          ]),
        }),
      ];
    }),
    '<h2>Verdict</h2>',
    ...(verdicts.length === 0 ? [verdictText(verdict)] : verdicts.map((note) => note.text)).map(paragraph),
  ]);
}
