// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { formatDuration, formatError, formatNumberOf, formatShare } from '../../../src/core/format';
import type { Activity, PanelSnapshot, Task } from '../../../src/protocol/panel';
import { Actions } from '../../../webview/form/actions';
import { find, inGerman, isShown, newPage, pressButton, put, textOf, type Page } from './page';
import { current, emptySnapshot, other, snapshotOf, tightRun, windowRun } from './snapshots';

let page: Page;
let actions: Actions;

beforeEach(() => {
  page = newPage();
});

function showActions(snapshot: PanelSnapshot = snapshotOf()): void {
  actions = put(new Actions(page.host));
  actions.update(snapshot);
}

const doing = (activity: Activity): PanelSnapshot => snapshotOf({}, { activity });
const running = (task: Task = 'prompt'): PanelSnapshot => doing({ state: 'running', task, title: 'Simulate prompt.md', progress: null });
const isEnabled = (id: string): boolean => isShown(id) && !(find(id) as HTMLButtonElement).disabled;

describe('the buttons of a run', () => {
  it('ask the host for it', () => {
    showActions();
    expect(actions.element.getAttribute('aria-label')).toBe('Run');
    expect(['simulate', 'open-lab', 'compare', 'cancel'].map(textOf)).toEqual(['Simulate', 'Open Lab', 'Compare', 'Cancel']);
    expect(isShown('cancel')).toBe(false);
    pressButton('simulate');
    pressButton('open-lab');
    pressButton('compare');
    expect(page.posted).toEqual([{ type: 'simulate' }, { type: 'open-lab', part: null }, { type: 'compare' }]);
  });

  it.each([
    ['no plan yet', snapshotOf({}, { plan: null })],
    ['a form that needs a change', snapshotOf({}, { formError: 'M is wrong.' })],
  ])('do nothing with %s', (_, snapshot) => {
    showActions(snapshot);
    pressButton('simulate');
    pressButton('compare');
    expect([isEnabled('simulate'), isEnabled('compare'), isShown('cancel')]).toEqual([false, false, false]);
    expect(page.posted).toEqual([]);
  });

  it.each(['prompt', 'ledger', 'evaluate'] as const)('start nothing while something runs, and end it: %s', (task) => {
    showActions(running(task));
    pressButton('simulate');
    expect([isEnabled('simulate'), isShown('compare')]).toEqual([false, false]);
    pressButton('cancel');
    expect(page.posted).toEqual([{ type: 'cancel' }]);
  });

  it('are not there without a prompt, but for the lab’s', () => {
    showActions(emptySnapshot());
    expect([isShown('simulate'), isShown('compare'), isShown('cancel'), isEnabled('open-lab')]).toEqual([false, false, false, true]);
  });
});

describe('a run', () => {
  it('is named before it says how far it is, then tells it, in place', () => {
    showActions(running());
    expect([isShown('status'), isShown('cancel'), isShown('compare')]).toEqual([true, true, false]);
    const bar = find('progress') as HTMLProgressElement;
    expect(textOf('progress-message')).toBe('Simulate prompt.md');
    expect(bar.getAttribute('aria-label')).toBe('Simulate prompt.md');
    expect(bar.hasAttribute('value')).toBe(false);
    expect(textOf('progress-share')).toBe('');
    actions.showProgress({ message: 'layer 2 of 3', phase: 'attend', fraction: 0.42 });
    expect(textOf('progress-message')).toBe('layer 2 of 3');
    expect(find('progress-message').getAttribute('aria-live')).toBe('polite');
    expect(textOf('progress-share')).toBe(formatShare(0.42));
    expect(bar.getAttribute('value')).toBe('0.42');
    expect(find('progress')).toBe(bar);
  });

  it('shows what its snapshot knows of it, as a page does that was hidden', () => {
    showActions(
      doing({ state: 'running', task: 'prompt', title: 'Simulate', progress: { message: 'merging', phase: 'merge', fraction: 0.9 } }),
    );
    expect([textOf('progress-message'), textOf('progress-share')]).toEqual(['merging', '90%']);
  });

  it('has no progress left behind by others: none is shown while nothing runs', () => {
    showActions();
    actions.showProgress({ message: 'theorem 3.4', phase: 'attend', fraction: 0.5 });
    expect(isShown('status')).toBe(false);
    expect(textOf('progress-message')).toBe('');
  });

  it('hands the focus from the button that goes away to its neighbour, and takes none from elsewhere', () => {
    showActions();
    pressButton('simulate');
    actions.update(running());
    expect(document.activeElement).toBe(find('cancel'));
    actions.update(snapshotOf());
    expect(document.activeElement).toBe(find('simulate'));
    find('simulate').blur();
    actions.update(running());
    expect(document.activeElement).toBe(document.body);
  });
});

describe('how a run came out', () => {
  const { run, fidelity } = windowRun;
  const [time, calls] = [formatDuration(run.wallMs), formatNumberOf(run.calls.total, 'call')];

  it('stands where it was started, and leads to the section that has all of it', () => {
    showActions(snapshotOf({}, { runs: [other(tightRun), current(windowRun)] }));
    const error = formatError(fidelity?.maxAbsError ?? NaN);
    expect(textOf('outcome')).toBe(`Ran in ${time}, error ${error}, ${calls}. Show the last run`);
    find('outcome').click();
    expect(page.posted).toEqual([{ type: 'open-lab', part: 'last-run' }]);
  });

  it('has no error where none was measured', () => {
    showActions(snapshotOf({}, { runs: [current(tightRun)] }));
    const text = `Ran in ${formatDuration(tightRun.run.wallMs)}: ${formatNumberOf(tightRun.run.calls.total, 'call')}. Show the last run`;
    expect(textOf('outcome')).toBe(text);
  });

  it('is not that of another prompt, and not shown while the next one runs', () => {
    showActions(snapshotOf({}, { runs: [other(windowRun)] }));
    expect(isShown('outcome')).toBe(false);
    actions.update(
      snapshotOf({}, { runs: [current(windowRun)], activity: { state: 'running', task: 'prompt', title: 'Simulate', progress: null } }),
    );
    expect(isShown('outcome')).toBe(false);
  });

  it('says in place why it failed, until something else happens', () => {
    showActions(doing({ state: 'failed', message: 'There is not enough memory.' }));
    expect(textOf('failure')).toBe('There is not enough memory.');
    expect(find('failure').getAttribute('role')).toBe('alert');
    expect(isEnabled('simulate')).toBe(true);
    actions.update(running());
    expect(isShown('failure')).toBe(false);
    expect(textOf('failure')).toBe('');
  });

  it('is German in German', () => {
    inGerman();
    showActions(snapshotOf({}, { runs: [current(windowRun)] }));
    expect(textOf('simulate')).toBe('Simulieren');
    expect(textOf('outcome')).toContain(time);
    expect(textOf('outcome')).not.toContain('Ran in');
  });
});
