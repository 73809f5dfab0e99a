import { toJson } from '../../../src/core/report/json';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permutation } from '../../../src/core/math/random';
import { defaultOptions } from '../../../src/core/options/table';
import { logNeededLength, type SamplingReport } from '../../../src/core/report/sampling';
import { sampledVerdict } from '../../../src/core/report/verdict';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { headView, type LayerTensors } from '../../../src/engine/attend/tiles/layer';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { SamplingCheck, samplingConstants } from '../../../src/engine/attend/verify/sampling';
import { plainLlama } from '../../../src/engine/read/model/architectures/llama';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { edgeOfTheTheorem, samplingTrial, trialPlan } from '../../../src/engine/tasks/ledger/sampling-trial';
import { simulate } from '../../../src/engine/tasks/simulate';
import { denseAttention, toRows } from '../../support/dense-attention';
import { withFaultyBox } from '../../support/faulty-box';
import { randomLayer } from '../../support/layers';
import { modelsFolder, sampleText } from '../../support/paths';
import { planOf, smallModel } from '../../support/shapes';

const signal = new AbortController().signal;

describe("the constants of theorem 4.1's assumption", () => {
  it('are what their definition says, written out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer(), fc.constantFrom(0.1, 1, 4), (tokens, seed, scale) => {
        const { query, key, value } = randomLayer(tokens, smallModel, seed, scale);
        const [queries, keys, values] = [query, key, value].map((tensor) => toRows(headView(tensor, 0), tensor.width));
        const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
        const size = (a: number[]): number => Math.sqrt(dot(a, a));
        let c = 1;
        let d = Infinity;
        for (const q of queries) {
          const a = keys.map((k) => Math.exp(dot(q, k)));
          c = Math.max(c, ...a, ...a.map((x) => 1 / x));
          const b = values.map((v, j) => v.map((x) => a[j] * x));
          const sum = b.reduce((total, row) => total.map((x, i) => x + row[i]));
          d = Math.min(d, size(sum) / (tokens * Math.max(...b.map(size))));
        }
        const found = samplingConstants(
          { width: query.width, queries: headView(query, 0), keys: headView(key, 0), values: headView(value, 0) },
          queries.map((_, row) => row),
        );
        expect(found.logC).toBeCloseTo(Math.log(c), 9);
        expect(found.d).toBeCloseTo(d, 9);
      }),
    );
  });

  it('leave D alone where all scores of a query are shifted, and move ln C with them', () => {
    // A column of its own shifts every score of row i by exactly shift(i): 1 in each key, the shift in the query.
    const widened = (rows: readonly number[][], last: (row: number) => number): Float64Array =>
      Float64Array.from(rows.flatMap((row, i) => [...row, last(i)]));
    fc.assert(
      // Beyond 710 either way exp overflows or is 0: D must not come from exponentials of the scores as they are.
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer(),
        fc.double({ min: 50, max: 2000, noNaN: true }),
        fc.constantFrom(1, -1),
        (tokens, seed, size, sign) => {
          const { query, key, value } = randomLayer(tokens, smallModel, seed, 1);
          const [queries, keys, values] = [query, key, value].map((tensor) => toRows(headView(tensor, 1), tensor.width));
          const constantsAt = (shift: number): { logC: number; d: number } =>
            samplingConstants(
              { width: 7, queries: widened(queries, () => shift), keys: widened(keys, () => 1), values: widened(values, () => 0) },
              queries.map((_, row) => row),
            );
          const [plain, shifted] = [constantsAt(0), constantsAt(sign * size)];
          // Scores of up to 2,000 are rounded to 2e-13; exponentials of their differences inherit that.
          expect(shifted.d / plain.d).toBeCloseTo(1, 10);
          // Scores stay within logC of the shift, so the largest in size is beyond it by no more than that.
          expect(Math.abs(shifted.logC - size)).toBeLessThanOrEqual(plain.logC + 1e-9);
        },
      ),
    );
  });
});

/** What a check over so many seeds, from one of them on, finds in these layers. */
async function checked(
  layers: readonly LayerTensors[],
  seed: number,
  seeds: number,
  rows: readonly number[],
  epsilon = 0.5,
): Promise<SamplingReport> {
  const plan = planOf(
    { tokens: layers[0].query.tokens, blockSize: 11, scenario: makeScenario('average-case', { seed }) },
    {},
    smallModel,
    'tight',
  );
  const config = plainLlama(smallModel);
  const oracle = new OnnxOracle(config, 11, await openDevice('cpu', 1));
  try {
    const check = new SamplingCheck(plan, { epsilon, failureProbability: 0.1, seeds, rows, data: 'random' }, oracle, signal);
    for (const [index, tensors] of layers.entries()) {
      await check.inspect(index, tensors);
    }
    return check.result();
  } finally {
    await oracle.release();
  }
}

describe('sampling over seeds', () => {
  it('finds the errors that dense attention over the same samples has', async () => {
    const tokens = 40;
    const plan = planOf({ tokens, blockSize: 11, scenario: makeScenario('average-case', { seed: 7 }) }, {}, smallModel, 'tight');
    const layer = randomLayer(tokens, smallModel, 3, 1);
    const rows = [0, 9, 10, 39];
    const config = plainLlama(smallModel);
    const oracle = new OnnxOracle(config, 11, await openDevice('cpu', 1));
    const check = new SamplingCheck(plan, { epsilon: 0.5, failureProbability: 0.1, seeds: 5, rows, data: 'random' }, oracle, signal);
    await check.inspect(0, layer);
    await oracle.release();
    const report = check.result();

    const worst = [7, 8, 9, 10, 11].map((seed) => {
      const place = new Int32Array(tokens);
      permutation(tokens, seed).forEach((key, position) => (place[key] = position));
      let largest = 0;
      for (let head = 0; head < smallModel.heads; head += 1) {
        const kv = Math.floor(head / 2);
        const operands = [
          toRows(headView(layer.query, head), 6),
          toRows(headView(layer.key, kv), 6),
          toRows(headView(layer.value, kv), 6),
        ] as const;
        const exact = denseAttention(...operands, () => true);
        const sampled = denseAttention(...operands, (q, k) => Math.floor(place[k] / 10) === Math.floor(q / 10));
        for (const row of rows) {
          const difference = Math.hypot(...exact.out[row].map((x, column) => x - sampled.out[row][column]));
          largest = Math.max(largest, difference / Math.hypot(...exact.out[row]));
        }
      }
      return largest;
    });
    worst.sort((a, b) => a - b);
    expect(report.errors.minimum).toBeCloseTo(worst[0], 4);
    expect(report.errors.median).toBeCloseTo(worst[2], 4);
    expect(report.errors.maximum).toBeCloseTo(worst[4], 4);
    expect(report.within).toBe(worst.filter((error) => error <= 0.5).length);
    expect(report.heads.length).toBe(smallModel.heads);
  });

  it('measures every head with the keys and values of its group, in every layer', async () => {
    const layers = [randomLayer(40, smallModel, 3, 1), randomLayer(40, smallModel, 4, 0.1)];
    const rows = [0, 17, 39];
    const report = await checked(layers, 7, 1, rows);
    const expected = layers.flatMap(({ query, key, value }, layer) =>
      // 4 heads on 2 heads of keys and values: 0 and 1 read the first, 2 and 3 the second.
      [0, 0, 1, 1].map((group, head) => ({
        layer,
        head,
        ...samplingConstants(
          { width: query.width, queries: headView(query, head), keys: headView(key, group), values: headView(value, group) },
          rows,
        ),
      })),
    );
    expect(report.heads).toMatchObject(expected.map(({ layer, head, d, logC }) => ({ layer, head, d, logC })));
    expect(new Set(report.heads.map(({ d }) => d)).size).toBe(8);
    const needed = expected.map((each) => logNeededLength(each, 40, smallModel.headWidth, { epsilon: 0.5, failureProbability: 0.1 }));
    expect(report.heads.map((head) => head.logNeededLength)).toEqual(needed);
    expect(report.logNeededLength).toBe(Math.max(...needed));
    // No sample of 10 keys is ever large enough: the output alone asks for 128 ln(40 N) or more.
    expect(report).toMatchObject({ sample: 10, rows: 3, holds: false });
    expect(report.heads.some(({ holds }) => holds)).toBe(false);
  });

  it('counts seeds from that of the plan, takes the worst of all layers, and spreads them by rank', async () => {
    const layers = [randomLayer(40, smallModel, 3, 1), randomLayer(40, smallModel, 8, 1)];
    const rows = [0, 9, 10, 39];
    const together = await checked(layers, 7, 10, rows);
    const ofLayer = async (index: number): Promise<number[]> => {
      const errors: number[] = [];
      for (let seed = 7; seed < 17; seed += 1) {
        errors.push((await checked([layers[index]], seed, 1, rows)).errors.maximum);
      }
      return errors;
    };
    const [first, second] = [await ofLayer(0), await ofLayer(1)];
    const alone = first.map((error, index) => Math.max(error, second[index])).sort((x, y) => x - y);
    const spreadOf = (sorted: readonly number[]): unknown => ({
      minimum: sorted[0],
      median: sorted[4],
      ninetiethPercentile: sorted[8],
      maximum: sorted[9],
    });
    // The same calls on the same machine: equal bit by bit.
    expect(together.errors).toEqual(spreadOf(alone));
    // Both layers have a say: a check that kept only one of them would be found out.
    for (const errors of [first, second]) {
      expect(together.errors).not.toEqual(spreadOf([...errors].sort((x, y) => x - y)));
    }
    // Five of the ten seeds are at the fifth's error or below it.
    expect((await checked(layers, 7, 10, rows, alone[4])).within).toBe(5);
  });

  it('says of a trained model that the assumption does not hold, and shows what that costs', async () => {
    const options = { ...defaultOptions, scenario: makeScenario('average-case'), blockSize: 64, maxTokens: 300, seeds: 3, quality: false };
    const report = await simulate(promptFromText('sample', sampleText()), options, {
      modelsFolder,
      calibrations: new CalibrationStore('/nonexistent'),
      signal,
      onProgress: () => undefined,
    });
    const { sampling } = report;
    expect(sampling?.heads.length).toBe(6 * 8);
    expect(sampling?.holds).toBe(false);
    // In every head some a_ij is above e or below 1/e: none is anywhere near the C of 1 that a small sample would need.
    expect(Math.min(...(sampling?.heads ?? []).map(({ logC }) => logC))).toBeGreaterThan(1);
    expect(sampling?.logNeededLength).toBeGreaterThan(Math.log(1e6));
    expect(sampling?.within).toBe(0);
    expect(sampling?.errors.minimum).toBeGreaterThan(0.5);
    // The trial's own calls are not the run's.
    expect(report.run.calls.attention).toBe(report.plan.calls.attention);
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it.each([1, 2, 3, 64])('is exact where %i tokens are all in one sample', async (maxTokens) => {
    const options = { ...defaultOptions, scenario: makeScenario('average-case'), blockSize: 64, maxTokens, seeds: 2, quality: false };
    const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent'), signal, onProgress: () => undefined };
    const { verdict, sampling } = await simulate(promptFromText('sample', sampleText()), options, places);
    expect(verdict.kind).toBe('exact');
    // The statistics leave no room for the rounding that there is.
    expect(sampling?.statisticalError).toBe(0);
    expect(sampling?.errors.maximum).toBeLessThanOrEqual(sampling?.roundingError ?? 0);
    expect(sampling && sampledVerdict(sampling).kind).toBe('within');
  });

  it('finds no error where all values are 0, whose mean every sample has', async () => {
    const layer = randomLayer(40, smallModel, 3, 0.1);
    layer.value.data.fill(0);
    const report = await checked([layer], 7, 3, [0, 9, 39]);
    expect(report.errors.maximum).toBe(0);
    expect([report.logNeededLength, report.statisticalError].map(Number.isNaN)).toEqual([false, false]);
    expect(sampledVerdict(report).kind).not.toBe('failed');
  });
});

describe("the trial at the edge of theorem 4.1's assumption", () => {
  const seeds = 12;
  const trial = (options = { seed: 1, seeds }, plan = trialPlan(options)): Promise<SamplingReport> =>
    openDevice('cpu', 0).then((device) => samplingTrial(options, device, signal, () => undefined, plan));

  it('has data for which it just holds, in every pair of a query and a key', () => {
    const { query, key, value } = edgeOfTheTheorem();
    const head = { width: query.width, queries: query.data, keys: key.data, values: value.data };
    const rows = Array.from({ length: query.width }, (_, row) => row);
    const { logC, d, spreads } = samplingConstants(head, rows);
    const needed = logNeededLength({ logC, d }, query.tokens, query.width, { epsilon: 0.99, failureProbability: 0.1 });
    const share = Math.exp(needed) / (query.tokens / 2);
    expect(share).toBeLessThan(1);
    expect(share).toBeGreaterThan(0.998);
    for (const row of rows) {
      const weights = Array.from({ length: query.tokens }, (_, token) =>
        Math.exp(rows.reduce((sum, column) => sum + query.data[row * query.width + column] * key.data[token * query.width + column], 0)),
      );
      // C or 1/C, half of the keys each.
      expect(weights.every((weight) => Math.abs(Math.abs(Math.log(weight)) - logC) < 1e-12)).toBe(true);
      expect(weights.filter((weight) => weight > 1).length).toBe(query.tokens / 2);
      expect(spreads[row].normaliser.deviation).toBeCloseTo(Math.tanh(logC), 4);
    }
  });

  it('keeps the guarantee, and has the errors of a sample of its size', async () => {
    const report = await trial();
    expect(report).toMatchObject({ holds: true, seeds, within: seeds, sample: 2048 });
    const { normaliser, output, independent } = report.squareRatios ?? { normaliser: NaN, output: NaN, independent: NaN };
    expect(independent).toBe(8 * seeds);
    // Means of 96 independent squares: a standard deviation is 14%.
    expect(Math.abs(normaliser - 1)).toBeLessThan(0.5);
    expect(Math.abs(output - 1)).toBeLessThan(0.5);
    expect(sampledVerdict(report).kind).toBe('within');
  });

  it('fails where the sample is smaller than it is said to be, or larger', async () => {
    const plan = trialPlan({ seed: 1 });
    const said = async (blockSize: number): Promise<string> => {
      const verdict = sampledVerdict(await trial(undefined, { ...plan, blockSize, blocks: Math.ceil(plan.tokens / blockSize) }));
      expect(verdict.kind).toBe('failed');
      return verdict.reason;
    };
    // The errors are those of 2,048 keys.
    expect(await said(3200)).toMatch(/^The mean square error of the normaliser is \S+ times that of samples of 3,200 keys, and may be /);
    expect(await said(500)).toMatch(/ of samples of 500 keys/);
  });

  it.each([
    ['a scale of the normaliser that is 1% off', 1.01, 1, 'normaliser'],
    ['outputs that are 1% too large', 1, 1.01, 'output'],
  ])('fails for %s', async (_, scale, size, found) => {
    const verdict = await withFaultyBox({ scale, size }, async () => sampledVerdict(await trial({ seed: 1, seeds: 3 })));
    expect(verdict.kind).toBe('failed');
    expect(verdict.reason).toContain(`mean square error of the ${found} is`);
  });
});
