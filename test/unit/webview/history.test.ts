// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { formatCount, formatDuration, formatError, formatFigure, localTime } from '../../../src/core/format';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { History } from '../../../webview/sections/history';
import { find, inGerman, isShown, newPage, put, readable, tableOf, type Page } from './page';
import { current, other, snapshotOf, tightRun, windowRun } from './snapshots';
import { reportOf } from '../../support/reports';

let page: Page;
let history: History;

beforeEach(() => {
  page = newPage();
  history = put(new History(page.host));
});

const rows = (): Element[] => [...document.querySelectorAll('[data-testid="history-row"]')];
const notes = (): string[] => [...history.element.querySelectorAll('.note')].filter(isShown).map(readable);

describe('the history', () => {
  it('lists runs as their reports have them, the newest first', () => {
    const plain = reportOf({ path: '/home/ann/notes/one.md', scenario: makeScenario('attention-sink', { window: 32, sinks: 2 }) });
    history.update(snapshotOf({}, { runs: [other(plain, 'a'), other(windowRun, 'b'), other(tightRun, 'c')] }));
    expect(tableOf('history')).toEqual([
      ['Prompt', 'Scenario', 'Construction', 'M', 'Calls', 'Time', 'Max error', 'Verdict', 'Perplexity', 'Date'],
      [
        'one.md',
        'attention-sink(window 32, sinks 2)',
        'fused',
        '16',
        formatCount(plain.run.calls.total),
        '1.23 s',
        '3.1e-7',
        'exact',
        '12.5',
        localTime('2026-02-01T14:05:06.789Z'),
      ],
      [
        'long-prompt.md',
        'sliding-window(window 40)',
        'fused',
        '32',
        formatCount(windowRun.run.calls.total),
        formatDuration(windowRun.run.wallMs),
        formatError(windowRun.fidelity?.maxAbsError ?? NaN),
        'exact',
        formatFigure(windowRun.quality?.perplexity ?? NaN),
        localTime(windowRun.environment.date),
      ],
      [
        'long-prompt.md',
        'attention-sink(window 12, sinks 2)',
        'tight',
        formatCount(tightRun.oracle.inputLength),
        formatCount(tightRun.run.calls.total),
        formatDuration(tightRun.run.wallMs),
        '–',
        'vacuous',
        '–',
        localTime(tightRun.environment.date),
      ],
    ]);
    expect(rows().map((row) => row.getAttribute('data-run'))).toEqual(['a', 'b', 'c']);
    // Names of files are short; where they are is one hover away.
    expect(rows()[0].querySelector('th')?.title).toBe('/home/ann/notes/one.md');
  });

  it('marks the run in view, for the eye and for screen readers', () => {
    history.update(snapshotOf({}, { runs: [other(tightRun, 'a'), current(windowRun, 'b')] }));
    expect(rows().map((row) => row.getAttribute('aria-current'))).toEqual([null, 'true']);
    expect(rows().map((row) => row.querySelector('th')?.getAttribute('data-badge'))).toEqual([null, 'in view']);
  });

  it('keeps its rows and takes away what is gone', () => {
    history.update(snapshotOf({}, { runs: [other(tightRun, 'a'), other(windowRun, 'b')] }));
    const [first] = rows();
    history.update(snapshotOf({}, { runs: [current(windowRun, 'b')] }));
    expect(rows()).toEqual([first]);
    expect(first.getAttribute('data-run')).toBe('b');
    expect(first.getAttribute('aria-current')).toBe('true');
  });

  it('says that there are none, and how many more there are', () => {
    history.update(snapshotOf());
    expect(notes()).toEqual(['No runs yet.']);
    expect(isShown('history')).toBe(false);
    history.update(snapshotOf({}, { runs: [other(windowRun)], keptRuns: 1200 }));
    expect(notes()).toEqual(['1 of 1,200 runs; the Runs view lists them all.']);
    history.update(snapshotOf({}, { runs: [other(windowRun)] }));
    expect(notes()).toEqual([]);
  });

  it('has the roles of a table, which its cards on a narrow page would lose', () => {
    history.update(snapshotOf({}, { runs: [other(windowRun)] }));
    expect(find('history').getAttribute('role')).toBe('table');
    expect(find('history').querySelector('caption')?.textContent).toBe('Runs, newest first');
    const [row] = rows();
    expect([row, ...row.children].map((each) => each.getAttribute('role'))).toEqual(['row', 'rowheader', ...Array<string>(9).fill('cell')]);
    // On a card each value stands beside the name of its column.
    expect([...row.children].map((cell) => cell.getAttribute('data-label'))).toEqual(tableOf('history')[0]);
  });

  it('marks a run that failed, in a word and for the style sheet', () => {
    history.update(snapshotOf({}, { runs: [current(reportOf({ verdict: 'failed' })), other(windowRun, 'b')] }));
    expect(rows().map((row) => row.getAttribute('data-verdict'))).toEqual(['failed', 'exact']);
    const cell = rows()[0].querySelector<HTMLElement>('[data-testid="history-verdict"]');
    expect([cell?.textContent, cell?.title]).toEqual(['FAILED', 'A row has an error of 5.0e-1 of the largest value.']);
  });

  it('is German in German', () => {
    page = newPage();
    inGerman();
    history = put(new History(page.host));
    history.update(snapshotOf({}, { runs: [current(windowRun)], keptRuns: 5 }));
    expect(tableOf('history')[0]).toContain('Szenario');
    expect(notes()[0]).toMatch(/^1 von 5 /);
  });
});
