// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { formatCount, formatError } from '../../../src/core/format';
import { defaultLedgerOptions, type LedgerReport, type LedgerRow } from '../../../src/core/ledger/report';
import { lowerBoundOf, packedFormula } from '../../../src/core/plan/bound';
import { sampledVerdict } from '../../../src/core/report/verdict';
import { arrangementOf, scenarioTitle } from '../../../src/core/scenario/scenario';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { ledgerStatements, planStatement } from '../../../src/engine/tasks/ledger/row';
import { Ledger } from '../../../webview/sections/ledger';
import { find, inGerman, isShown, newPage, pressButton, put, readable, tableOf, textOf, type Page } from './page';
import { emptySnapshot, overTheWire, sampledRun, snapshotOf } from './snapshots';

/** A ledger that never ran: its statements are planned as the engine plans them, its errors are made up. */
function ledgerReport(change: (row: LedgerRow, index: number) => Partial<LedgerRow> = () => ({})): LedgerReport {
  const rows = ledgerStatements(defaultLedgerOptions).map((statement, index): LedgerRow => {
    const plan = planStatement(statement, defaultLedgerOptions);
    const { statement: name, construction, scenario, tokens, model, oracle, bound } = plan;
    const { formula } = arrangementOf(scenario, construction, { ...oracle, tokens });
    const exact = packedFormula(plan, formula, construction);
    const row: LedgerRow = {
      statement: name,
      construction,
      scenario,
      tokens,
      layers: model.layers,
      heads: model.heads,
      oracle,
      countedCalls: exact.calls,
      callsPerBlock: (exact.calls * oracle.inputLength) / tokens,
      retries: 0,
      exact,
      bound: { formula: bound.formula, calls: bound.calls },
      lowerBound: lowerBoundOf(plan),
      rounds: model.layers,
      outputError: 1e-7 * (index + 1),
      logNormaliserError: 2e-7,
      readsNormaliser: true,
      stated: { error: 1e-5, reason: 'float32 rounding' },
      verdict: construction === 'tight' ? 'exact' : 'within',
      wallMs: 100,
    };
    return { ...row, ...change(row, index) };
  });
  const { sampling, environment } = sampledRun;
  if (sampling === null) {
    throw new Error('The recorded run has no sampling.');
  }
  return overTheWire({
    schemaVersion: 1,
    options: defaultLedgerOptions,
    rows,
    sampling,
    samplingVerdict: sampledVerdict(sampling),
    environment,
  });
}

let page: Page;
let ledger: Ledger;

beforeEach(() => {
  page = newPage();
  ledger = put(new Ledger(page.host));
});

const running: PanelSnapshot['activity'] = { state: 'running', task: 'ledger', title: 'ledger', progress: null };

/** The cells of a row, by what they are. */
function rowOf(index: number): Readonly<Record<string, HTMLElement>> {
  const cells = [...find(`ledger-row-${index}`).querySelectorAll<HTMLElement>('[data-testid]')];
  return Object.fromEntries(cells.map((cell) => [cell.dataset['testid']?.replace('ledger-', '') ?? '', cell]));
}

describe('the ledger of theorems', () => {
  it('can be run without a prompt, and says that it has not', () => {
    ledger.update(emptySnapshot());
    expect(textOf('ledger-empty')).toBe('The ledger has not run yet.');
    expect(isShown('ledger')).toBe(false);
    pressButton('ledger-run');
    expect(page.posted).toEqual([{ type: 'run-ledger' }]);
    ledger.update(emptySnapshot({ activity: running }));
    expect(isShown('ledger-empty')).toBe(false);
    ledger.showProgress({ message: 'Theorem 3.5', phase: 'attend', fraction: 0.5 });
    expect([textOf('ledger-progress-message'), textOf('ledger-progress-share')]).toEqual(['Theorem 3.5', '50%']);
  });

  it('has a row for each statement: what was counted beside formula and bounds', () => {
    const report = ledgerReport();
    ledger.update(snapshotOf({}, { ledger: report }));
    expect([isShown('ledger-empty'), isShown('ledger')]).toEqual([false, true]);
    expect(report.rows.length).toBeGreaterThan(10);
    report.rows.forEach((row, index) => {
      const cells = rowOf(index);
      expect(readable(cells['statement'])).toBe(row.statement);
      expect(readable(cells['construction'])).toBe(row.construction);
      expect(readable(cells['scenario'])).toBe(scenarioTitle(row.scenario));
      expect(readable(cells['counted'])).toBe(formatCount(row.countedCalls));
      expect(readable(cells['exact'])).toBe(`${formatCount(row.exact.calls)} ${row.exact.formula}`);
      expect(readable(cells['lower-bound'])).toBe(formatCount(row.lowerBound));
      expect(readable(cells['rounds'])).toBe(formatCount(row.rounds));
      expect(readable(cells['output-error'])).toBe(formatError(row.outputError));
      expect(readable(cells['stated'])).toBe('1.0e-5 float32 rounding');
      expect(cells['verdict'].title).toBe(row.verdict === 'exact' ? 'equal up to rounding' : 'not above the stated error');
      expect(cells['bound'].title).toBe(row.bound.formula);
      // One formula says both where they are the same.
      expect(cells['bound'].querySelector('small')?.textContent).toBe(
        row.bound.formula === row.exact.formula ? undefined : row.bound.formula,
      );
    });
    expect(report.rows.some(({ exact, bound }) => exact.formula === bound.formula)).toBe(true);
    expect(report.rows.some(({ exact, bound }) => exact.formula !== bound.formula)).toBe(true);
  });

  it('writes parameters in the paper’s letters, those that the scenario has', () => {
    const report = ledgerReport();
    ledger.update(snapshotOf({}, { ledger: report }));
    const parametersOf = (kind: string): string =>
      readable(rowOf(report.rows.findIndex(({ scenario, heads }) => scenario.kind === kind && heads === 6))['parameters']);
    const letters = (text: string): string => text.replaceAll('\u00a0', ' ');
    expect(letters(parametersOf('full'))).toBe("N 1,000, M 129, H 6, L 2, H' 2, L' 2");
    expect(letters(parametersOf('attention-sink'))).toBe("N 1,000, M 129, r 48, s 4, H 6, L 2, H' 2, L' 2");
    // A letter stays on the line of its number.
    expect(parametersOf('full')).toContain('N\u00a01,000');
  });

  it('says what overflowed, what was not read, what was repeated, and what is too far off', () => {
    const report = ledgerReport((_row, index) =>
      index === 0
        ? { outputError: Infinity, logNormaliserError: NaN, verdict: 'failed' as const, retries: 2 }
        : index === 1
          ? { readsNormaliser: false, logNormaliserError: null, retries: 1 }
          : {},
    );
    ledger.update(snapshotOf({}, { ledger: report }));
    const [first, second] = [rowOf(0), rowOf(1)];
    expect([readable(first['output-error']), readable(first['log-normaliser-error'])]).toEqual(['Infinity', 'NaN']);
    expect(readable(first['counted'])).toBe(`${formatCount(report.rows[0].countedCalls)} and 2 repeats`);
    expect([readable(first['verdict']), find('ledger-row-0').dataset['verdict']]).toEqual(['FAILED', 'failed']);
    expect(readable(second['log-normaliser-error'])).toBe('–');
    expect(readable(second['counted'])).toBe(`${formatCount(report.rows[1].countedCalls)} and 1 repeat`);
  });

  it('explains its letters and verdicts, and can be scrolled by the keyboard', () => {
    ledger.update(snapshotOf({}, { ledger: ledgerReport() }));
    const notes = [...ledger.element.querySelectorAll('.note')].map(readable);
    expect(notes.join(' ')).toContain(
      'Verdicts: exact (equal up to rounding), within (not above the stated error), FAILED (beyond it, or not finite), vacuous (nothing was promised',
    );
    const scroller = find('ledger-table').parentElement;
    expect([scroller?.getAttribute('role'), scroller?.getAttribute('aria-label'), scroller?.tabIndex]).toEqual([
      'region',
      'Ledger of theorems',
      0,
    ]);
    expect(isShown('ledger-sampling')).toBe(true);
    expect(textOf('ledger-sampling-within')).toBe('0 of 2');
  });

  it('stays in view while it runs again, and is updated in place', () => {
    ledger.update(snapshotOf({}, { ledger: ledgerReport() }));
    const row = find('ledger-row-0');
    ledger.update(snapshotOf({}, { ledger: ledgerReport(), activity: running }));
    expect([isShown('ledger'), isShown('ledger-cancel')]).toEqual([true, true]);
    ledger.update(snapshotOf({}, { ledger: ledgerReport(() => ({ countedCalls: 7 })) }));
    expect(find('ledger-row-0')).toBe(row);
    expect(readable(rowOf(0)['counted'])).toBe('7');
  });

  it('is German in German, formulas as they are', () => {
    page = newPage();
    inGerman();
    ledger = put(new Ledger(page.host));
    const report = ledgerReport();
    ledger.update(snapshotOf({}, { ledger: report }));
    expect(tableOf('ledger-table')[0]).not.toContain('Statement');
    expect(readable(rowOf(0)['exact'])).toBe(`${formatCount(report.rows[0].exact.calls)} ${report.rows[0].exact.formula}`);
    expect(readable(rowOf(0)['verdict'])).toBe('exakt');
  });
});
