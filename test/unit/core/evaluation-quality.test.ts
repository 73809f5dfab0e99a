import { describe, expect, it } from 'vitest';
import { summariseQuality, type QualitySummary } from '../../../src/core/evaluate/quality-summary';
import { positionBins, summariseWindow, type ScoredPosition, type WindowSummary } from '../../../src/core/evaluate/statistics';
import { normal, uniform } from '../../../src/core/math/random';

const edges = [0, 2, 4];
const first: readonly ScoredPosition[] = [
  { position: 0, loss: 2, baselineLoss: 1, divergence: 0.4, agrees: true },
  { position: 1, loss: 1, baselineLoss: 1, divergence: 0.1, agrees: true },
  { position: 2, loss: 3, baselineLoss: 2, divergence: 0.9, agrees: false },
];
const second: readonly ScoredPosition[] = [
  { position: 0, loss: 1.5, baselineLoss: 1, divergence: 0.2, agrees: true },
  { position: 1, loss: 0.5, baselineLoss: 0.5, divergence: 0, agrees: true },
];
const summary = (...windows: (readonly ScoredPosition[])[]): QualitySummary =>
  summariseQuality(windows.map((window) => summariseWindow(window, edges)));

describe('the summary of an evaluation', () => {
  it('has the values that were worked out by hand', () => {
    const { windows, positions, errors, targets, divergence, agreement } = summary(first, second);
    expect({ windows, positions, errors }).toEqual({ windows: 2, positions: 5, errors: 'clustered by window' });
    // Mean losses are 8/5 and 5.5/5; the residuals of the loss of the two windows are 6 - 3 * 1.6 = 1.2 and -1.2.
    const lossError = Math.sqrt(2 * 2 * 1.44) / 5;
    expect(targets?.perplexity.value).toBeCloseTo(Math.exp(1.6), 12);
    expect(targets?.perplexity.error).toBeCloseTo(Math.exp(1.6) * lossError, 12);
    expect(targets?.baselinePerplexity.value).toBeCloseTo(Math.exp(1.1), 12);
    // Changes of loss are 1, 0, 1 and 0.5, 0: mean 0.5, residuals 2 - 1.5 = 0.5 and -0.5.
    expect(targets?.logPerplexityRatio.value).toBeCloseTo(0.5, 12);
    expect(targets?.logPerplexityRatio.error).toBeCloseTo(Math.sqrt(2 * 2 * 0.25) / 5, 12);
    expect(targets?.perplexityRatio.value).toBeCloseTo(Math.exp(0.5), 12);
    expect(targets?.perplexityRatio.error).toBeCloseTo(Math.exp(0.5) * 0.2, 12);
    const changes = [...first, ...second].map(({ loss, baselineLoss }) => Math.exp(-(loss ?? NaN)) - Math.exp(-(baselineLoss ?? NaN)));
    expect(targets?.probabilityChange.value).toBeCloseTo(changes.reduce((sum, change) => sum + change, 0) / 5, 12);
    expect(targets?.probabilityChangeRms.value).toBeCloseTo(Math.sqrt(changes.reduce((sum, change) => sum + change ** 2, 0) / 5), 12);
    expect(divergence.mean.value).toBeCloseTo(0.32, 12);
    expect(divergence.median / 0.2).toBeCloseTo(1, 1.7);
    expect(divergence.p999 / 0.9).toBeCloseTo(1, 1.7);
    expect(divergence.maximum).toBe(0.9);
    expect(agreement.value).toBe(0.8);
  });

  it('has a curve by position, each range with errors of its own', () => {
    const { curve } = summary(first, second);
    expect(curve.map(({ from, to, count, errors }) => [from, to, count, errors])).toEqual([
      [0, 2, 4, 'clustered by window'],
      [2, 4, 1, 'positions taken as independent'],
    ]);
    expect(curve[0].loss?.value).toBe(1.25);
    expect(curve[0].baselineLoss?.value).toBe(0.875);
    expect(curve[0].divergence.value).toBeCloseTo(0.175, 12);
    expect(curve[0].divergence.low).toBe(0);
    expect(curve[0].agreement).toMatchObject({ value: 1, error: 0, high: 1 });
    expect(curve[1].divergence).toEqual({ value: 0.9, error: NaN, low: NaN, high: NaN });
    expect(summary(second).curve).toHaveLength(1);
  });

  it('is given apart within and past the trained length, where there are positions on both sides', () => {
    const windows = [first, second].map((window) => summariseWindow(window, edges));
    const { byTraining } = summariseQuality(windows, 2);
    expect(byTraining?.trainedTokens).toBe(2);
    expect([byTraining?.within.positions, byTraining?.past.positions]).toEqual([4, 1]);
    expect(byTraining?.within.divergence.value).toBeCloseTo(0.175, 12);
    expect(byTraining?.within.targets?.perplexity.value).toBeCloseTo(Math.exp(1.25), 12);
    expect(byTraining?.within.targets?.baselinePerplexity.value).toBeCloseTo(Math.exp(0.875), 12);
    expect(byTraining?.within.agreement.value).toBe(1);
    expect(byTraining?.past.divergence.value).toBe(0.9);
    expect(byTraining?.past.targets?.perplexity.value).toBeCloseTo(Math.exp(3), 12);
    // Without a position past it, without a length, and without targets.
    expect(summariseQuality([windows[1]], 2).byTraining).toBeUndefined();
    expect(summariseQuality(windows, 4).byTraining).toBeUndefined();
    expect(summariseQuality(windows)).not.toHaveProperty('byTraining');
    const untargeted = first.map((scored) => ({ ...scored, loss: undefined, baselineLoss: undefined }));
    expect(summariseQuality([summariseWindow(untargeted, edges)], 2).byTraining?.past.targets).toBeUndefined();
  });

  it('has the trained length among the edges of its ranges', () => {
    expect(positionBins(9, 5)).toEqual([0, 1, 2, 4, 5, 9]);
    expect(positionBins(9, 8)).toEqual([0, 1, 2, 4, 8, 9]);
    expect(positionBins(9, 4)).toEqual(positionBins(9));
    expect(positionBins(9, 9)).toEqual(positionBins(9));
    expect(positionBins(4096, 3000)).toEqual([...positionBins(4096).slice(0, -1), 3000, 4096]);
  });

  it('takes the positions of a single window as independent, and says so', () => {
    const { errors, divergence } = summary(first);
    expect(errors).toBe('positions taken as independent');
    // Divergences 0.4, 0.1 and 0.9: their variance is 0.49/3.
    expect(divergence.mean.error).toBeCloseTo(Math.sqrt(0.49 / 9), 12);
  });

  it('has no targets for an encoder', () => {
    const encoder = [first, second].map((window) => window.map((position) => ({ ...position, loss: undefined, baselineLoss: undefined })));
    const found = summary(...encoder);
    expect('targets' in found).toBe(false);
    expect(found.curve.every((bin) => !('loss' in bin))).toBe(true);
    expect(found.divergence).toEqual(summary(first, second).divergence);
  });

  it('says of the baseline itself that nothing changed', () => {
    const same = [first, second].map((window) =>
      window.map((position) => ({ ...position, loss: position.baselineLoss, divergence: 0, agrees: true })),
    );
    const { targets, divergence, agreement } = summary(...same);
    expect(divergence).toMatchObject({ mean: { value: 0, error: 0, low: 0, high: 0 }, median: 0, p999: 0, maximum: 0 });
    expect(targets?.perplexityRatio).toEqual({ value: 1, error: 0, low: 1, high: 1 });
    expect(targets?.probabilityChangeRms).toEqual({ value: 0, error: 0, low: 0, high: 0 });
    expect(agreement).toMatchObject({ value: 1, high: 1 });
    expect(agreement.low).toBeLessThan(1);
  });

  it('lets what is not a number surface, through JSON as well', () => {
    const odd = (change: Partial<ScoredPosition>): QualitySummary => {
      const windows = [[{ ...first[0], ...change }, ...first.slice(1)], second].map((window) => summariseWindow(window, edges));
      return summariseQuality(JSON.parse(JSON.stringify(windows)) as WindowSummary[]);
    };
    const noDivergence = odd({ divergence: NaN });
    expect(noDivergence).toMatchObject({ invalid: 1, infinite: 0, divergence: { mean: { value: NaN }, median: NaN, maximum: NaN } });
    expect(noDivergence.targets?.perplexity.value).toBeCloseTo(Math.exp(1.6), 12);
    expect(odd({ loss: NaN })).toMatchObject({
      invalid: 1,
      targets: { perplexity: { value: NaN }, perplexityRatio: { value: NaN }, probabilityChangeRms: { value: NaN } },
    });
    expect(odd({ loss: Infinity, divergence: Infinity })).toMatchObject({
      invalid: 0,
      infinite: 1,
      targets: { perplexity: { value: Infinity, error: NaN }, perplexityRatio: { value: Infinity } },
      divergence: { mean: { value: Infinity }, maximum: Infinity, p999: Infinity },
    });
    expect(odd({ loss: Infinity, divergence: Infinity }).targets?.probabilityChange.value).toBeGreaterThan(-1);
  });

  it('has nothing to say of no windows and of no positions', () => {
    expect(summariseQuality([])).toMatchObject({
      windows: 0,
      positions: 0,
      divergence: { mean: { value: NaN }, median: NaN },
      agreement: { value: NaN },
      curve: [],
    });
    expect(summary([])).toMatchObject({ windows: 1, positions: 0, curve: [] });
  });

  it('refuses windows of different bins', () => {
    expect(() => summariseQuality([summariseWindow(first, [0, 4]), summariseWindow(second, [0, 2])])).toThrow('different bins');
  });
});

describe('the 95% intervals', () => {
  const repetitions = 1500;
  const windowCount = 20;
  const context = 16;
  const bins = positionBins(context);

  /** How often each interval holds the truth, for windows that each have a level of their own. */
  function coverage(independent: boolean): Record<'loss' | 'divergence' | 'agreement' | 'curve', number> {
    const [next, chance] = [normal(7), uniform(11)];
    const covered = { loss: 0, divergence: 0, agreement: 0, curve: 0 };
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const windows = Array.from({ length: windowCount }, () => {
        const level = 0.5 * next();
        const agreeing = 0.8 + 0.2 * (2 * chance() - 1);
        const length = 10 + Math.floor(7 * chance());
        return Array.from({ length }, (_, position): ScoredPosition => {
          const loss = 3 + level + next();
          // 1 + a chi-square with one degree of freedom, shifted by the level: mean 5.
          return { position, loss, baselineLoss: 3, divergence: 4 + level + next() ** 2, agrees: chance() < agreeing };
        });
      });
      // Taken as independent, all positions are in one window: the clustering is lost.
      const found = summariseQuality(
        independent ? [summariseWindow(windows.flat(), bins)] : windows.map((window) => summariseWindow(window, bins)),
      );
      const holds = ({ low, high }: { low: number; high: number }, truth: number): number => Number(low <= truth && truth <= high);
      covered.loss += holds(found.targets?.logPerplexityRatio ?? { low: NaN, high: NaN }, 0);
      covered.divergence += holds(found.divergence.mean, 5);
      covered.agreement += holds(found.agreement, 0.8);
      covered.curve += holds(found.curve[3].divergence, 5);
    }
    return {
      loss: covered.loss / repetitions,
      divergence: covered.divergence / repetitions,
      agreement: covered.agreement / repetitions,
      curve: covered.curve / repetitions,
    };
  }

  it('hold the truth in about 95 of 100 evaluations whose windows differ', () => {
    for (const [name, share] of Object.entries(coverage(false))) {
      expect(share, name).toBeGreaterThan(0.93);
      expect(share, name).toBeLessThan(0.97);
    }
  });

  it('would hold it far less often with positions taken as independent', () => {
    expect(coverage(true).loss).toBeLessThan(0.8);
  });
});
