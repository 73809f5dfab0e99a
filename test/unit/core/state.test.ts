import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyState, logAddExp, mergeStates, type AttentionState } from '../../../src/core/math/attention-state';
import { runs } from '../../support/arbitrary';
import { denseAttention } from '../../support/dense-attention';

const width = 3;
const number = fc.double({ min: -2, max: 2, noNaN: true });

/** One query over some keys, with scores up to +-80. */
const scored = fc.array(
  fc.record({ score: fc.double({ min: -80, max: 80, noNaN: true }), value: fc.array(number, { minLength: width, maxLength: width }) }),
  {
    minLength: 1,
    maxLength: 12,
  },
);
type Scored = { score: number; value: number[] }[];

function stateOf(keys: Scored): AttentionState {
  if (keys.length === 0) {
    return emptyState(1, width);
  }
  const { out, logNormaliser } = denseAttention(
    [[1]],
    keys.map(({ score }) => [score]),
    keys.map(({ value }) => value),
    () => true,
  );
  return { rows: 1, width, out: Float64Array.from(out[0]), logNormaliser: Float64Array.from(logNormaliser) };
}

function expectClose(actual: AttentionState, expected: AttentionState): void {
  expect(actual.logNormaliser[0]).toBeCloseTo(expected.logNormaliser[0], 10);
  expected.out.forEach((value, index) => expect(actual.out[index]).toBeCloseTo(value, 10));
}

describe('merging attention states', () => {
  it('of two halves is attention over the whole, wherever it is cut', () => {
    fc.assert(
      fc.property(scored, fc.nat(12), (keys, at) => {
        expectClose(mergeStates(stateOf(keys.slice(0, at)), stateOf(keys.slice(at))), stateOf(keys));
      }),
      runs,
    );
  });

  it('is commutative and associative', () => {
    fc.assert(
      fc.property(scored, scored, scored, (a, b, c) => {
        const [x, y, z] = [a, b, c].map(stateOf);
        expectClose(mergeStates(x, y), mergeStates(y, x));
        expectClose(mergeStates(mergeStates(x, y), z), mergeStates(x, mergeStates(y, z)));
      }),
      runs,
    );
  });

  it('with the empty state changes nothing, to the bit', () => {
    fc.assert(
      fc.property(scored, (keys) => {
        const state = stateOf(keys);
        for (const merged of [mergeStates(state, emptyState(1, width)), mergeStates(emptyState(1, width), state)]) {
          expect([...merged.out]).toEqual([...state.out]);
          expect([...merged.logNormaliser]).toEqual([...state.logNormaliser]);
        }
      }),
      runs,
    );
  });

  it('of two empty states is empty, never NaN', () => {
    const merged = mergeStates(emptyState(2, width), emptyState(2, width));
    expect([...merged.logNormaliser]).toEqual([-Infinity, -Infinity]);
    expect([...merged.out].every((value) => value === 0)).toBe(true);
  });

  it('keeps scores far below any sentinel', () => {
    const low = stateOf([{ score: -60_000, value: [1, 2, 3] }]);
    expectClose(mergeStates(low, emptyState(1, width)), low);
    expectClose(mergeStates(low, stateOf([{ score: -60_000, value: [3, 2, 1] }])), {
      rows: 1,
      width,
      out: Float64Array.of(2, 2, 2),
      logNormaliser: Float64Array.of(-60_000 + Math.LN2),
    });
  });

  it('does not lose accuracy over many parts', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => ({ score: Math.sin(index) * 20, value: [Math.cos(index), 1, index % 7] }));
    const chained = keys.map((key) => stateOf([key])).reduce(mergeStates);
    expectClose(chained, stateOf(keys));
  });

  it('refuses shapes that differ', () => {
    expect(() => mergeStates(emptyState(1, 3), emptyState(2, 3))).toThrow(RangeError);
  });

  it('adds in the log domain without overflow, gaps large both ways', () => {
    expect(logAddExp(1000, 1000)).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logAddExp(-800, 800)).toBe(800);
    expect(logAddExp(800, -800)).toBe(800);
    expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
  });
});
