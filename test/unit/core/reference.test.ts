import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceAttention } from '../../../src/core/math/reference-attention';
import { maskOf } from '../../../src/core/scenario/scenario';
import { uniform } from '../../../src/core/math/random';
import { runs, settings } from '../../support/arbitrary';
import { denseAttention, toRows } from '../../support/dense-attention';

describe('the float64 reference', () => {
  it('equals dense attention from the predicate, scores up to +-80', () => {
    fc.assert(
      fc.property(settings, fc.integer(), fc.constantFrom(0.1, 1, 30), ({ tokens, scenario }, seed, scale) => {
        const next = uniform(seed);
        const width = 2;
        const tensor = (): Float64Array => Float64Array.from({ length: tokens * width }, () => next() * 2 - 1);
        const head = { width, queries: tensor(), keys: tensor(), values: tensor() };
        const mask = maskOf(scenario, tokens);
        const rows = Array.from({ length: tokens }, (_, row) => row);
        const exact = referenceAttention(head, mask, scale, rows);
        const scaled = toRows(head.queries, width).map((query) => query.map((x) => x * scale));
        const dense = denseAttention(scaled, toRows(head.keys, width), toRows(head.values, width), mask.allows);
        dense.logNormaliser.forEach((value, row) => expect(exact.logNormaliser[row]).toBeCloseTo(value, 10));
        toRows(exact.out, width).forEach((row, i) => row.forEach((value, c) => expect(value).toBeCloseTo(dense.out[i][c], 10)));
      }),
      { ...runs, numRuns: 150 },
    );
  });

  it('gives the empty state for a row without keys', () => {
    const head = { width: 1, queries: Float64Array.of(1), keys: Float64Array.of(1), values: Float64Array.of(5) };
    const state = referenceAttention(head, { visible: () => ({ prefixEnd: 0, start: 0, end: 0 }) }, 1, [0]);
    expect(state.logNormaliser[0]).toBe(-Infinity);
    expect(state.out[0]).toBe(0);
  });
});
