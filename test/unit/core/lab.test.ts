import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byDistance,
  cellsOf,
  headMeasures,
  keyShares,
  massOnTokens,
  massView,
  measuresOf,
  tokenMeans,
  tokensOf,
  worstStretches,
} from '../../../src/core/atlas/view';
import { experimentPicture } from '../../../src/core/draw/experiment';
import { markColour, pointMarks } from '../../../src/core/draw/point-marks';
import { frontier, runPoints, timedPoints } from '../../../src/core/lab/frontier';
import { runHeadline } from '../../../src/core/lab/headline';
import { scenarioOf } from '../../../src/core/evaluate/experiment';
import { layerDefinitions } from '../../../src/core/scenario/registry';
import { makeScenario, type Scenario, scenarioLabel } from '../../../src/core/scenario/scenario';
import { atlasBlock, atlasOf } from '../../support/atlases';
import { root } from '../../support/paths';
import { evaluationOf } from '../../support/records';
import { reportOf } from '../../support/reports';

describe('marks of points', () => {
  const keysOf = (points: readonly { readonly scenario: Scenario; readonly blockSize: number }[]): string[] =>
    pointMarks(points).map((mark) => JSON.stringify([markColour(mark, 'light'), mark.shape, mark.hollow]));

  it('tell all points of the sample experiment apart, by colour and shape as they are drawn', () => {
    const { scenarios, blocks } = JSON.parse(readFileSync(join(root, 'media', 'samples', 'held-out.two-heads.json'), 'utf8')) as {
      scenarios: (string | string[])[];
      blocks: number[];
    };
    const points = scenarios.flatMap((written) => {
      const scenario = scenarioOf(written);
      const known = scenario.kind === 'native' ? makeScenario('causal') : scenario;
      return blocks.map((blockSize) => ({ scenario: known, blockSize }));
    });
    expect(points.length).toBeGreaterThan(15);
    const keys = keysOf(points);
    expect(new Set(keys).size).toBe(keys.length);
    // Whatever order they come in.
    expect(keysOf([...points].reverse()).reverse()).toEqual(keys);
  });

  it('have a shape for each kind of scenario, which its first point has', () => {
    const own = layerDefinitions.map(({ mark: { shape, hollow = false } }) => `${shape} ${hollow}`);
    expect(new Set(own).size).toBe(layerDefinitions.length);
  });

  it('are unique among many windows and block sizes, and say the window by their strength', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }), (windows) => {
        const points = windows.flatMap((window) =>
          [64, 128, 256].map((blockSize) => ({ scenario: makeScenario('sliding-window', { window }), blockSize })),
        );
        const marks = pointMarks(points).map((mark) => JSON.stringify(mark));
        expect(new Set(marks).size).toBe(points.length);
        // As many as there are shapes differ in shape.
        const few = pointMarks(points.slice(0, 13)).map(({ shape, hollow }) => `${shape} ${hollow}`);
        expect(new Set(few).size).toBe(few.length);
      }),
      { numRuns: 30 },
    );
    const [own, again, other] = pointMarks(
      [16, 16, 64].map((window) => ({ scenario: makeScenario('sliding-window', { window }), blockSize: 64 })),
      [{ scenario: makeScenario('sliding-window', { window: 64 }), blockSize: 64 }],
    );
    expect(own).toEqual(again);
    // The one before keeps the family's shape.
    expect([own.shape === 'triangle', other.shape]).toEqual([false, 'triangle']);
    const [narrow, wide] = pointMarks(
      [32, 2048].map((window) => ({ scenario: makeScenario('sliding-window', { window }), blockSize: 64 })),
    );
    expect(narrow.strength).toBeLessThan(wide.strength);
    expect(narrow.hue).toBe(wide.hue);
  });
});

describe('views of an atlas', () => {
  // Layer 0 keeps to its own block, later layers spread more.
  const { atlas, partition, byToken } = atlasOf(8 * atlasBlock, (layer, head) => 1 / (1 + layer + head));

  it('are means over the chosen heads', () => {
    const { side } = atlas.cells;
    expect(side).toBe(8);
    const one = massView(atlas, { layer: 0, head: 0 });
    expect(one.heads).toBe(1);
    expect(one.mass[side + 1]).toBeCloseTo(1);
    expect(one.cutShare).toBeCloseTo(0);
    const heads = atlas.heads.filter(({ layer }) => layer === 0);
    const all = massView(atlas, { layer: 0, head: null });
    expect(all.heads).toBe(heads.length);
    expect(all.mass[side + 1]).toBeCloseTo(heads.reduce((sum, { mass }) => sum + mass[side + 1], 0) / heads.length);
    // What is not cut off and what is make up all.
    const two = massView(atlas, { layer: 1, head: 0 });
    expect(two.cut?.[side]).toBeCloseTo(0.5, 5);
    expect(byDistance(atlas, { layer: 0, head: 0 })[0]).toEqual({ label: 'own', share: 1 });
  });

  it('find the cells of tokens and the tokens of cells, and where some queries look', () => {
    const { cells } = atlas;
    expect(cellsOf(cells, partition, { from: 16, to: 48 })).toEqual({ from: 1, to: 3 });
    expect(cellsOf(cells, partition, { from: 127, to: 128 })).toEqual({ from: 7, to: 8 });
    expect(tokensOf(cells, partition, { from: 1, to: 3 })).toEqual({ from: 16, to: 48 });
    const { mass } = massView(atlas, { layer: 1, head: 0 });
    const shares = keyShares(mass, cells, partition, { from: 2, to: 3 });
    expect(shares.map((share) => Math.round(100 * share))).toEqual([25, 25, 50, 0, 0, 0, 0, 0]);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
  });

  it('measure each head, also by what later tokens give to selected ones', () => {
    expect(measuresOf(atlas)).toEqual(['near', 'far', 'sinks', 'spread', 'cut']);
    const [first] = atlas.heads;
    expect(headMeasures.near.of(first)).toBeCloseTo(1);
    expect(headMeasures.spread.of(first)).toBeCloseTo(1);
    expect(headMeasures.sinks.of(first)).toBe(0.25);
    const on = massOnTokens(atlas, partition, { from: 0, to: 16 });
    expect(on[0]).toBeCloseTo(0);
    expect(Math.max(...on.map((value) => value ?? 0))).toBeGreaterThan(0.1);
    expect(massOnTokens(atlas, partition, { from: 112, to: 128 })[0]).toBeNull();
  });

  it('sum up the predictions of selected tokens, and find the worst', () => {
    if (byToken === null) {
      throw new Error('no curves');
    }
    expect(tokenMeans(byToken, { from: 0, to: 1 })).toBeNull();
    expect(tokenMeans(byToken, { from: 64, to: 65 })).toEqual({ loss: 2, maskedLoss: 2.5, divergence: 0.5 });
    expect(worstStretches(byToken, 128, 2).map(({ from, to }) => [from, to])).toEqual([
      [127, 128],
      [126, 127],
    ]);
  });
});

describe('points of runs', () => {
  const runs = [64, 16].map((window, index) =>
    reportOf({ scenario: makeScenario('sliding-window', { window }), date: `2026-02-0${index + 1}T00:00:00.000Z`, meanKl: 1 / window }),
  );

  it('are on the front where no other is cheaper and better, against any cost', () => {
    const points = runPoints(runs);
    expect(points.map(({ title }) => title)).toEqual(expect.arrayContaining(runs.map(({ scenario }) => scenarioLabel(scenario))));
    const front = frontier(points, 'flops');
    expect(front.map(({ cost }) => cost)).toEqual([...front.map(({ cost }) => cost)].sort((one, other) => one - other));
    expect(front.map(({ onFront }) => onFront)).toEqual([true, true]);
    // Both took the same time, so the better one beats the other.
    expect(frontier(points, 'measured').filter(({ onFront }) => onFront)).toHaveLength(1);
    expect(frontier(points, 'predicted')).toEqual([]);
  });

  it('have labels that name the numbers which are not obvious', () => {
    const labelOf = (kind: string, parameters = {}): string => runPoints([reportOf({ scenario: makeScenario(kind, parameters) })])[0].label;
    expect(labelOf('sliding-window', { window: 512 })).toBe('512');
    expect(labelOf('attention-sink', { window: 512, sinks: 4 })).toBe('512 + 4 sinks');
    expect(labelOf('top-k', { share: 25 })).toBe('25%');
    expect(labelOf('adaptive', { share: 25, sample: 10 })).toBe('25%, 10% sampled');
    expect(labelOf('adaptive', { share: 25, sample: 10, queries: 64, seed: 2 })).toBe('25%, 10% sampled, 64 queries, seed 2');
    expect(labelOf('average-case', { seed: 1 })).toBe('seed 1');
    expect(labelOf('causal')).toBe('causal');
  });

  it('have a picture that names one text by its file', () => {
    const evaluation = evaluationOf({ path: '/home/someone/texts/moby.txt' });
    expect(experimentPicture(evaluation, 'calls')).toContain('quality against cost, 2 windows of 16 tokens from moby.txt');
    const single = {
      ...evaluation,
      points: evaluation.points.map((point) => ({ ...point, quality: point.quality && { ...point.quality, windows: 1 } })),
    };
    expect(experimentPicture(single, 'calls')).toContain(', 1 window of 16 tokens from');
  });

  it('have a residual where their time was predicted', () => {
    expect(timedPoints(runPoints(runs))).toEqual([]);
    const [report] = runs;
    const prediction = { wallMs: report.run.wallMs / 2, interval: { lowMs: 1, highMs: 2 } } as NonNullable<typeof report.prediction>;
    const [point] = timedPoints(runPoints([{ ...report, prediction }]));
    expect(point).toMatchObject({ residual: 1, within: false });
  });

  it('head the lab with what was checked and what was counted', () => {
    const figures = runHeadline(reportOf({ verdict: 'failed' }));
    expect(figures.map(({ name, state }) => [name, state])).toEqual([
      ['verdict', 'bad'],
      ['time', 'plain'],
      ['calls', 'good'],
      ['memory', 'plain'],
      ['quality', 'plain'],
    ]);
    expect(figures[2].text).toMatch(/^[\d,]+ ≤ [\d,]+$/);
  });
});
