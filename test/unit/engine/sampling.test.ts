import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeScenario } from '../../../src/core/masks';
import { defaultOptions } from '../../../src/core/options';
import { permutation } from '../../../src/core/random';
import { defaultLedgerOptions } from '../../../src/core/report/ledger';
import { samplingTrial } from '../../../src/engine/ledger/sampling-trial';
import { OnnxOracle } from '../../../src/engine/oracle/onnx-oracle';
import { promptFromText } from '../../../src/engine/prompt';
import { headView } from '../../../src/engine/run/head-tensor';
import { openDevice } from '../../../src/engine/runtime/provider';
import { simulate } from '../../../src/engine/simulate';
import { samplingConstants, SamplingCheck } from '../../../src/engine/verify/sampling';
import { denseAttention, toRows } from '../../support/dense-attention';
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
});

describe('sampling over seeds', () => {
  it('finds the errors that dense attention over the same samples has', async () => {
    const tokens = 40;
    const plan = planOf({ tokens, blockSize: 11, scenario: makeScenario('average-case', { seed: 7 }) }, {}, smallModel, 'tight');
    const layer = randomLayer(tokens, smallModel, 3, 1);
    const rows = [0, 9, 10, 39];
    const config = { shape: smallModel, normEpsilon: 1e-5, ropeTheta: 10_000, tiedHead: true };
    const oracle = await OnnxOracle.create(config, 11, await openDevice('cpu', 1));
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
        const operands = [toRows(headView(layer.query, head), 6), toRows(headView(layer.key, kv), 6), toRows(headView(layer.value, kv), 6)] as const;
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

  it('keeps the guarantee over 100 seeds where the assumption holds', async () => {
    const report = await samplingTrial({ ...defaultLedgerOptions, seeds: 100 }, await openDevice('cpu', 0), signal, () => undefined);
    expect(report.holds).toBe(true);
    expect(Math.exp(report.logNeededLength)).toBeLessThanOrEqual(report.sample);
    expect(report.seeds).toBe(100);
    // The theorem lets one in ten samples fail.
    expect(report.within).toBeGreaterThanOrEqual(90);
    expect(report.errors.minimum).toBeGreaterThan(0);
  }, 60_000);

  it('says of a trained model that the assumption does not hold, and shows what that costs', async () => {
    const options = { ...defaultOptions, scenario: makeScenario('average-case'), blockSize: 64, maxTokens: 300, seeds: 3, quality: false };
    const report = await simulate(promptFromText('sample', sampleText()), options, { modelsFolder, signal, onProgress: () => undefined });
    const { sampling } = report;
    expect(sampling?.heads.length).toBe(6 * 8);
    expect(sampling?.holds).toBe(false);
    expect(sampling?.logNeededLength).toBeGreaterThan(Math.log(1e6));
    expect(sampling?.within).toBe(0);
    expect(sampling?.errors.minimum).toBeGreaterThan(0.5);
    // The trial's own calls are not the run's.
    expect(report.run.calls.attention).toBe(report.plan.calls.attention);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});
