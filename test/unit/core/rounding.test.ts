import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { type RoundedRow, roundingBound, roundingUse } from '../../../src/core/math/rounding';
import type { Precision } from '../../../src/core/options/table';
import { float16Sums, float16SumsOf } from '../../../src/engine/attend/runtime/provider';

/** The nearest number of float16, the even one of two; none of these tests overflows. */
function half(x: number): number {
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x))));
  if (x === 0) {
    return 0;
  }
  const step = 2 ** (exponent - 10);
  const [low, share] = [Math.floor(x / step), x / step - Math.floor(x / step)];
  return step * (share === 0.5 ? low + (low & 1) : Math.round(x / step));
}

/** A sum of products of float16, carried in a precision, and rounded to float16. */
function sumOf(count: number, product: (index: number) => number, carried: Precision): number {
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    sum = carried === 'float16' ? half(sum + product(index)) : Math.fround(sum + product(index));
  }
  return half(sum);
}

interface Head {
  readonly width: number;
  readonly query: Float64Array;
  /** `[keys, width]`. */
  readonly keys: Float64Array;
  readonly values: Float64Array;
}

const noRounding = (x: number): number => x;

/** Attention of one query in calls of `callKeys` keys, as compiled layers compute it, and exactly if `carried` is left out. */
function attend({ width, query, keys, values }: Head, callKeys: number, carried?: Precision): { out: number[]; logNormaliser: number } {
  const stored = carried === undefined ? noRounding : half;
  const sum = (count: number, product: (index: number) => number): number =>
    carried === undefined
      ? Array.from({ length: count }, (_, at) => product(at)).reduce((a, b) => a + b, 0)
      : sumOf(count, product, carried);
  const states: { out: number[]; logNormaliser: number }[] = [];
  for (let from = 0; from < keys.length / width; from += callKeys) {
    const count = Math.min(callKeys, keys.length / width - from);
    const scores = Array.from({ length: count }, (_, key) =>
      sum(width, (column) => stored(query[column]) * stored(keys[(from + key) * width + column])),
    );
    const high = Math.max(...scores);
    const total = scores.reduce((all, score) => all + Math.exp(score - high), 0);
    const weights = scores.map((score) => stored(Math.exp(score - high) / total));
    const out = Array.from({ length: width }, (_, column) =>
      sum(count, (key) => weights[key] * stored(values[(from + key) * width + column])),
    );
    states.push({ out, logNormaliser: high + Math.log(total) });
  }
  const high = Math.max(...states.map(({ logNormaliser }) => logNormaliser));
  const shares = states.map(({ logNormaliser }) => Math.exp(logNormaliser - high));
  const total = shares.reduce((all, share) => all + share, 0);
  return {
    out: Array.from({ length: width }, (_, column) => states.reduce((all, state, at) => all + (shares[at] / total) * state.out[column], 0)),
    logNormaliser: high + Math.log(total),
  };
}

describe('the bound of rounding in float16', () => {
  /** A head whose scores are normal with a deviation of `scale`, and whose values have a mean. */
  function headOf(count: number, scale: number, mean: number, seed: number): Head {
    const width = 8;
    const next = uniform(seed);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    return {
      width,
      query: Float64Array.from({ length: width }, () => Math.fround((scale * normal()) / Math.sqrt(width))),
      keys: Float64Array.from({ length: count * width }, () => Math.fround(normal())),
      values: Float64Array.from({ length: count * width }, () => Math.fround(mean + (1 - mean) * (2 * next() - 1))),
    };
  }

  /** The share of its bound that a row uses. */
  function shareOf(head: Head, callKeys: number, carried: Precision): number {
    const [exact, run] = [attend(head, callKeys), attend(head, callKeys, carried)];
    const largest = (numbers: Float64Array): number => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const count = head.keys.length / head.width;
    const row: RoundedRow = {
      width: head.width,
      products: largest(head.keys) * head.query.reduce((sum, x) => sum + Math.abs(x), 0),
      ...{ callKeys: Math.min(callKeys, count), calls: Math.ceil(count / callKeys), precision: 'float16', accumulation: carried },
    };
    const error = Math.max(...exact.out.map((x, column) => Math.abs(x - run.out[column]))) / largest(head.values);
    const use = roundingUse(error, Math.abs(exact.logNormaliser - run.logNormaliser), roundingBound(row));
    return use.error / use.bound;
  }

  // 4,096 keys in calls of any size, windows of 100, and scores from even to those of which one decides.
  const cases = [
    ...[0.01, 1, 4, 16].flatMap((scale) => [0, 0.5].map((mean) => ({ keys: 4096, callKeys: 128, scale, mean }))),
    ...[16, 256, 1024, 2048].map((callKeys) => ({ keys: 4096, callKeys, scale: 0.1, mean: 0.5 })),
    { keys: 4096, callKeys: 1024, scale: 1e-9, mean: 0.9 },
    { keys: 100, callKeys: 64, scale: 2, mean: 0.5 },
  ];

  it.each(['float16', 'float32'] as const)('is at least twice what a right run needs whose sums are carried in %s', (carried) => {
    for (const [index, { keys, callKeys, scale, mean }] of cases.entries()) {
      expect(shareOf(headOf(keys, scale, mean, index), callKeys, carried), JSON.stringify(cases[index])).toBeLessThan(0.5);
    }
  });

  it.each(['float16', 'float32'] as const)('is at least twice what a probe needs, and less than 1% of it at M = 128, in %s', (carried) => {
    const probe = { width: 3, products: 2, isProbe: true, calls: 16, precision: 'float16', accumulation: carried } as const;
    for (const callKeys of [128, 1024]) {
      const head = headOf(2048, 1e-9, 0.5, callKeys);
      const [exact, run] = [attend(head, callKeys), attend(head, callKeys, carried)];
      const error = Math.max(...exact.out.map((x, column) => Math.abs(x - run.out[column])));
      expect(2 * error).toBeLessThan(roundingBound({ ...probe, callKeys }).relative);
    }
    expect(roundingBound({ ...probe, callKeys: 128 }).relative).toBeLessThan(carried === 'float16' ? 0.01 : 0.002);
  });

  it('is that of the sums of a device, which says so by 1,024 numbers in any order', () => {
    const { rows, terms, sums } = float16Sums();
    const added = (carried: Precision, order: (at: number) => number): Float32Array =>
      Float32Array.from({ length: rows * rows }, (_, at) =>
        sumOf(1024, (index) => terms[Math.floor(at / rows) * 1024 + order(index)], carried),
      );
    expect(terms.every((x) => half(x) === x)).toBe(true);
    for (const order of [(at: number) => at, (at: number) => 1023 - at, (at: number) => (at * 37) % 1024]) {
      expect(float16SumsOf(sums, added('float32', order))).toBe('float32');
      expect(float16SumsOf(sums, added('float16', order))).toBe('float16');
    }
  });
});

describe('the bound of rounding in float32', () => {
  it('has room for codes that are looked up by themselves, whose scores grow evenly from product to product', () => {
    const next = uniform(7);
    const width = 128;
    let most = 0;
    for (let trial = 0; trial < 20_000; trial += 1) {
      // Every component of a code has the same size, and a query looks for the code itself.
      const [own, scale] = [Math.fround(0.5 + next()), 0.5 + 4 * next()];
      const code = Float32Array.from({ length: width }, () => (next() < 0.5 ? -own : own));
      const query = code.map((x) => scale * x);
      const sum = code.reduce((score, x, column) => Math.fround(score + query[column] * x), 0);
      const exact = code.reduce((score, x, column) => score + query[column] * x, 0);
      const row = { width, products: exact, callKeys: 64, calls: 32, precision: 'float32' } as const;
      // Of the score alone, as if the rest of the bound were not there.
      const { logNormaliser } = roundingBound(row);
      const rest = roundingBound({ ...row, products: 0 }).logNormaliser;
      most = Math.max(most, Math.abs(sum - exact) / (logNormaliser - rest));
    }
    expect(most).toBeLessThan(0.6);
    // A bound that grows with sqrt(m), as for roundings that are independent, would be a fifth of this one.
    expect(most).toBeGreaterThan(0.4);
  });
});
