import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guaranteedEpsilon, logNeededLength } from '../../../src/core/sampling/guarantee';

describe("theorem 4.1's sample", () => {
  it.each([
    // 8 * 1.5^4 * ln(40 * 1000) / 0.5^2, which is more than 128 * ln(40 * 1000 * 4) / (0.5 * 0.9)^2 = 7,573 for C = 3.
    ['the normaliser', { logC: Math.log(3), d: 0.9 }, 1000, 4, 0.5, (8 * 81 * Math.log(40_000)) / 0.25],
    ['the output', { logC: Math.log(1.1), d: 0.9 }, 1000, 4, 0.5, (128 * (Math.log(4) + Math.log(40) + Math.log(1000))) / (0.25 * 0.81)],
  ])('is as large as %s needs', (_, constants, tokens, width, epsilon, needed) => {
    expect(Math.exp(logNeededLength(constants, tokens, width, { epsilon, failureProbability: 0.1 }))).toBeCloseTo(needed, 6);
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
