// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { hostMessageOf } from '../../../webview/host';
import { dataBehind, section } from '../../../webview/ui/section';
import { find, fold, newPage, put, type Page } from './page';
import { curvesOf, snapshotOf } from './snapshots';

let page: Page;
beforeEach(() => {
  page = newPage();
});

describe('messages of the host', () => {
  it.each([
    { type: 'snapshot', snapshot: snapshotOf() },
    { type: 'cost-curves', curves: curvesOf() },
    { type: 'cost-curves', curves: null },
    { type: 'progress', progress: { message: 'x', phase: 'attend', fraction: 0.5 } },
    { type: 'place', place: { cursor: null, visible: null } },
    { type: 'tile-text', request: 3, queries: 'q', keys: null },
    { type: 'tile-text', request: 3, queries: 'q', keys: 'k' },
  ])('are taken as they are: %j', (message) => {
    expect(hostMessageOf(message)).toBe(message);
  });

  it.each([
    undefined,
    null,
    'snapshot',
    7,
    {},
    { type: 'toString' },
    { type: 'hello' },
    { type: 'ready' },
    { type: 'snapshot' },
    { type: 'snapshot', snapshot: { runs: [] } },
    { type: 'snapshot', snapshot: { form: {} } },
    { type: 'cost-curves' },
    { type: 'cost-curves', curves: {} },
    { type: 'progress', progress: { fraction: '0.5' } },
    { type: 'progress', progress: null },
    { type: 'place', place: null },
    { type: 'tile-text', request: 3, queries: 'q' },
    { type: 'tile-text', request: '3', queries: 'q', keys: 'k' },
    { type: 'tile-text', request: 3, queries: 7, keys: 'k' },
  ])('of others are left aside: %j', (message) => {
    expect(hostMessageOf(message)).toBeUndefined();
  });
});

describe('what the page keeps', () => {
  it('is told to VS Code, and found again by the next page', () => {
    page.host.setOpen('costs', false);
    page.host.setOpen('data-costs', true);
    page.host.setChosen('cost-metric', 'bytes');
    page.host.setChosen('cost-metric', 'time');
    expect(page.kept.state).toEqual({ open: { costs: false, 'data-costs': true }, chosen: { 'cost-metric': 'time' } });
    const { host } = newPage(page.kept.state);
    expect([host.isOpen('costs', true), host.isOpen('data-costs', false), host.chosen('cost-metric')]).toEqual([false, true, 'time']);
    expect([host.isOpen('tiles', true), host.isOpen('tiles', false), host.chosen('else')]).toEqual([true, false, undefined]);
  });

  it.each([[undefined], [null], ['old'], [{ open: 'all' }], [{ open: { costs: 'no' }, chosen: { 'cost-metric': 3 } }]])(
    'starts anew where an earlier version kept something else: %j',
    (state) => {
      const { host } = newPage(state);
      expect([host.isOpen('costs', true), host.chosen('cost-metric')]).toEqual([true, undefined]);
    },
  );

  it('leaves out what it does not know of what an earlier version kept', () => {
    const { host } = newPage({ open: { costs: false, tiles: 1 } });
    expect([host.isOpen('costs', true), host.isOpen('tiles', true)]).toEqual([false, true]);
  });
});

describe('a part of the page that folds', () => {
  it('is open at first, has a heading, and stays as the user left it', () => {
    put({ element: section(page.host, 'costs', 'Cost per scenario', 'all of it') });
    expect(find('section-costs')).toHaveProperty('open', true);
    expect(find('section-costs').querySelector('summary h2')?.textContent).toBe('Cost per scenario');
    expect(page.kept.state).toBeUndefined();
    fold('section-costs', false);
    page = newPage(page.kept.state);
    put({ element: section(page.host, 'costs', 'Cost per scenario', 'all of it') });
    expect(find('section-costs')).toHaveProperty('open', false);
  });

  it('is closed at first where it is the numbers behind a drawing, which the keyboard can scroll', () => {
    put({ element: dataBehind(page.host, 'costs', 'Cost as a table', 'numbers') });
    expect(find('data-costs')).toHaveProperty('open', false);
    const scroller = find('data-costs').querySelector('[role="region"]');
    expect([scroller?.getAttribute('aria-label'), scroller?.getAttribute('tabindex')]).toEqual(['Cost as a table', '0']);
    fold('data-costs', true);
    expect(page.kept.state).toEqual({ open: { 'data-costs': true }, chosen: {} });
  });
});
