// @vitest-environment happy-dom
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { formatCount } from '../../../src/core/format';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { mapSummary } from '../../../webview/map/wording';
import { Panel } from '../../../webview/panel';
import { chartOf, find, frame, isShown, newPage, press, pressButton, seriesOf, textOf, type, valueOf, type Page } from './page';
import { current, emptySnapshot, planOf, snapshotOf, tightRun, windowRun, type Front } from './snapshots';
import { root } from '../../support/paths';

const front: Front = { tokens: 1024, kind: 'sliding-window', parameters: { window: 300 } };

let page: Page;
let panel: Panel;
let app: HTMLElement;

function show(snapshot: PanelSnapshot): void {
  panel.apply({ type: 'snapshot', snapshot });
  frame();
}

beforeEach(() => {
  page = newPage();
  app = document.createElement('main');
  document.body.append(app);
  panel = new Panel(app, page.host, page.theme);
});

describe('the page', () => {
  it('shows nothing before the first snapshot, then the prompt at a glance', () => {
    expect(isShown(app)).toBe(false);
    show(snapshotOf(front, { runs: [current(windowRun)] }));
    expect(isShown(app)).toBe(true);
    expect(textOf('calls-total')).toBe(formatCount(planOf(front).calls.total));
    const parts = ['simulate', 'open-lab', 'scenario', 'block-size', 'glance-map', 'expected-time', 'glance-costs', 'outcome'];
    expect(parts.filter((part) => !isShown(part))).toEqual([]);
    expect(app.querySelectorAll('details')).toHaveLength(0);
  });

  it('says how to begin where no prompt is open, with the lab at hand', () => {
    show(emptySnapshot());
    expect(textOf('document')).toBe('No prompt in front');
    expect(['scenario', 'simulate', 'glance-map', 'glance-costs'].filter((part) => isShown(part))).toEqual([]);
    expect(isShown('open-lab')).toBe(true);
  });

  it('follows a second snapshot in place: elements, focus and what is typed stay', () => {
    show(snapshotOf(front));
    const kept = ['calls-total', 'glance-map', 'glance-costs', 'block-size'].map(find);
    type('block-size', '12');
    const other: Front = { ...front, tokens: 2048 };
    show(snapshotOf(other, { runs: [current(tightRun)] }));
    expect(['calls-total', 'glance-map', 'glance-costs', 'block-size'].map(find)).toEqual(kept);
    expect(textOf('calls-total')).toBe(formatCount(planOf(other).calls.total));
    expect(document.activeElement).toBe(find('block-size'));
    expect(valueOf('block-size')).toBe('12');
  });

  it('tells the progress of whatever runs', () => {
    show(snapshotOf(front, { activity: { state: 'running', task: 'ledger', title: 'ledger', progress: null } }));
    panel.apply({ type: 'progress', progress: { message: 'layer 2', phase: 'attend', fraction: 0.5 } });
    expect(textOf('progress-message')).toBe('layer 2');
  });
});

describe('costs at a glance', () => {
  it('are a bar of expected time for each scenario, with the chosen one marked', () => {
    const snapshot = snapshotOf(front);
    show(snapshot);
    const [[label, values]] = Object.entries(seriesOf('glance-costs'));
    expect([label, values]).toEqual(['Time', snapshot.scenarioCosts.map(({ predictedMs }) => predictedMs)]);
    expect(find('glance-costs').getAttribute('aria-label')).toMatch(/^Time per scenario: full .*sliding-window\(window 300\) /);
    expect(chartOf('glance-costs').options.scales?.['x']).toMatchObject({ display: false });
  });

  it('are calls while no time is known', () => {
    const snapshot = snapshotOf({ ...front, calibrated: false });
    show(snapshot);
    const calls = snapshot.scenarioCosts.map(({ attentionCalls, tokenwiseCalls }) => attentionCalls + tokenwiseCalls);
    expect(seriesOf('glance-costs')).toEqual({ Calls: calls });
  });
});

describe('the map at a glance', () => {
  it('says what it shows and which tile the keyboard is on, selects that, and follows the cursor', () => {
    show(snapshotOf(front));
    expect(find('glance-map').getAttribute('aria-label')).toBe(mapSummary(planOf(front)));
    panel.apply({ type: 'place', place: { cursor: 3, visible: null } });
    find('glance-map').focus();
    expect(textOf('glance-tile')).toMatch(/^query block 4 .* reads key block 1 /);
    press(find('glance-map'), 'ArrowUp');
    press(find('glance-map'), 'Enter');
    expect(page.posted.at(-1)).toMatchObject({ type: 'select-tile', queryBlock: 2 });
  });
});

describe('the offer to calibrate', () => {
  it('asks for a calibration while there is none, unless something runs', () => {
    show(snapshotOf({ calibrated: false }));
    expect(isShown('calibrate')).toBe(true);
    pressButton('calibrate');
    expect(page.posted).toEqual([{ type: 'calibrate' }]);
    show(snapshotOf({ calibrated: false }, { activity: { state: 'running', task: 'prompt', title: 'Calibrate', progress: null } }));
    expect(isShown('calibrate')).toBe(false);
    show(snapshotOf());
    expect(isShown('calibrate')).toBe(false);
  });

  it('offers no calibration where the small transformer is not called in the usual way', () => {
    show(snapshotOf({ construction: 'tight' }));
    expect(isShown('calibrate')).toBe(false);
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
