import { describe, expect, it } from 'vitest';
import { summariseQuality } from '../../../src/core/evaluate/quality-summary';
import { summariseWindow, type ScoredPosition } from '../../../src/core/evaluate/statistics';
import { defaultExperiment } from '../../../src/core/evaluate/experiment';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { summariseExperiment, type ExperimentReport, type ExperimentSummary } from '../../../src/core/evaluate/report';
import { qualityCurve } from '../../../src/core/evaluate/curves';
import {
  curveRows,
  intervalText,
  measuredPoints,
  plusMinus,
  pointTitle,
  qualityNotes,
  verdictNotes,
} from '../../../src/core/evaluate/rows';

const positions = (divergence: number): readonly ScoredPosition[] =>
  [0, 1, 2].map((position) => ({ position, loss: 1 + position, baselineLoss: 1, divergence, agrees: true }));
const quality = (divergence: number): ReturnType<typeof summariseQuality> =>
  summariseQuality([
    {
      windows: [positions(divergence), positions(2 * divergence)].map((window) => summariseWindow(window, [0, 1, 4])),
      sizes: 'unknown',
      end: 4,
    },
  ]);

/** What a page gets: JSON has no NaN. */
const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const cost = (attentionFlops: number): ExperimentReport['points'][number]['cost'] => ({
  tokens: 3,
  calls: { total: 1, attention: 1, tokenwise: 0, perLayer: 1 },
  flops: attentionFlops,
  attentionFlops,
  bytes: 1,
  peakBytes: 2,
  predictedMs: null,
});
const point = (window: number, divergence: number | null): ExperimentReport['points'][number] => ({
  scenario: makeScenario('sliding-window', { window }),
  blockSize: 64,
  cost: cost(window),
  quality: divergence === null ? null : quality(divergence),
  qualityNote: divergence === null ? 'it cannot be' : null,
  measuredBlockSize: 64,
  measured: divergence === null ? null : { windows: 2, wallMs: 1, calls: 1 },
  retrieval: null,
  verdict: { kind: 'exact', bound: 1, measured: 0, reason: 'It is.' },
  ownBaseline: false,
  prompts: [],
  onFront: window === 8,
  tie: false,
});
const evaluation = summariseExperiment({
  experiment: { ...defaultExperiment, prompts: [] },
  points: [point(16, 0.1), point(8, 0.2), point(4, null)],
} as unknown as ExperimentReport);

describe('quality by position', () => {
  it('is drawn in the middle of each bin, with its interval', () => {
    const [first, second] = qualityCurve(quality(0.5).curve, 'perplexity');
    expect(first.position).toBe(1);
    expect(second.position).toBeCloseTo(Math.sqrt(2 * 4), 12);
    expect(first.value).toBeCloseTo(Math.E, 12);
    expect(second.value).toBeCloseTo(Math.exp(2.5), 12);
    expect(second.low).toBeLessThanOrEqual(second.value);
    expect(qualityCurve(quality(0.5).curve, 'baselinePerplexity').map(({ value }) => value)).toEqual([Math.E, Math.E]);
    expect(qualityCurve(quality(0.5).curve, 'divergence')[0]).toMatchObject({ value: 0.75, low: 0 });
  });

  it('ends where the last position was scored, not at the edge of its bin', () => {
    const windows = [summariseWindow(positions(0.5), [0, 1, 4])];
    const { curve } = summariseQuality([{ windows, sizes: 'unknown', end: 3 }]);
    expect(curve.map(({ to }) => to)).toEqual([1, 3]);
    expect(curveRows(curve).rows.map(([first]) => first)).toEqual(['0', '1 - 2']);
  });

  it('leaves out what is not finite, before and after the way to the page', () => {
    const odd = summariseWindow([{ position: 0, loss: 1, baselineLoss: 1, divergence: NaN, agrees: true }], [0, 4]);
    const { curve } = summariseQuality([{ windows: [odd], sizes: 'unknown', end: 4 }]);
    for (const each of [curve, overTheWire(curve)]) {
      expect(qualityCurve(each, 'divergence')).toEqual([]);
      expect(qualityCurve(each, 'perplexity')).toEqual([{ position: 2, value: Math.E }]);
      expect(curveRows(each).rows[0]).toContain('-');
    }
  });
});

describe('what is said of an experiment', () => {
  it('names points, and why some have no quality, without single prompts', () => {
    expect(evaluation.points.every((each) => !('prompts' in each))).toBe(true);
    expect(measuredPoints(evaluation.points)).toHaveLength(2);
    expect(qualityNotes(evaluation.points)).toEqual(['sliding-window(window 4): it cannot be']);
    const several: ExperimentSummary['experiment'] = { ...evaluation.experiment, blocks: [64, 128] };
    expect(pointTitle(evaluation.points[0], several)).toBe('sliding-window(window 16), M = 64');
    expect(verdictNotes(evaluation.points, several)[0].text).toMatch(/^sliding-window\(window 16\), M = 64: /);
  });

  it('says of what is not finite that it is not, as JSON has it too', () => {
    expect(plusMinus({ value: 1.5, error: 0.25 }, 2)).toBe('1.50 ± 0.25');
    expect(plusMinus({ value: 1.5, error: null }, 2)).toBe('1.50');
    expect(plusMinus({ value: null, error: null })).toBe('not finite');
    expect(plusMinus({ value: Infinity, error: NaN })).toBe('Infinity');
    expect(intervalText(overTheWire({ value: 1, error: NaN, low: NaN, high: NaN }), 2)).toBe('-');
  });
});
