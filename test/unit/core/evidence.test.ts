import { describe, expect, it } from 'vitest';
import { summaryComplaint } from '../../../src/core/evaluate/evidence';
import { positionBins, summariseWindow, type WindowSummary } from '../../../src/core/evaluate/statistics';
import { uniform } from '../../../src/core/math/random';

/** A window as the engine sums it up: losses, divergences and agreements that a run could have. */
function windowOf(seed: number, targets = true): WindowSummary {
  const chance = uniform(seed);
  const positions = Array.from({ length: 200 }, (_, position) => {
    const baselineLoss = -Math.log(1 - chance());
    const harm = position < 64 ? 0 : chance() - 0.4;
    return {
      position,
      loss: targets ? Math.max(0, baselineLoss + harm) : undefined,
      baselineLoss: targets ? baselineLoss : undefined,
      // Rounding of float32 around 0 where nothing differs.
      divergence: position < 64 ? 2e-6 * (chance() - 0.5) : chance() ** 4,
      agrees: position < 64 || chance() < 0.9,
      touched: position >= 64,
    };
  });
  return summariseWindow(positions, positionBins(200));
}

/** The same with one field changed, as an editor would. */
function edited(summary: WindowSummary, ...[path, value]: [readonly (string | number)[], unknown]): WindowSummary {
  const copy = structuredClone(summary) as unknown as Record<string | number, unknown>;
  const last = path.length - 1;
  const holder = path
    .slice(0, last)
    .reduce<Record<string | number, unknown>>((at, key) => at[key] as Record<string | number, unknown>, copy);
  holder[path[last]] = value;
  return copy as unknown as WindowSummary;
}

describe('the summary of a window as evidence', () => {
  it('has no complaint where a run could have given it, through JSON too', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const summary = windowOf(seed, seed % 5 !== 0);
      expect(summaryComplaint(summary)).toBeUndefined();
      expect(summaryComplaint(JSON.parse(JSON.stringify(summary)) as WindowSummary)).toBeUndefined();
    }
    const odd = [{ position: 0, loss: Infinity, baselineLoss: 1, divergence: Infinity, agrees: false }];
    expect(summaryComplaint(summariseWindow(odd, [0, 4]))).toBeUndefined();
    expect(summaryComplaint(summariseWindow([{ ...odd[0], divergence: NaN, loss: NaN }], [0, 4]))).toBeUndefined();
  });

  const bin = 7;
  it.each([
    [['bins', bin, 'divergence', 'sum'], 0.001, /not that of its histogram|do not fit/],
    [['bins', bin, 'divergence', 'sum'], 1000, /do not fit/],
    [['bins', bin, 'divergence', 'count'], 3, /do not fit/],
    [['bins', bin, 'agreement', 'sum'], 1e6, /do not fit|agreement/],
    [['bins', bin, 'agreement', 'sum'], 0.5, /agreement/],
    [['bins', bin, 'loss', 'sum'], 0.1, /difference of the losses/],
    [['bins', bin, 'loss', 'count'], 1, /do not fit/],
    [['bins', bin, 'loss', 'sum'], -1e5, /do not fit|below 0/],
    [['bins', bin, 'lossChange', 'infinite'], 1e9, /not finite/],
    [['divergences', 'zeros'], 1, /histogram/],
    [['divergences', 'infinite'], 2, /histogram/],
    [['touched', 'divergence', 'count'], 1e4, /do not fit/],
  ] as const)('shows a change at %j to %j', (path, value, complaint) => {
    expect(summaryComplaint(edited(windowOf(1), path, value))).toMatch(complaint);
  });
});
