// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { tileCost } from '../../../src/core/hints/tile-cost';
import { callOrder } from '../../../src/core/plan/call-order';
import { TileMap } from '../../../webview/map/tile-map';
import { costSentence, stepSentence } from '../../../webview/map/wording';
import { chooseRadio, find, frame, newPage, put } from './page';
import { planOf, snapshotOf, type Front } from './snapshots';

describe('heads with masks of their own', () => {
  it('are shown together, or those that see alike', () => {
    const page = newPage();
    const heads: Front = { tokens: 640, kind: 'per-head', parameters: { cycle: 'causal,sliding-window:32' } };
    const map = put(new TileMap(page.host, page.theme));
    map.update(snapshotOf(heads));
    frame();
    const canvas = find('tile-map');
    const label = (): string => canvas.getAttribute('aria-label') ?? '';
    expect(label()).toContain('55 tiles');
    chooseRadio('map-heads', 'Heads 2, 4: sliding-window(window 32)');
    expect(label()).toContain('sliding-window(window 32): 10 query blocks by 10 key blocks, 19 tiles');
    // Another snapshot of the same plan changes nothing.
    map.update(snapshotOf(heads));
    expect(label()).toContain('19 tiles');
    chooseRadio('map-heads', 'All heads');
    expect(label()).toContain('55 tiles');
    const plan = planOf(heads);
    expect(stepSentence(callOrder(plan).at(0), true)).toMatch(/^Query block 1 of 10, the same for heads 1, 3 of layers 1–3: /);
    map.update(snapshotOf({ tokens: 640 }));
    expect(document.querySelector('[data-testid="map-heads"]')).toBeNull();
    expect(costSentence(tileCost(plan, 9, 0, null))).toContain('read by heads 1, 3 · ');
  });
});
