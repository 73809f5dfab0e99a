import { adviceHtml } from '../advise/html';
import { atlasHtml } from '../atlas/html';
import { evaluationHtml } from '../evaluate/html';
import { escaped } from '../draw/svg';
import { formatNumberOf } from '../format';
import { generationText } from '../generate/report';
import { ledgerHtml } from '../ledger/html';
import { htmlPage, htmlReport, type TextTable, titledTable } from '../report/html';
import { verdictName } from '../report/verdict';
import { scenarioLabel } from '../scenario/scenario';
import { visibleLines } from '../text/printable';
import { recordFacts, recordLabel } from './label';
import { differenceText, measureNames, measureTable, measureText } from './measures';
import type { LabRecord, RecordKind } from './record';
import { partsOf, type RecordPart } from './row';

/** A record as one HTML page, which needs no other file, no script and no network. */
export function recordHtml(record: LabRecord): string {
  switch (record.kind) {
    case 'run':
      return htmlReport([record.report]);
    case 'comparison': {
      const { runs, refused } = record.report;
      return htmlReport(
        runs,
        refused.map(({ scenario, reason }) => `Left out ${scenarioLabel(scenario)}: ${reason}`),
      );
    }
    case 'evaluation':
      return evaluationHtml(record.report);
    case 'ledger':
      return ledgerHtml(record.report);
    case 'atlas':
      return atlasHtml(record.report);
    case 'advice':
      return adviceHtml(record.report);
    case 'continuation':
      return htmlPage('Two Heads: continuation', [`<pre>${escaped(visibleLines(generationText(record.report)))}</pre>`]);
  }
}

/**
 * Records of one kind side by side as one HTML page: runs with their pictures, others as tables with the differences from the first.
 *
 * @param records at least two, in the order in which they are shown
 */
export function comparisonHtml(records: readonly LabRecord[]): string {
  const runs = records.flatMap((record) => (record.kind === 'run' ? [record.report] : []));
  return runs.length === records.length
    ? htmlReport(runs)
    : htmlPage(`Two Heads: ${formatNumberOf(records.length, 'result')} compared`, [
        titledTable(factsTable(records)),
        titledTable(measuresTable(records), true),
      ]);
}

/** What each record is, a column for each. */
function factsTable(records: readonly LabRecord[]): TextTable {
  const facts = records.map((record) => new Map(recordFacts(record)));
  const names = [...new Set(facts.flatMap((each) => [...each.keys()]))];
  return {
    title: 'Results',
    header: ['', ...records.map((record) => recordLabel(record))],
    rows: names.map((name) => [name, ...facts.map((each) => each.get(name) ?? '-')]),
  };
}

/** What was measured of each part that several records have in common, and of those that only one has, with differences from the first record. */
function measuresTable(records: readonly LabRecord[]): TextTable {
  const parts = records.map((record) => new Map(partsOf(record).map((part) => [part.name, part])));
  const names = [...new Set(parts.flatMap((each) => [...each.keys()]))];
  const [, ...others] = records;
  return {
    title: partsTitles[records[0].kind],
    header: ['', '', '1', ...others.flatMap((_, index) => [String(index + 2), `${index + 2} against 1`])],
    rows: names.flatMap((name) =>
      rowsOf(
        name,
        parts.map((each) => each.get(name)),
      ),
    ),
  };
}

const partsTitles: Readonly<Record<RecordKind, string>> = {
  run: 'Runs',
  comparison: 'By scenario',
  evaluation: 'By scenario, of one window',
  ledger: 'By statement',
  atlas: 'By run',
  continuation: 'By scenario',
  advice: 'By mask, of one window',
};

/** The rows of one part: its verdict, and each measure that any of the records has. */
function rowsOf(name: string, [first, ...others]: readonly (RecordPart | undefined)[]): string[][] {
  const verdictOf = (part: RecordPart | undefined): string => (part?.verdict ? verdictName(part.verdict) : '-');
  const measured = measureNames.flatMap((measure) => {
    const textOf = (part: RecordPart | undefined): string => (part && measureText(measure, part.measures)) ?? '-';
    const cells = [
      textOf(first),
      ...others.flatMap((part) => [textOf(part), (first && part && differenceText(measure, part.measures, first.measures)) ?? '']),
    ];
    return [first, ...others].every((part) => textOf(part) === '-') ? [] : [[name, measureTable[measure].title, ...cells]];
  });
  const verdicts = [
    verdictOf(first),
    ...others.flatMap((part) => [verdictOf(part), verdictOf(part) === verdictOf(first) ? '' : 'differs']),
  ];
  return [...measured, ...(verdicts.some((cell) => !['-', ''].includes(cell)) ? [[name, 'verdict', ...verdicts]] : [])];
}
