import { join } from 'node:path';
import { pictures } from '../core/draw/pictures';
import { formatCount, formatDuration, formatError, formatFigure } from '../core/format';
import { type LedgerReport, type LedgerRow, ledgerTable, ledgerVerdict } from '../core/ledger/report';
import type { Option } from '../core/options/option';
import { failOn, verdictText } from '../core/report/verdict';
import { scenarioLabel } from '../core/scenario/scenario';
import { makeFolder } from '../engine/store/files';
import { runLedger } from '../engine/tasks/ledger/ledger';
import { jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, textGiven, valuesOf } from './options';
import { samplingLines } from './simulate-text';
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
function ledgerText({ options, rows, sampling, samplingVerdict }: LedgerReport): string {
  const { tokens, blockSize, layers, heads, oracleLayers, oracleHeads, scoreScale } = options;
  return [
    `Random model, N = ${formatCount(tokens)}, L = ${layers}, H = ${heads}, scores of standard deviation ${formatFigure(scoreScale)}; small transformer: M = ${formatCount(blockSize)}, L' = ${oracleLayers}, H' = ${oracleHeads}.`,
    '',
    table(
      [
        'statement',
        'construction',
        'scenario',
        'calls',
        'calls M/N',
        'formula',
        'bound',
        'lower bound',
        'rounds',
        'output error',
        'log-normaliser',
        'stated',
        'verdict',
        'time',
      ],
      rows.map(cellsOf),
    ),
    '',
    'Formulas:',
    ...rows.map(({ statement, construction, exact }) => `  ${statement}, ${construction}: ${exact.formula} = ${formatCount(exact.calls)}`),
    '',
    ...samplingLines(sampling),
    `  ${verdictText(samplingVerdict)}`,
  ].join('\n');
}

function cellsOf(row: LedgerRow): readonly string[] {
  const { statement, construction, scenario, countedCalls, retries, exact, bound, lowerBound, rounds, stated, verdict, wallMs } = row;
  return [
    statement,
    construction,
    scenarioLabel(scenario),
    `${formatCount(countedCalls)}${retries > 0 ? ` + ${formatCount(retries)}` : ''}`,
    formatFigure(row.callsPerBlock),
    formatCount(exact.calls),
    formatCount(bound.calls),
    formatCount(lowerBound),
    formatCount(rounds),
    formatError(row.outputError),
    row.logNormaliserError === null ? '-' : formatError(row.logNormaliserError),
    formatError(stated.error),
    verdict,
    formatDuration(wallMs),
  ];
}
