import { join } from 'node:path';
import { pictures } from '../core/draw/pictures';
import { formulaTable, ledgerSubject, ledgerTableOf } from '../core/ledger/html';
import { type LedgerReport, ledgerTable, ledgerVerdict } from '../core/ledger/report';
import type { Option } from '../core/options/option';
import { samplingLines } from '../core/report/sampling-text';
import { failOn, verdictText } from '../core/report/verdict';
import { makeFolder } from '../engine/store/files';
import { runLedger } from '../engine/tasks/ledger/ledger';
import { jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, textGiven, valuesOf } from './options';
import { table } from './table';

const picturesOption: Option = {
  flag: 'pictures',
  symbol: 'folder',
  description: 'Run nothing; draw every construction into a folder, an SVG file each.',
  value: { type: 'text' },
};

/** `two-heads ledger`: every statement of the paper, run and counted, or drawn. */
export const ledgerCommand: Command = {
  usage: 'ledger',
  description: 'run every theorem, count its calls and measure its errors',
  options: [...Object.values(ledgerTable), picturesOption, jsonOption],
  run: async (_args, given, io) => {
    const folder = textGiven(picturesOption, given);
    if (folder !== undefined) {
      const paths = await writePictures(folder);
      print(io, given, { pictures: paths }, () => paths.join('\n'));
      return;
    }
    const options = valuesOf(ledgerTable, given);
    const report = await runLedger(options, { signal: io.signal, onProgress: progressPrinter(io, 'ledger') });
    print(io, given, report, () => ledgerText(report));
    failOn(ledgerVerdict(report), 'The ledger');
  },
};

/**
 * Draws every construction into a folder, which is made where it is missing: one SVG file each.
 *
 * @returns the paths, in the order of docs/constructions.md
 * @throws InputError where the folder cannot be made or written
 */
export async function writePictures(folder: string): Promise<string[]> {
  await makeFolder(folder, `--pictures ${folder}`, 'give the path of a folder');
  const paths: string[] = [];
  for (const { name, svg } of pictures) {
    const path = join(folder, `${name}.svg`);
    await writeWhole(path, svg(), '--pictures');
    paths.push(path);
  }
  return paths;
}

/** A ledger as a person reads it. */
function ledgerText(report: LedgerReport): string {
  const { header, rows } = ledgerTableOf(report);
  const lines = formulaTable(report).rows.map(([name, formula, calls]) => `  ${name}: ${formula} = ${calls}`);
  return [
    ledgerSubject(report),
    '',
    table(header, rows),
    '',
    'Formulas:',
    ...lines,
    '',
    ...samplingLines(report.sampling),
    `  ${verdictText(report.samplingVerdict)}`,
  ].join('\n');
}
