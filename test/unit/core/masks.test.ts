import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import {
  type LayerScenario,
  ofLayers,
  perLayer,
  type PerLayerScenario,
  makeScenario,
  maskOf,
  scenarioKinds,
  scenarioLabel,
  visibleRanges,
  type BandedMask,
  type Mask,
} from '../../../src/core/scenario/scenario';
import { runs, settings } from '../../support/arbitrary';

/** The mask of a scenario that has bands: all but the custom one. */
function banded(mask: Mask): BandedMask {
  if (!('visible' in mask)) {
    throw new Error('The mask has no bands.');
  }
  return mask;
}

describe('a scenario for each layer', () => {
  const [a, b, c] = [9, 8, 7].map((window) => makeScenario('sliding-window', { window }));
  const cycleOf = (scenario: LayerScenario | PerLayerScenario): readonly LayerScenario[] =>
    scenario.kind === 'per-layer' ? scenario.cycle : [scenario];

  it('is a cycle as short as it can be: one that ends in its middle stays, unless it is of all layers', () => {
    expect(cycleOf(perLayer([a, b, a, b]))).toEqual([a, b]);
    expect(cycleOf(perLayer([a, b, a]))).toEqual([a, b, a]);
    expect(cycleOf(perLayer([a, a, a]))).toEqual([a]);
    expect(cycleOf(ofLayers([a, b, a]))).toEqual([a, b]);
    expect(cycleOf(ofLayers([a, b, c, a, b]))).toEqual([a, b, c]);
    expect(cycleOf(ofLayers([a, a, b]))).toEqual([a, a, b]);
  });
});

describe('masks', () => {
  it('follow the definitions of the paper', () => {
    const rows = (kind: string, parameters = {}): string[] => {
      const mask = maskOf(makeScenario(kind, parameters), 5);
      return [0, 1, 2, 3, 4].map((query) => [0, 1, 2, 3, 4].map((key) => (mask.allows(query, key) ? 'x' : '.')).join(''));
    };
    expect(rows('full')).toEqual(['xxxxx', 'xxxxx', 'xxxxx', 'xxxxx', 'xxxxx']);
    expect(rows('causal')).toEqual(['x....', 'xx...', 'xxx..', 'xxxx.', 'xxxxx']);
    expect(rows('sliding-window', { window: 2 })).toEqual(['x....', 'xx...', '.xx..', '..xx.', '...xx']);
    expect(rows('attention-sink', { window: 2, sinks: 1 })).toEqual(['x....', 'xx...', 'xxx..', 'x.xx.', 'x..xx']);
    expect(rows('attention-sink', { window: 1, sinks: 3 })).toEqual(['x....', 'xx...', 'xxx..', 'xxxx.', 'xxx.x']);
    // ModernBERT: half a window to either side, a query's own position included.
    expect(rows('local-window', { window: 2 })).toEqual(['xx...', 'xxx..', '.xxx.', '..xxx', '...xx']);
    expect(rows('local-window', { window: 3 })).toEqual(rows('local-window', { window: 2 }));
    expect(rows('average-case')).toEqual(rows('full'));
  });

  it('have ranges and pair counts that equal their predicate', () => {
    fc.assert(
      fc.property(settings, ({ tokens, scenario }) => {
        const mask = maskOf(scenario, tokens);
        let pairs = 0;
        for (let query = 0; query < tokens; query += 1) {
          const ranges = visibleRanges(mask, query);
          expect(
            ranges.every(({ from, to }, index) => (index === 0 ? 0 : ranges[index - 1].to) <= from && from <= to && to <= tokens),
          ).toBe(true);
          for (let key = 0; key < tokens; key += 1) {
            const allowed = mask.allows(query, key);
            expect(ranges.some(({ from, to }) => key >= from && key < to)).toBe(allowed);
            pairs += allowed ? 1 : 0;
          }
        }
        expect(mask.visiblePairs()).toBe(pairs);
      }),
      runs,
    );
  });

  it('have ranges that never move back, as tiles need', () => {
    fc.assert(
      fc.property(settings, ({ tokens, scenario }) => {
        fc.pre(scenario.kind !== 'custom');
        const mask = maskOf(scenario, tokens);
        for (let query = 1; query < tokens; query += 1) {
          const before = banded(mask).visible(query - 1);
          const now = banded(mask).visible(query);
          expect(now.prefixEnd >= before.prefixEnd && now.start >= before.start && now.end >= before.end).toBe(true);
          if (before.prefixEnd < before.start) {
            expect(now.prefixEnd).toBe(before.prefixEnd);
          }
        }
      }),
      runs,
    );
  });
});

describe('scenarios', () => {
  it('take defaults and leave the parameters of others aside', () => {
    expect(makeScenario('sliding-window', { sinks: 3, seed: 9 })).toEqual({ kind: 'sliding-window', window: 512 });
    expect(scenarioLabel(makeScenario('attention-sink', { window: 8, sinks: 2 }))).toBe('attention-sink(window 8, sinks 2)');
    expect(scenarioKinds).toHaveLength(9);
  });

  it.each([
    ['dilated', {}, /"dilated" is unknown; use one of full, causal/],
    ['sliding-window', { window: 0 }, /Window r of 0 is out of range; use a whole number from 1/],
    ['sliding-window', { window: 2.5 }, /Window r of 2.5/],
    ['average-case', { seed: -1 }, /Seed of -1/],
  ])('refuse %s %j', (kind, parameters, message) => {
    expect(() => makeScenario(kind, parameters)).toThrow(InputError);
    expect(() => makeScenario(kind, parameters)).toThrow(message);
  });
});
