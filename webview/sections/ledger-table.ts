import { formatCount, formatNumberOf } from '../../src/core/format';
import { scenarioTitle } from '../../src/core/masks';
import type { LedgerReport, LedgerRow, LedgerVerdict } from '../../src/core/report/ledger';
import { count, errorOrOverflow, errorSize, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/table';

/** The statements of the paper, a row each. */
export class LedgerTable {
  readonly #table = new DataTable(
    'Ledger of theorems',
    [
      { title: 'Statement' },
      { title: 'Construction' },
      { title: 'Scenario' },
      { title: 'Parameters' },
      { title: 'Calls counted', numeric: true },
      { title: 'Exact formula', numeric: true },
      { title: 'Bound', numeric: true },
      { title: 'Lower bound', numeric: true },
      { title: 'Rounds', numeric: true },
      { title: 'Output error', numeric: true },
      { title: 'Log-normaliser error', numeric: true },
      { title: 'Stated error', numeric: true },
      { title: 'Verdict' },
    ],
    { class: 'cards ledger', 'data-testid': 'ledger-table' },
  );
  readonly element = this.#table.element;

  /** Shows the rows of a report. */
  show({ rows }: LedgerReport): void {
    this.#table.update(rows.map(rowOf));
  }
}

/** What each verdict means. */
export const verdictMeanings: Readonly<Record<LedgerVerdict, string>> = {
  exact: 'right to float32 rounding',
  within: 'inside the error that the construction is stated to have',
  exceeds: 'beyond it',
};

function rowOf(row: LedgerRow, index: number): Row {
  const { statement, construction, scenario, countedCalls, retries, exact, bound, lowerBound, rounds, stated, verdict } = row;
  return {
    attributes: { 'data-testid': `ledger-row-${index}`, 'data-verdict': verdict },
    cells: [
      { ...words(statement), testId: 'ledger-statement' },
      { ...words(construction), testId: 'ledger-construction' },
      { ...words(scenarioTitle(scenario)), testId: 'ledger-scenario' },
      { ...words(parametersOf(row)), testId: 'ledger-parameters' },
      { ...count(countedCalls), detail: retries === 0 ? undefined : `and ${formatNumberOf(retries, 'repeat')}`, testId: 'ledger-counted' },
      { ...count(exact.calls), title: exact.formula, detail: exact.formula, testId: 'ledger-exact' },
      // Where the arrangement makes just what the statement allows, one formula says both.
      { ...count(bound.calls), title: bound.formula, detail: bound.formula === exact.formula ? undefined : bound.formula, testId: 'ledger-bound' },
      { ...count(lowerBound), testId: 'ledger-lower-bound' },
      { ...count(rounds), testId: 'ledger-rounds' },
      { ...errorOrOverflow(row.outputError), testId: 'ledger-output-error' },
      { ...(row.readsNormaliser ? errorOrOverflow(row.logNormaliserError) : nothing), testId: 'ledger-log-normaliser-error' },
      { ...errorSize(stated.error), title: stated.reason, detail: stated.reason, testId: 'ledger-stated' },
      { ...words(verdict, verdictMeanings[verdict]), testId: 'ledger-verdict' },
    ],
  };
}

/** The parameters in the paper's letters. */
function parametersOf({ scenario, tokens, layers, heads, oracle }: LedgerRow): string {
  const parameters: readonly (readonly [string, number])[] = [
    ['N', tokens],
    ['M', oracle.inputLength],
    ...('window' in scenario ? [['r', scenario.window] as const] : []),
    ...('sinks' in scenario ? [['s', scenario.sinks] as const] : []),
    ['H', heads],
    ['L', layers],
    ["H'", oracle.heads],
    ["L'", oracle.layers],
  ];
  // A letter stays on the line of its number.
  return parameters.map(([letter, value]) => `${letter}\u00a0${formatCount(value)}`).join(', ');
}
