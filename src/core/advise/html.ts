import { advicePicture } from '../draw/advice';
import { escaped } from '../draw/svg';
import { briefExperiment } from '../evaluate/brief';
import { fileName } from '../format';
import { figure, htmlPage, paragraph, text, titledTable } from '../report/html';
import { verdictText } from '../report/verdict';
import type { AdviceReport } from './report';
import { adviceHead, adviceSummary, adviceTable, answerLines } from './text';

/** An advice as one HTML page with its picture and the experiment file that repeats it: it needs no other file, no script and no network. */
export function adviceHtml(report: AdviceReport): string {
  return htmlPage(`Two Heads: advice for ${fileName(report.prompt.path)}`, [
    ...[adviceHead(report), adviceSummary(report)].map(paragraph),
    ...(report.answer === null
      ? []
      : [
          `<ul>${answerLines(report)
            .map((line) => `<li>${text(line)}</li>`)
            .join('')}</ul>`,
        ]),
    ...(report.tried.length === 0 ? [] : [figure(advicePicture(report)), titledTable(adviceTable(report), true)]),
    '<h2>Verdict</h2>',
    paragraph(verdictText(report.verdict)),
    ...(report.answer === null
      ? []
      : [
          '<h2>Experiment file</h2>',
          paragraph('What repeats it, as *.two-heads.json:'),
          `<pre>${escaped(briefExperiment(report.experiment))}</pre>`,
        ]),
  ]);
}
