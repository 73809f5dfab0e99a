import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { maskOf } from '../../../src/core/masks';
import { permutation, uniform } from '../../../src/core/random';
import type { Plan } from '../../../src/core/plan/plan';
import type { ModelShape } from '../../../src/core/shapes';
import { OnnxOracle } from '../../../src/engine/oracle/onnx-oracle';
import type { Oracle } from '../../../src/engine/oracle/oracle';
import { PhaseClock } from '../../../src/engine/run/clock';
import { FusedAttention } from '../../../src/engine/run/fused-attention';
import type { LayerTensors } from '../../../src/engine/run/layer';
import { headView, type HeadTensor } from '../../../src/engine/run/head-tensor';
import { openDevice, type Device } from '../../../src/engine/runtime/provider';
import { settings } from '../../support/arbitrary';
import { denseAttention, toRows } from '../../support/dense-attention';
import { Float64Oracle } from '../../support/float64-oracle';
import { planOf, smallModel } from '../../support/shapes';

const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 6 }) });
/** Size of the scores: from nearly uniform attention to one key taking all. */
const scales = fc.constantFrom(0.1, 1, 12);

function randomLayer(tokens: number, shape: ModelShape, seed: number, scale: number): LayerTensors {
  const next = uniform(seed);
  const tensor = (heads: number, size: number): HeadTensor => ({
    heads,
    tokens,
    width: shape.headWidth,
    data: Float32Array.from({ length: heads * tokens * shape.headWidth }, () => size * (2 * next() - 1)),
  });
  return { query: tensor(shape.heads, scale), key: tensor(shape.keyValueHeads, scale / 2), value: tensor(shape.keyValueHeads, 1) };
}

/** The largest differences between a run and dense float64 attention. */
async function errorsOf(plan: Plan, layer: LayerTensors, oracle: Pick<Oracle, 'attend'>): Promise<{ out: number; logNormaliser: number }> {
  const attended = await new FusedAttention(plan, oracle as Oracle, new PhaseClock(), () => undefined).run(layer);
  const mask = maskOf(plan.scenario, plan.tokens);
  // Theorem 4.1: query block t sees the keys tau(S_t), and its sum is scaled up to all N.
  const tau = plan.scenario.kind === 'average-case' ? permutation(plan.tokens, plan.scenario.seed) : undefined;
  const blockOf = (token: number): number => Math.floor(token / plan.oracle.inputLength);
  const place = tau && Array.from(tau).reduce<number[]>((where, key, position) => ((where[key] = position), where), []);
  const allows = (q: number, k: number): boolean => (place === undefined ? mask.allows(q, k) : blockOf(place[k]) === blockOf(q));
  const sampleSize = (q: number): number => Math.min(plan.oracle.inputLength, plan.tokens - blockOf(q) * plan.oracle.inputLength);

  const worst = { out: 0, logNormaliser: 0 };
  const group = layer.query.heads / layer.key.heads;
  for (let head = 0; head < layer.query.heads; head += 1) {
    const rows = (tensor: HeadTensor, h: number): number[][] => toRows(headView(tensor, h), tensor.width);
    const kv = Math.floor(head / group);
    const exact = denseAttention(rows(layer.query, head), rows(layer.key, kv), rows(layer.value, kv), allows);
    toRows(headView(attended.out, head), layer.query.width).forEach((row, q) => {
      row.forEach((value, c) => (worst.out = Math.max(worst.out, Math.abs(value - exact.out[q][c]))));
      const scaleUp = tau === undefined ? 0 : Math.log(plan.tokens / sampleSize(q));
      const difference = attended.logNormaliser[head * plan.tokens + q] - (exact.logNormaliser[q] + scaleUp);
      worst.logNormaliser = Math.max(worst.logNormaliser, Math.abs(difference));
    });
  }
  return worst;
}

describe('the fused construction', () => {
  it('is exact attention under every mask, and makes exactly the planned calls', async () => {
    await fc.assert(
      fc.asyncProperty(settings, oracles, scales, fc.integer(), async (setting, shape, scale, seed) => {
        const plan = planOf(setting, shape);
        const oracle = new Float64Oracle();
        const worst = await errorsOf(plan, randomLayer(setting.tokens, smallModel, seed, scale), oracle);
        // The states are float32 between calls; nothing else is.
        expect(worst.out).toBeLessThan(1e-5);
        expect(worst.logNormaliser).toBeLessThan(1e-4);
        expect(oracle.calls.attention * plan.model.layers).toBe(plan.calls.attention);
      }),
      { numRuns: 150 },
    );
  });

  it('runs again on another layer with the same buffers', async () => {
    const plan = planOf({ tokens: 50, blockSize: 16, scenario: { kind: 'sliding-window', window: 20 } });
    const attention = new FusedAttention(plan, new Float64Oracle() as unknown as Oracle, new PhaseClock(), () => undefined);
    const layer = randomLayer(50, smallModel, 7, 1);
    const first = await attention.run(layer);
    await attention.run(randomLayer(50, smallModel, 8, 5));
    expect((await attention.run(layer)).out.data).toEqual(first.out.data);
  });

  it('reports as many instances as the layer has', async () => {
    const plan = planOf({ tokens: 50, blockSize: 16, scenario: { kind: 'causal' } }, { heads: 3 });
    let instances = 0;
    const attention = new FusedAttention(plan, new Float64Oracle() as unknown as Oracle, new PhaseClock(), (more) => (instances += more));
    await attention.run(randomLayer(50, smallModel, 7, 1));
    expect(instances).toBe(plan.tiles * smallModel.heads);
  });
});

describe('the fused construction on ONNX Runtime', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu', 1);
  });

  it('is exact to float32 under every mask', async () => {
    const config = { shape: smallModel, normEpsilon: 1e-5, ropeTheta: 10_000, tiedHead: true };
    await fc.assert(
      fc.asyncProperty(settings, oracles, scales, fc.integer(), async (setting, shape, scale, seed) => {
        const plan = planOf(setting, shape);
        const oracle = await OnnxOracle.create(config, setting.blockSize, device);
        try {
          const worst = await errorsOf(plan, randomLayer(setting.tokens, smallModel, seed, scale), oracle);
          // Scores reach a few hundred at scale 12; their float32 rounding is what remains.
          expect(worst.out).toBeLessThan(2e-4);
          expect(worst.logNormaliser).toBeLessThan(2e-4);
          expect(oracle.calls.attention * plan.model.layers).toBe(plan.calls.attention);
        } finally {
          await oracle.release();
        }
      }),
      { numRuns: 60 },
    );
  });
});
