// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { Details } from '../../../webview/lab/details';
import { chooseRadio, find, fold, frame, isShown, newPage, put, seriesOf, textOf, type Page } from './page';
import { current, curvesOf, emptySnapshot, snapshotOf, windowRun, type Front } from './snapshots';

const front: Front = { tokens: 1024, kind: 'sliding-window', parameters: { window: 300 } };

let page: Page;
let details: Details;

function openPage(state?: unknown): void {
  page = newPage(state);
  details = put(new Details(page.host, page.theme));
}

function show(snapshot: PanelSnapshot): void {
  details.apply({ type: 'snapshot', snapshot });
  frame();
}

beforeEach(() => openPage());

describe('what the lab knows of the prompt in front', () => {
  it('is in sections that say what they hold, all but the map folded', () => {
    expect(isShown('section-tiles')).toBe(false);
    show(snapshotOf(front, { runs: [current(windowRun)] }));
    const sections = [...details.element.querySelectorAll<HTMLDetailsElement>('details.section')];
    expect(sections.map((section) => [section.querySelector('h2')?.textContent, section.open])).toEqual([
      ['Plan', false],
      ['Tile map', true],
      ['Cost per scenario', false],
      ['Last run', false],
      ['History', false],
      ['Ledger', false],
    ]);
    const parts = ['calls-attention', 'tile-map', 'costs-chart', 'wall-time', 'history', 'ledger-run'];
    expect(parts.filter((part) => !isShown(part))).toEqual([]);
  });

  it('is the history and the ledger where no prompt is open', () => {
    show(emptySnapshot());
    const hidden = ['section-plan', 'section-tiles', 'section-costs', 'section-last-run'];
    expect(hidden.filter((part) => isShown(part))).toEqual([]);
    expect([isShown('ledger-run'), isShown('section-history')]).toEqual([true, true]);
  });

  it('is folded as it was when it comes back after having been hidden', () => {
    show(snapshotOf(front));
    fold('section-ledger', true);
    fold('data-costs', true);
    fold('section-tiles', false);
    chooseRadio('cost-metric', 'FLOPs');
    openPage(page.kept.state);
    show(snapshotOf(front));
    const open = ['section-ledger', 'data-costs', 'section-tiles', 'section-costs'].map((id) => (find(id) as HTMLDetailsElement).open);
    expect(open).toEqual([true, true, false, false]);
    expect(find('costs-chart').getAttribute('aria-label')).toMatch(/^FLOPs per scenario/);
  });

  it('takes costs over N before a snapshot as after it, and the progress of the ledger', () => {
    details.apply({ type: 'cost-curves', curves: curvesOf(front) });
    show(snapshotOf(front));
    expect(Object.keys(seriesOf('growth-chart'))).toContain('this prompt');
    details.apply({ type: 'cost-curves', curves: null });
    expect(isShown('growth-chart')).toBe(false);
    show(snapshotOf(front, { activity: { state: 'running', task: 'ledger', title: 'ledger', progress: null } }));
    details.apply({ type: 'progress', progress: { message: 'theorem 3.4', phase: 'attend', fraction: 0.5 } });
    expect(textOf('ledger-progress-message')).toBe('theorem 3.4');
    expect(find('section-ledger')).toHaveProperty('open', true);
  });

  it('follows the editor’s place, and shows a tile’s text', () => {
    show(snapshotOf(front));
    details.apply({ type: 'place', place: { cursor: 3, visible: { from: 1, to: 2 } } });
    expect(textOf('visible-blocks')).toBe('in the editor: block 2');
    find('tile-map').focus();
    vi.advanceTimersByTime(200);
    const [asked] = page.posted.slice(-1);
    expect(asked).toMatchObject({ type: 'read-tile', queryBlock: 3 });
    details.apply({ type: 'tile-text', request: (asked as { request: number }).request, queries: 'Once upon', keys: 'a time' });
    expect([textOf('tile-queries'), textOf('tile-keys')]).toEqual(['Once upon', 'a time']);
  });
});
