import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guaranteedEpsilon, logNeededLength } from '../../../src/core/report/sampling';

describe("theorem 4.1's sample", () => {
  it.each([
    // 8 * 3^4 * ln(40 * 1000) / 0.5^2, which is more than 128 * ln(40 * 1000 * 4) / (0.5 * 0.9)^2 = 7,573 for C = 3.
    ['the normaliser', { logC: Math.log(3), d: 0.9 }, 1000, 4, 0.5, (8 * 81 * Math.log(40_000)) / 0.25],
    ['the output', { logC: Math.log(1.1), d: 0.9 }, 1000, 4, 0.5, (128 * (Math.log(4) + Math.log(40) + Math.log(1000))) / (0.25 * 0.81)],
  ])('is as large as %s needs', (_, constants, tokens, width, epsilon, needed) => {
    expect(Math.exp(logNeededLength(constants, tokens, width, { epsilon, failureProbability: 0.1 }))).toBeCloseTo(needed, 6);
  });

  it.each([
    // With N = 25, 40 N is 1000 and ln 1000 = 6.907755278982137; epsilon is 1/2.
    // m = 1, D = 1, C = 2: 8 * 16 * ln 1000 * 4 and 128 * ln 1000 * 4 are the same: here the two conditions meet.
    ['where the two conditions meet', 2, 1, 1, 3536.770702838854],
    // C = 3: 8 * 81 * ln 1000 * 4 is more than the 3536.77 of the output.
    ['where C decides', 3, 1, 1, 17_904.9016831217],
    // C = 1, m = 4, D = 1/2: 128 * ln 4000 * 4 * 4, with ln 4000 = 8.294049640102028.
    ['where D decides', 1, 0.5, 4, 16_986.213662929],
  ])('is what was worked out by hand %s', (_, c, d, width, needed) => {
    const found = Math.exp(logNeededLength({ logC: Math.log(c), d }, 25, width, { epsilon: 0.5, failureProbability: 0.1 }));
    // Relative: a logarithm and its exponential leave a dozen digits.
    expect(found / needed).toBeCloseTo(1, 11);
  });

  it('takes C to the fourth power or 1/D to the second, whichever asks for more', () => {
    const half = { epsilon: 0.5, failureProbability: 0.1 };
    const needed = (c: number, d: number): number => Math.exp(logNeededLength({ logC: Math.log(c), d }, 1000, 16, half));
    expect(needed(20, 0.9) / needed(10, 0.9)).toBeCloseTo(16, 9);
    expect(needed(10, 0.45)).toBe(needed(10, 0.9));
    expect(needed(1.1, 0.1) / needed(1.1, 0.2)).toBeCloseTo(4, 9);
    expect(needed(1.2, 0.1)).toBe(needed(1.1, 0.1));
  });

  const constants = fc.record({ logC: fc.double({ min: 0, max: 300, noNaN: true }), d: fc.double({ min: 1e-6, max: 1, noNaN: true }) });
  const lengths = fc.integer({ min: 2, max: 1_000_000 });

  it('guarantees just the error that it was asked for', () => {
    fc.assert(
      fc.property(constants, lengths, fc.double({ min: 0.01, max: 1, noNaN: true }), (each, tokens, epsilon) => {
        const needed = logNeededLength(each, tokens, 16, { epsilon, failureProbability: 0.1 });
        fc.pre(needed < 700);
        expect(guaranteedEpsilon(each, tokens, 16, Math.exp(needed)) / epsilon).toBeCloseTo(1, 6);
      }),
    );
  });

  it('needs, for the error that a sample guarantees, that sample', () => {
    fc.assert(
      fc.property(constants, lengths, lengths, (each, tokens, sample) => {
        const epsilon = guaranteedEpsilon(each, tokens, 16, sample);
        fc.pre(Number.isFinite(epsilon));
        expect(logNeededLength(each, tokens, 16, { epsilon, failureProbability: 0.1 })).toBeCloseTo(Math.log(sample), 9);
        // Four times the sample is half the error.
        expect(guaranteedEpsilon(each, tokens, 16, 4 * sample) / epsilon).toBeCloseTo(0.5, 9);
      }),
    );
  });

  it('grows with the sequence, and never falls with the width of a head', () => {
    fc.assert(
      fc.property(constants, lengths, fc.integer({ min: 1, max: 512 }), (each, tokens, width) => {
        const half = { epsilon: 0.5, failureProbability: 0.1 };
        const needed = logNeededLength(each, tokens, width, half);
        expect(logNeededLength(each, 2 * tokens, width, half)).toBeGreaterThan(needed);
        expect(logNeededLength(each, tokens, 2 * width, half)).toBeGreaterThanOrEqual(needed);
      }),
    );
  });

  it('grows with C and with what is promised, and shrinks as values align', () => {
    fc.assert(
      fc.property(constants, lengths, (each, tokens) => {
        const half = { epsilon: 0.5, failureProbability: 0.1 };
        const needed = logNeededLength(each, tokens, 16, half);
        expect(logNeededLength({ ...each, logC: each.logC + 1 }, tokens, 16, half)).toBeGreaterThanOrEqual(needed);
        expect(logNeededLength({ ...each, d: each.d / 2 }, tokens, 16, half)).toBeGreaterThanOrEqual(needed);
        expect(logNeededLength(each, tokens, 16, { ...half, failureProbability: 0.01 })).toBeGreaterThan(needed);
        expect(logNeededLength(each, tokens, 16, { ...half, epsilon: 0.25 })).toBeCloseTo(needed + Math.log(4), 9);
      }),
    );
  });
});
