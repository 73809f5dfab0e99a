import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerPlan } from '../../../src/core/plan/plan';
import { plainLlama } from '../../../src/engine/read/model/architectures/llama';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import type { Oracle } from '../../../src/engine/attend/tiles/oracle';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { FusedAttention } from '../../../src/engine/attend/tiles/fused-attention';
import { openDevice, type Device } from '../../../src/engine/attend/runtime/provider';
import { settings } from '../../support/arbitrary';
import { Float64Oracle } from '../../support/float64-oracle';
import { errorsOf, randomLayer, withCap } from '../../support/layers';
import { planOf, smallModel } from '../../support/shapes';

const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 6 }) });
/** Size of the scores: from nearly uniform attention to one key taking all. */
const scales = fc.constantFrom(0.1, 1, 12);
/** What scores are bent to at most: nothing, far below most of them, and far above. */
const caps = fc.constantFrom(undefined, undefined, 3, 200);
/** Memory of a run's scores: one tile, a few, or all there are: runs that hand sums on, runs of several query blocks. */
const scoreSizes = fc.constantFrom(1, 20_000, 10_000_000);

function fused(
  plan: LayerPlan,
  oracle: Pick<Oracle, 'attend' | 'attendOn' | 'attendApart' | 'closeRound'>,
  scoreBytes?: number,
): FusedAttention {
  return new FusedAttention({ ...plan, scoreBytes }, oracle, new PhaseClock(), () => undefined);
}

describe('the fused construction', () => {
  it('is exact attention under every mask, and makes exactly the planned calls', async () => {
    await fc.assert(
      fc.asyncProperty(settings, oracles, scales, scoreSizes, fc.integer(), async (setting, shape, scale, scoreBytes, seed) => {
        const plan = planOf(setting, shape);
        const oracle = new Float64Oracle();
        const worst = await errorsOf(plan, randomLayer(setting.tokens, smallModel, seed, scale), fused(plan, oracle, scoreBytes));
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
    const attention = fused(plan, new Float64Oracle());
    const layer = randomLayer(50, smallModel, 7, 1);
    const first = (await attention.run(layer)).out.data.slice();
    await attention.run(randomLayer(50, smallModel, 8, 5));
    expect((await attention.run(layer)).out.data).toEqual(first);
  });

  it('reports as many instances as the layer has', async () => {
    const plan = planOf({ tokens: 50, blockSize: 16, scenario: { kind: 'causal' } }, { heads: 3 });
    let instances = 0;
    const attention = new FusedAttention(plan, new Float64Oracle(), new PhaseClock(), (more) => (instances += more));
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
    const config = plainLlama(smallModel);
    await fc.assert(
      fc.asyncProperty(settings, oracles, scales, caps, scoreSizes, fc.integer(), async (setting, shape, scale, cap, scoreBytes, seed) => {
        const plan = planOf(setting, shape);
        const own = cap === undefined ? smallModel : { ...smallModel, scoreCap: cap };
        const oracle = new OnnxOracle({ ...config, shape: own }, setting.blockSize, device);
        try {
          const layer = withCap(randomLayer(setting.tokens, smallModel, seed, scale), cap);
          const worst = await errorsOf(plan, layer, fused(plan, oracle, scoreBytes));
          // Scores reach a few hundred at scale 12; their float32 rounding is what remains.
          expect(worst.out).toBeLessThan(2e-4);
          expect(worst.logNormaliser).toBeLessThan(2e-4);
          expect((oracle.calls.attention - oracle.calls.retries) * plan.model.layers).toBe(plan.calls.attention);
        } finally {
          await oracle.release();
        }
      }),
      { numRuns: 100 },
    );
  });

  it('runs a query block again where scores lie far above those of its own key block', async () => {
    const config = plainLlama(smallModel);
    const plan = planOf({ tokens: 64, blockSize: 16, scenario: { kind: 'causal' } });
    const oracle = new OnnxOracle(config, 16, device);
    try {
      const layer = randomLayer(64, smallModel, 5, 1);
      const { data, tokens, width } = layer.key;
      // The first key of every head draws all later queries to it, far above the scores of their own blocks.
      for (let head = 0; head < smallModel.keyValueHeads; head += 1) {
        data.fill(100, head * tokens * width, head * tokens * width + width);
      }
      layer.query.data.forEach((value, index) => (layer.query.data[index] = Math.abs(value)));
      const worst = await errorsOf(plan, layer, fused(plan, oracle));
      expect(worst.out).toBeLessThan(1e-5);
      expect(worst.logNormaliser).toBeLessThan(1e-4);
      expect(oracle.calls.retries).toBeGreaterThan(0);
      expect((oracle.calls.attention - oracle.calls.retries) * plan.model.layers).toBe(plan.calls.attention);
    } finally {
      await oracle.release();
    }
  });
});
