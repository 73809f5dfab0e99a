import { atlasPicture } from '../draw/atlas/picture';
import { fileName } from '../format';
import { figure, htmlPage, scroller, text } from '../report/html';
import { runFigures } from '../report/figures';
import type { AtlasReport } from './report';
import { type AtlasTable, headTable, layerTable, oracleTable } from './tables';

/** An atlas as one HTML page with its picture and its numbers: it needs no other file, no script and no network. */
export function atlasHtml(report: AtlasReport): string {
  return htmlPage(`Two Heads: where attention goes in ${fileName(report.prompt.path)}`, [
    figure(atlasPicture(report)),
    tableOf(oracleTable(report.atlas)),
    tableOf(layerTable(report.atlas)),
    tableOf(headTable(report.atlas)),
    tableOf({ title: 'The run', header: ['Figure', 'Value'], rows: runFigures(report) }),
  ]);
}

function tableOf({ title, header, rows }: AtlasTable): string {
  const head = header.map((name) => `<th scope="col">${text(name)}</th>`).join('');
  const body = rows.map(
    ([first, ...rest]) => `<tr><th scope="row">${text(first)}</th>${rest.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`,
  );
  return `<h2>${text(title)}</h2>\n${scroller(text(title), `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`)}`;
}
