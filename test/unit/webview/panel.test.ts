// @vitest-environment happy-dom
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { formatCount, formatDuration } from '../../../src/core/format';
import type { HostMessage, PanelSnapshot, Task } from '../../../src/protocol/panel';
import { Panel } from '../../../webview/panel';
import { chooseRadio, find, fold, frame, isShown, newPage, pressButton, seriesOf, textOf, type, valueOf, type Page } from './page';
import { current, curvesOf, emptySnapshot, planOf, snapshotOf, tightRun, windowRun, type Front } from './snapshots';
import { evaluationOf, narrow, pointOf, wide } from './evaluations';
import { root } from '../../support/paths';

const front: Front = { tokens: 1024, kind: 'sliding-window', parameters: { window: 300 } };

let page: Page;
let panel: Panel;
let app: HTMLElement;

function openPage(state?: unknown): void {
  page = newPage(state);
  app = document.createElement('main');
  document.body.append(app);
  panel = new Panel(app, page.host, page.theme);
}

function show(snapshot: PanelSnapshot): void {
  panel.apply({ type: 'snapshot', snapshot });
  frame();
}

beforeEach(() => openPage());

describe('the page', () => {
  it('shows nothing before the first snapshot, then all of its parts', () => {
    expect(isShown(app)).toBe(false);
    show(snapshotOf(front, { runs: [current(windowRun)] }));
    expect(isShown(app)).toBe(true);
    expect(textOf('calls-total')).toBe(formatCount(planOf(front).calls.total));
    const parts = ['scenario', 'simulate', 'tile-map', 'costs-chart', 'wall-time', 'quality-run', 'history', 'ledger-run'];
    expect(parts.filter((part) => !isShown(part))).toEqual([]);
    const headings = [...app.querySelectorAll('summary h2')].map(({ textContent }) => textContent);
    expect(headings).toEqual(['Tile map', 'Cost per scenario', 'Last run', 'Quality', 'History', 'Ledger']);
  });

  it('says how to begin where no prompt is open, with the ledger and the history at hand', () => {
    show(emptySnapshot());
    expect(textOf('document')).toBe('No prompt in front');
    expect(['scenario', 'simulate', 'tile-map', 'costs-chart', 'section-last-run'].filter((part) => isShown(part))).toEqual([]);
    expect([isShown('ledger-run'), isShown('section-history')]).toEqual([true, true]);
  });

  it('follows a second snapshot in place: elements, focus and what is typed stay', () => {
    show(snapshotOf(front));
    const kept = ['calls-total', 'tile-map', 'costs-chart', 'block-size', 'section-costs'].map(find);
    type('block-size', '12');
    fold('section-costs', false);
    const other: Front = { ...front, tokens: 2048 };
    show(snapshotOf(other, { runs: [current(tightRun)] }));
    expect(['calls-total', 'tile-map', 'costs-chart', 'block-size', 'section-costs'].map(find)).toEqual(kept);
    expect(textOf('calls-total')).toBe(formatCount(planOf(other).calls.total));
    expect(textOf('wall-time')).toBe(formatDuration(tightRun.run.wallMs));
    expect(document.activeElement).toBe(find('block-size'));
    expect(valueOf('block-size')).toBe('12');
    expect(find('section-costs')).toHaveProperty('open', false);
  });

  it('is folded as it was when it comes back after having been hidden', () => {
    show(snapshotOf(front));
    fold('section-ledger', false);
    fold('data-costs', true);
    chooseRadio('cost-metric', 'FLOPs');
    openPage(page.kept.state);
    show(snapshotOf(front));
    expect(find('section-ledger')).toHaveProperty('open', false);
    expect(find('data-costs')).toHaveProperty('open', true);
    expect(find('section-tiles')).toHaveProperty('open', true);
    expect(find('costs-chart').getAttribute('aria-label')).toMatch(/^FLOPs per scenario/);
  });
});

describe('increments', () => {
  it('of cost over N and of an evaluation reach their sections, before a snapshot as after it', () => {
    panel.apply({ type: 'cost-curves', curves: curvesOf(front) });
    panel.apply({ type: 'evaluation', evaluation: evaluationOf(pointOf(narrow, 0.5), pointOf(wide, 0.2)) });
    show(snapshotOf(front));
    expect(Object.keys(seriesOf('growth-chart'))).toContain('this prompt');
    expect(isShown('quality-statistics')).toBe(true);
    panel.apply({ type: 'evaluation', evaluation: null });
    panel.apply({ type: 'cost-curves', curves: null });
    expect([isShown('quality-statistics'), isShown('growth-chart')]).toEqual([false, false]);
  });

  it('of progress go to the task that runs', () => {
    const running = (task: Task): void => show(snapshotOf(front, { activity: { state: 'running', task, title: task, progress: null } }));
    const progress: HostMessage = { type: 'progress', progress: { message: 'layer 2', phase: 'attend', fraction: 0.5 } };
    running('prompt');
    panel.apply(progress);
    expect([textOf('progress-message'), isShown('ledger-progress-message')]).toEqual(['layer 2', false]);
    running('ledger');
    panel.apply(progress);
    expect([isShown('progress-message'), textOf('ledger-progress-message')]).toEqual([false, 'layer 2']);
  });

  it('of the editor’s place and of a tile’s text reach the map', () => {
    show(snapshotOf(front));
    panel.apply({ type: 'place', place: { cursor: 3, visible: { from: 1, to: 2 } } });
    expect(textOf('visible-blocks')).toBe('in the editor: block 2');
    find('tile-map').focus();
    vi.advanceTimersByTime(200);
    const [asked] = page.posted.slice(-1);
    expect(asked).toMatchObject({ type: 'read-tile', queryBlock: 3 });
    panel.apply({ type: 'tile-text', request: (asked as { request: number }).request, queries: 'Once upon', keys: 'a time' });
    expect([textOf('tile-queries'), textOf('tile-keys')]).toEqual(['Once upon', 'a time']);
  });
});

describe('the way to the last run', () => {
  it('leads from its line under the buttons to its section, unfolded', () => {
    show(snapshotOf(front, { runs: [current(windowRun)] }));
    fold('section-last-run', false);
    find('outcome').click();
    expect(find('section-last-run')).toHaveProperty('open', true);
  });
});

describe('the script of the page', () => {
  it('says that it is ready, in the language that the host wrote into the page, and hears only the host', async () => {
    page = newPage();
    const main = document.createElement('main');
    main.id = 'app';
    main.dataset['translations'] = readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8');
    document.body.append(main);
    vi.resetModules();
    // Its components are registered already: a page has one script.
    vi.doMock('../../../webview/ui/toolkit', async (original) => ({ ...(await original<object>()), registerComponents: vi.fn() }));
    await import('../../../webview/main');
    expect(page.posted).toEqual([{ type: 'ready' }]);
    const send = (data: unknown): void => {
      window.dispatchEvent(new MessageEvent('message', { data }));
      frame();
    };
    send({ type: 'snapshot', snapshot: null });
    send('else');
    expect(isShown(main)).toBe(false);
    send({ type: 'snapshot', snapshot: snapshotOf(front) });
    expect(isShown(main)).toBe(true);
    expect(textOf('simulate')).toBe('Simulieren');
    pressButton('simulate');
    expect(page.posted.at(-1)).toEqual({ type: 'simulate' });
  });
});
