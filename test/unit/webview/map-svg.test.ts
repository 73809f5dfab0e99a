import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeScenario } from '../../../src/core/scenario/scenario';
import type { Plan } from '../../../src/core/plan/plan';
import { mapSvg } from '../../../src/core/draw/map/svg';
import { wholeMap, type Viewport } from '../../../src/core/draw/map/viewport';
import { runs, settings } from '../../support/arbitrary';
import { planOf } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

function svgOf(plan: Plan, shown: Viewport = wholeMap(plan.blocks)): string {
  return mapSvg({
    name: 'map',
    queryBlocks: plan.queryBlocks,
    shown,
    title: 'A <map> & "more"',
    description: 'what it shows',
    axes: 'down and right',
    legend: [{ kind: 'full', label: 'all pairs' }],
    looks: {
      full: { colour: '#00f', pattern: 'solid' },
      partial: { colour: '#fa0', pattern: 'hatched' },
      sampled: { colour: '#a0f', pattern: 'dotted' },
      chosen: { colour: '#00f', pattern: 'dotted' },
    },
    foreground: '#111',
    muted: '#555',
    background: '#fff',
    fontFamily: 'sans-serif',
  });
}

/** Rectangles of tiles, by the groups that the drawing makes of the kinds. */
const tileRectangles = (svg: string): number =>
  [...svg.matchAll(/<g fill="[^"]*" shape-rendering="crispEdges">(.*?)<\/g>/g)].reduce(
    (sum, [, inside]) => sum + inside.split('<rect').length - 1,
    0,
  );

describe('the map as SVG', () => {
  it('has a rectangle a run of equal tiles at most, and is the same each time', () => {
    fc.assert(
      fc.property(settings, (setting) => {
        const plan = planOf(setting);
        const svg = svgOf(plan);
        const count = queryBlocksOf(plan).reduce((sum, { runs: tiles }) => sum + tiles.length, 0);
        expect(tileRectangles(svg)).toBeGreaterThan(0);
        expect(tileRectangles(svg)).toBeLessThanOrEqual(count);
        expect(svgOf(plan)).toBe(svg);
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      }),
      runs,
    );
  });

  it('is one rectangle for full attention, and escapes what it is told', () => {
    const svg = svgOf(planOf({ tokens: 64, blockSize: 4, scenario: makeScenario('full') }));
    expect(tileRectangles(svg)).toBe(1);
    expect(svg).toContain('<title id="map-title">A &lt;map&gt; &amp; &quot;more&quot;</title>');
  });

  it('stays small for a million tokens, as a whole and in part', () => {
    const plan = planOf({ tokens: 1_000_000, blockSize: 64, scenario: makeScenario('causal') });
    expect(svgOf(plan).length).toBeLessThan(1_000_000);
    expect(tileRectangles(svgOf(plan, { left: 100.5, top: 7000.25, span: 20 }))).toBe(1);
  });
});
