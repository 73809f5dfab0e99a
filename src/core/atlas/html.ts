import { atlasPicture } from '../draw/atlas/picture';
import { fileName } from '../format';
import { figure, htmlPage, titledTable } from '../report/html';
import { runFigures } from '../report/figures';
import type { AtlasReport } from './report';
import { headTable, layerTable, oracleTable } from './tables';

/** An atlas as one HTML page with its picture and its numbers: it needs no other file, no script and no network. */
export function atlasHtml(report: AtlasReport): string {
  return htmlPage(`Two Heads: where attention goes in ${fileName(report.prompt.path)}`, [
    figure(atlasPicture(report)),
    titledTable(oracleTable(report.atlas)),
    titledTable(layerTable(report.atlas)),
    titledTable(headTable(report.atlas)),
    titledTable({ title: 'The run', header: ['Figure', 'Value'], rows: runFigures(report) }),
  ]);
}
