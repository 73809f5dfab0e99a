import { formatCount, formatDuration, formatError, formatFigure, formatNumberOf } from '../format';
import { htmlPage, paragraph, type TextTable, titledTable } from '../report/html';
import { samplingLines } from '../report/sampling-text';
import { verdictText } from '../report/verdict';
import { scenarioLabel } from '../scenario/scenario';
import { type LedgerReport, type LedgerRow, ledgerVerdict } from './report';

/** A ledger as one HTML page: it needs no other file, no script and no network. */
export function ledgerHtml(report: LedgerReport): string {
  return htmlPage(`Two Heads: ledger of ${formatNumberOf(report.rows.length, 'row')}`, [
    paragraph(ledgerSubject(report)),
    titledTable(ledgerTableOf(report), true),
    titledTable(formulaTable(report), true),
    '<h2>Sampling</h2>',
    ...samplingLines(report.sampling).map((line) => paragraph(line.trim())),
    paragraph(verdictText(report.samplingVerdict)),
    '<h2>Verdict</h2>',
    paragraph(verdictText(ledgerVerdict(report))),
  ]);
}

/** What a ledger was run on. */
export function ledgerSubject({ options }: LedgerReport): string {
  const { tokens, blockSize, layers, heads, oracleLayers, oracleHeads, scoreScale } = options;
  return `Random model, N = ${formatCount(tokens)}, L = ${layers}, H = ${heads}, scores of standard deviation ${formatFigure(scoreScale)}; small transformer: M = ${formatCount(blockSize)}, L' = ${oracleLayers}, H' = ${oracleHeads}. Calls are those of attention: projections, norms and MLPs of the random model run outside the box.`;
}

/** The rows of a ledger as a table. */
export function ledgerTableOf({ rows }: LedgerReport): TextTable {
  return {
    title: 'Statements',
    header: [
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
    rows: rows.map(cellsOf),
  };
}

/** The formulas of a ledger's calls: what each is of, the formula, and what it gives. */
export function formulaTable({ rows }: LedgerReport): TextTable {
  return {
    title: 'Formulas',
    header: ['statement', 'formula', 'calls'],
    rows: rows.map(({ statement, construction, exact }) => [`${statement}, ${construction}`, exact.formula, formatCount(exact.calls)]),
  };
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
