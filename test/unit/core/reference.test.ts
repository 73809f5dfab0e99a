import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceAttention } from '../../../src/core/math/reference-attention';
import { maskOf } from '../../../src/core/scenario/scenario';
import { uniform } from '../../../src/core/math/random';
import { mergeSinks } from '../../../src/engine/attend/tiles/states';
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

  it('has a learned sink as one more column, and merging it as a state afterwards gives the same', () => {
    fc.assert(
      fc.property(settings, fc.integer(), fc.double({ min: -30, max: 30, noNaN: true }), ({ tokens, scenario }, seed, sink) => {
        const next = uniform(seed);
        const tensor = (): Float64Array => Float64Array.from({ length: 2 * tokens }, () => 6 * (next() - 0.5));
        const head = { width: 2, queries: tensor(), keys: tensor(), values: tensor() };
        const mask = maskOf(scenario, tokens);
        const rows = Array.from({ length: tokens }, (_, row) => row);
        const exact = referenceAttention({ ...head, sink }, mask, 1, rows);
        const merged = referenceAttention(head, mask, 1, rows);
        // The merge takes scores as models have them, in float32.
        const rounded = referenceAttention({ ...head, sink: Math.fround(sink) }, mask, 1, rows);
        mergeSinks(merged, Float32Array.of(sink));
        toRows(head.queries, 2).forEach((query, row) => {
          const scores = toRows(head.keys, 2).map((key, at) => (mask.allows(row, at) ? query[0] * key[0] + query[1] * key[1] : -Infinity));
          const total = scores.reduce((sum, score) => sum + Math.exp(score), Math.exp(sink));
          expect(exact.logNormaliser[row]).toBeCloseTo(Math.log(total), 9);
          expect(merged.logNormaliser[row]).toBeCloseTo(rounded.logNormaliser[row], 9);
          for (const column of [0, 1]) {
            const value = scores.reduce((sum, score, at) => sum + (Math.exp(score) / total) * head.values[2 * at + column], 0);
            expect(exact.out[2 * row + column]).toBeCloseTo(value, 9);
            expect(merged.out[2 * row + column]).toBeCloseTo(rounded.out[2 * row + column], 9);
          }
        });
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
