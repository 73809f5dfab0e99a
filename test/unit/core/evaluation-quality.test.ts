import { describe, expect, it } from 'vitest';
import { summariseQuality, type QualitySummary } from '../../../src/core/evaluate/quality-summary';
import {
  positionBins,
  summariseWindow,
  type ScoredPosition,
  type TextWindows,
  type WindowSummary,
} from '../../../src/core/evaluate/statistics';
import { textSize, wordNotes } from '../../../src/core/evaluate/text-size';
import { normal, uniform } from '../../../src/core/math/random';
import { qualityOf } from '../../../src/core/report/quality';
import { nativeScenario } from '../../../src/core/shapes';
import { smallModel } from '../../support/shapes';

/** Windows of one text, of whose size nothing is known. */
const asText = (windows: readonly WindowSummary[]): TextWindows[] => [{ windows, sizes: 'unknown', end: Infinity }];
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
  summariseQuality(asText(windows.map((window) => summariseWindow(window, edges))));

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
    const { byTraining } = summariseQuality(asText(windows), 2);
    expect(byTraining?.trainedTokens).toBe(2);
    expect([byTraining?.within.positions, byTraining?.past.positions]).toEqual([4, 1]);
    expect(byTraining?.within.divergence.value).toBeCloseTo(0.175, 12);
    expect(byTraining?.within.targets?.perplexity.value).toBeCloseTo(Math.exp(1.25), 12);
    expect(byTraining?.within.targets?.baselinePerplexity.value).toBeCloseTo(Math.exp(0.875), 12);
    expect(byTraining?.within.agreement.value).toBe(1);
    expect(byTraining?.past.divergence.value).toBe(0.9);
    expect(byTraining?.past.targets?.perplexity.value).toBeCloseTo(Math.exp(3), 12);
    // Without a position past it, without a length, and without targets.
    expect(summariseQuality(asText([windows[1]]), 2).byTraining).toBeUndefined();
    expect(summariseQuality(asText(windows), 4).byTraining).toBeUndefined();
    expect(summariseQuality(asText(windows))).not.toHaveProperty('byTraining');
    const untargeted = first.map((scored) => ({ ...scored, loss: undefined, baselineLoss: undefined }));
    expect(summariseQuality(asText([summariseWindow(untargeted, edges)]), 2).byTraining?.past.targets).toBeUndefined();
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
      return summariseQuality(asText(JSON.parse(JSON.stringify(windows)) as WindowSummary[]));
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
    expect(() => summariseQuality(asText([summariseWindow(first, [0, 4]), summariseWindow(second, [0, 2])]))).toThrow('different bins');
  });
});

describe('texts', () => {
  /** A text of one window with two positions, whose losses and divergences are these. */
  const textOf = (losses: readonly number[], bytes: number, words: number): TextWindows => ({
    windows: [
      summariseWindow(
        losses.map((loss, position) => ({
          position,
          loss,
          baselineLoss: 1,
          divergence: loss / 10,
          agrees: loss < 2,
          touched: position > 0,
        })),
        edges,
      ),
    ],
    sizes: [{ bytes, words }],
    end: Infinity,
  });
  const five = [textOf([1, 2], 10, 2), textOf([3, 2], 9, 1), textOf([1, 1], 7, 2), textOf([4, 2], 12, 3), textOf([2, 3], 8, 0)];

  it('are the units of errors from five on, with four degrees of freedom', () => {
    const four = summariseQuality(
      five.slice(0, 4).map((text) => ({ windows: [...text.windows, ...text.windows], sizes: 'unknown', end: Infinity })),
    );
    expect([four.errors, four.texts, four.windows]).toEqual(['clustered by window', 4, 8]);
    const doubled = summariseQuality(
      five.map((text) => ({ windows: [...text.windows, ...text.windows], sizes: 'unknown', end: Infinity })),
    );
    expect(doubled.errors).toBe('clustered by text');
    const { targets, divergence, curve } = summariseQuality(five);
    // Sums of loss 3, 5, 2, 6, 5 over two positions each: mean 2.1; residuals 1.2, 0.8, 2.2, 1.8, 0.8 squared sum to 10.8.
    const error = Math.sqrt((5 / 4) * 10.8) / 10;
    const loss = Math.log(targets?.perplexity.value ?? NaN);
    expect(loss).toBeCloseTo(2.1, 12);
    expect((targets?.perplexity.error ?? NaN) / (targets?.perplexity.value ?? NaN)).toBeCloseTo(error, 12);
    // The 97.5% quantile of Student's t with 4 degrees of freedom is 2.776445.
    expect(Math.log(targets?.perplexity.high ?? NaN) - loss).toBeCloseTo(2.776_445 * error, 3);
    // Copies of a window in its own text tell nothing new.
    expect(doubled.divergence.mean.error).toBeCloseTo(divergence.mean.error, 12);
    expect(curve[0].errors).toBe('clustered by text');
  });

  it('count once each in the macro average', () => {
    const uneven = [textOf([1, 1, 1, 1], 9, 3), textOf([3], 5, 1)];
    const { macro, targets } = summariseQuality(uneven);
    expect(Math.log(targets?.perplexity.value ?? NaN)).toBeCloseTo(7 / 5, 12);
    expect([macro?.texts, Math.log(macro?.perplexity?.value ?? NaN)]).toEqual([2, expect.closeTo(2, 12)]);
    // Means 1 and 3: their standard error is sqrt(2) / sqrt(2).
    expect((macro?.perplexity?.error ?? NaN) / (macro?.perplexity?.value ?? NaN)).toBeCloseTo(1, 12);
    expect(macro?.divergence.value).toBeCloseTo(0.2, 12);
    expect(macro?.agreement).toMatchObject({ value: 0.5, low: 0, high: 1 });
    expect(summariseQuality(uneven.slice(1))).not.toHaveProperty('macro');
  });

  it('give bits per byte and word perplexity, with the error of a ratio', () => {
    const { bitsPerByte, baselineBitsPerByte, wordPerplexity, sizeNote } = summariseQuality(five);
    expect(bitsPerByte?.value).toBeCloseTo(21 / 46 / Math.LN2, 12);
    expect(baselineBitsPerByte?.value).toBeCloseTo(10 / 46 / Math.LN2, 12);
    expect(Math.log(wordPerplexity?.value ?? NaN)).toBeCloseTo(21 / 8, 12);
    const rate = 21 / 46;
    const residuals = [3 - 10 * rate, 5 - 9 * rate, 2 - 7 * rate, 6 - 12 * rate, 5 - 8 * rate];
    const error = Math.sqrt((5 / 4) * residuals.reduce((sum, each) => sum + each ** 2, 0)) / 46 / Math.LN2;
    expect(bitsPerByte?.error).toBeCloseTo(error, 12);
    expect(sizeNote).toBeNull();
    // One window: the error of its positions' mean, by the bytes of each.
    const single = summariseQuality(five.slice(0, 1));
    expect(single.bitsPerByte?.error).toBeCloseTo((0.5 * 2) / 10 / Math.LN2, 12);
    expect(summariseQuality(asText([summariseWindow(first, edges)]))).toMatchObject({
      bitsPerByte: null,
      wordPerplexity: null,
      sizeNote: 'unknown',
    });
  });

  it.each([
    [0, 6, wordNotes.none],
    [1, 6000, wordNotes.tooLarge],
  ])('have no word perplexity with %d words and a loss of %d, and say why as a run does', (words, loss, sizeNote) => {
    const windows = [summariseWindow([{ ...first[0], loss }, first[1]], edges)];
    const size = { bytes: 9, words };
    const evaluated = summariseQuality([{ windows, sizes: [size], end: Infinity }]);
    const sums = { positions: 2, loss: loss + 1, baselineLoss: 2, divergence: 0.5, agreeing: 2 };
    const none = { positions: 0, loss: 0, baselineLoss: 0, divergence: 0, agreeing: 0 };
    const scope = { score: 'all', size, baseline: nativeScenario(smallModel), trainedTokens: undefined };
    const run = qualityOf({ within: sums, past: none, touched: none }, scope);
    expect([evaluated, run]).toMatchObject(Array(2).fill({ wordPerplexity: null, sizeNote }));
    expect(evaluated.bitsPerByte?.value).toBeCloseTo(run.bitsPerByte ?? NaN, 9);
  });

  it('have quality at touched positions alone, or a reason why not', () => {
    const { touched, touchedNote } = summariseQuality(five);
    expect([touched?.positions, touched?.divergence.value, touchedNote]).toEqual([5, expect.closeTo(0.2, 12), null]);
    expect(Math.log(touched?.targets?.perplexity.value ?? NaN)).toBeCloseTo(2, 12);
    const none = first.map((scored) => ({ ...scored, touched: false }));
    expect(summariseQuality(asText([summariseWindow(none, edges)]))).toMatchObject({
      touched: null,
      touchedNote: expect.stringMatching(/hides no key/) as string,
    });
    expect(summary(first)).toMatchObject({ touched: null, touchedNote: expect.stringMatching(/not known/) as string });
  });
});

it('measures text in bytes and words as Python does', () => {
  const text = ' Ünïcode\u00a0words,\n\ttwo  more\u3000und 😀 ';
  expect(textSize(text)).toEqual({ bytes: Buffer.from(text).length, words: text.trim().split(/\s+/).length });
  // Any cut adds up to the whole.
  for (let at = 0; at <= text.length; at += 1) {
    const [head, tail] = [textSize(text, 0, at), textSize(text, at)];
    expect({ bytes: head.bytes + tail.bytes, words: head.words + tail.words }).toEqual(textSize(text));
  }
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
        asText(independent ? [summariseWindow(windows.flat(), bins)] : windows.map((window) => summariseWindow(window, bins))),
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
