import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BlackBoxConstruction } from '../../../src/core/construct/construction';
import { separationStrength } from '../../../src/core/construct/separation';
import type { BlackBoxShape, Reading } from '../../../src/core/construct/slice';
import { uniform } from '../../../src/core/math/random';
import { blackBoxLayout } from '../../../src/core/plan/attention-cost';
import { type LayerPlan, planLayers } from '../../../src/core/plan/plan';
import { type LayerScenario, makeScenario } from '../../../src/core/scenario/scenario';
import {
  type BlackBox,
  type BlackBoxBatch,
  type BlackBoxOutput,
  type CallCounter,
  OnnxBlackBox,
  type SliceTensors,
} from '../../../src/engine/attend/black-box/black-box';
import { BlackBoxAttention } from '../../../src/engine/attend/black-box/black-box-attention';
import { hiddenScore } from '../../../src/engine/attend/graphs/attend';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import type { LayerTensors } from '../../../src/engine/attend/tiles/layer';
import { type BlackBoxSetting, blackBoxSettings } from '../../support/arbitrary';
import { sliceTensors, transformInFloat64 } from '../../support/float64-transformer';
import { alignedLayer, errorsOf, randomLayer } from '../../support/layers';
import { planOf, smallModel } from '../../support/shapes';

const shapes = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 4 }) });
let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', 1);
});

const opened: OnnxBlackBox[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((blackBox) => blackBox.release()));
});

/** An oracle that gives out ONNX black boxes and counts their calls. */
function onnxOracle(): { calls: CallCounter; blackBox: (shape: BlackBoxShape) => BlackBox } {
  const calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
  return {
    calls,
    blackBox: (shape) => {
      const blackBox = new OnnxBlackBox(shape, device, calls);
      opened.push(blackBox);
      return blackBox;
    },
  };
}

function planned(
  { tokens, blockSize, scenario, causal }: BlackBoxSetting,
  construction: BlackBoxConstruction,
  oracle: { layers: number; heads: number },
): LayerPlan {
  return planLayers({ tokens, scenario, model: smallModel, construction, oracle: { ...oracle, inputLength: blockSize, causal } });
}

function attentionOf(plan: LayerPlan, oracle: { blackBox: (shape: BlackBoxShape) => BlackBox }): BlackBoxAttention {
  const layout = blackBoxLayout(plan);
  if (layout === undefined) {
    throw new Error('A black-box plan is needed.');
  }
  return new BlackBoxAttention(plan, layout, oracle, new PhaseClock(), () => undefined);
}

describe('the tight construction on ONNX Runtime', () => {
  it('is exact to float32 for scores up to 80 either way, and makes exactly the planned calls', async () => {
    const layers = fc.constantFrom(
      (tokens: number, seed: number) => randomLayer(tokens, smallModel, seed, 1),
      (tokens: number, seed: number) => alignedLayer(tokens, smallModel, seed, 10),
      (tokens: number, seed: number) => alignedLayer(tokens, smallModel, seed, 80),
    );
    await fc.assert(
      fc.asyncProperty(blackBoxSettings.tight, shapes, layers, fc.integer(), async (setting, shape, layer, seed) => {
        const plan = planned(setting, 'tight', shape);
        const oracle = onnxOracle();
        const worst = await errorsOf(plan, layer(setting.tokens, seed), attentionOf(plan, oracle));
        // What float32 makes of scores of 80: half a unit in the last place is 4e-6, and a few of them meet. Values are up to 1.
        expect(worst.out).toBeLessThan(1e-5);
        expect(worst.logNormaliser).toBeLessThan(4e-5);
        expect((oracle.calls.attention - oracle.calls.retries) * plan.model.layers).toBe(plan.calls.attention);
      }),
      { numRuns: 150 },
    );
  });

  it('retries once where the synthetic token underflows, and is exact then', async () => {
    // Every query has one key that scores 300 more than the key it is first referred to.
    const plan = planOf({ tokens: 12, blockSize: 7, scenario: makeScenario('full') }, {}, smallModel, 'tight');
    const layer = alignedLayer(12, smallModel, 1, 1);
    layer.query.data.fill(10);
    layer.key.data.fill(0);
    for (const { data, width } of [layer.key]) {
      for (const row of [2, 9, 14, 21]) {
        data.fill(5, row * width, (row + 1) * width);
      }
    }
    const oracle = onnxOracle();
    const worst = await errorsOf(plan, layer, attentionOf(plan, oracle));
    expect(worst.out).toBeLessThan(1e-5);
    expect(worst.logNormaliser).toBeLessThan(1e-4);
    // 4 tiles of 4 heads, each called again for its mean keys and again with them: packed 4 heads a call.
    expect(oracle.calls).toMatchObject({ attention: 4 + 8, retries: 8 });
  });
});

describe('the paper construction on ONNX Runtime', () => {
  it('is right where the scores are small, and makes exactly the planned calls', async () => {
    await fc.assert(
      fc.asyncProperty(blackBoxSettings.paper, shapes, fc.integer(), async (setting, shape, seed) => {
        const plan = planned(setting, 'paper', shape);
        const oracle = onnxOracle();
        const worst = await errorsOf(plan, randomLayer(setting.tokens, smallModel, seed, 0.7), attentionOf(plan, oracle));
        // 1 - a is rounded to 6e-8, and a subtraction leaves a window that may be a fortieth of the sum.
        expect(worst.out).toBeLessThan(2e-3);
        expect(worst.logNormaliser).toBeLessThan(2e-3);
        expect(oracle.calls.retries).toBe(0);
        expect(oracle.calls.attention * plan.model.layers).toBe(plan.calls.attention);
      }),
      { numRuns: 80 },
    );
  });

  it('shows what the subtraction costs where the mass lies outside the window', async () => {
    const window: LayerScenario = makeScenario('sliding-window', { window: 8 });
    const layer = randomLayer(60, smallModel, 5, 0.7);
    // Key 0 takes e^9 times what any other key does; windows that have left it behind must still be found by difference.
    const { width, data } = layer.query;
    data.forEach((_, index) => index % width === 0 && (data[index] = 3));
    for (let head = 0; head < layer.key.heads; head += 1) {
      layer.key.data[head * layer.key.tokens * width] = 3;
    }
    const setting = { tokens: 60, blockSize: 24, scenario: window, causal: true };
    const error = async (construction: BlackBoxConstruction): Promise<number> =>
      (
        await errorsOf(
          planned(setting, construction, { layers: 1, heads: 4 }),
          layer,
          attentionOf(planned(setting, construction, { layers: 1, heads: 4 }), onnxOracle()),
        )
      ).out;
    const [tight, paper] = [await error('tight'), await error('paper')];
    expect(tight).toBeLessThan(1e-5);
    expect(paper).toBeGreaterThan(20 * tight);
  });
});

describe('the graph of the small transformer', () => {
  it('is a transformer: the same in float64 with the 0/1 weights of lemma 3.3, for any tokens', async () => {
    const shape: BlackBoxShape = { rows: 6, layers: 2, heads: 3, headWidth: 4, separation: 2 };
    const next = uniform(11);
    for (const reading of ['state', 'normaliser', 'mean-value', 'mean-key'] as const satisfies readonly Reading[]) {
      for (const causal of [true, false]) {
        const tokens = sliceTensors(shape, 2, next);
        const out = await onnxOracle().blackBox(shape).call({ causal, reading, retry: false, calls: 2, tokens });
        const exact = transformInFloat64(shape, reading, causal, tokens, 2);
        for (const part of ['mean', 'logNormaliser'] as const) {
          expect(out[part]?.length ?? 0).toBe(exact[part].length);
          out[part]?.forEach((value, index) =>
            expect(Math.abs(value - exact[part][index])).toBeLessThan(1e-4 * Math.max(1, Math.abs(exact[part][index]))),
          );
        }
      }
    }
  });

  it('passes the slices of other layers through unchanged (lemma 3.3)', async () => {
    const shape: BlackBoxShape = { rows: 9, layers: 3, heads: 1, headWidth: 5, separation: 0 };
    const blackBox = onnxOracle().blackBox(shape);
    // The same instance in the slices of all three layers: what layer 3 works on has come through two others.
    const one = sliceTensors({ ...shape, layers: 1 }, 1, uniform(4));
    // No references: the kernels of the first MLP round by position.
    one.reference.fill(0);
    const tokens = Object.fromEntries(
      Object.entries(one).map(([part, data]) => [part, Float32Array.from([...data, ...data, ...data])]),
    ) as unknown as SliceTensors;
    const { mean = new Float32Array(0) } = await blackBox.call({ causal: true, reading: 'mean-value', retry: false, calls: 1, tokens });
    const size = mean.length / 3;
    expect(size).toBe(9 * 5);
    expect(mean.subarray(size, 2 * size)).toEqual(mean.subarray(0, size));
    expect(mean.subarray(2 * size)).toEqual(mean.subarray(0, size));
  });
});

describe('outside the black box', () => {
  /** Fills a layer with numbers that occur nowhere else, so that a copy can be told from a sum. */
  function marked(tokens: number): LayerTensors {
    const layer = randomLayer(tokens, smallModel, 1, 1);
    let mark = 1;
    for (const { data } of [layer.query, layer.key, layer.value]) {
      data.forEach((_, index) => (data[index] = Math.fround(Math.PI * (mark += 1))));
    }
    return layer;
  }

  /** A black box that does no mathematics: it hands out marked numbers, and all mass lies with each query's first call. */
  class Listener implements BlackBox {
    private next = 1;

    constructor(
      readonly shape: BlackBoxShape,
      private readonly isFirst: (batch: BlackBoxBatch) => boolean,
      readonly heard = new Set<number>(),
      readonly given = new Set<number>(),
    ) {}

    call(batch: BlackBoxBatch): Promise<BlackBoxOutput> {
      Object.values(batch.tokens).forEach((part) => part.forEach((entry) => this.heard.add(entry)));
      const { rows, layers, heads, headWidth } = this.shape;
      const size = batch.calls * rows * layers * heads;
      const mean = Float32Array.from({ length: size * headWidth }, () => {
        const value = Math.fround(Math.E * (this.next += 1));
        this.given.add(value);
        return value;
      });
      return Promise.resolve({ mean, logNormaliser: new Float32Array(size).fill(this.isFirst(batch) ? 0 : -Infinity) });
    }
  }

  it.each(['tight', 'paper'] as const)('tokens are copied and padded, never computed with (%s)', async (construction) => {
    await fc.assert(
      fc.asyncProperty(blackBoxSettings[construction], shapes, async (setting, shape) => {
        const plan = planned(setting, construction, shape);
        const layer = marked(setting.tokens);
        const heard = new Set<number>();
        const attention = attentionOf(plan, { blackBox: (boxShape) => new Listener(boxShape, () => false, heard) });
        await attention.run(layer);
        const known = new Set([...layer.query.data, ...layer.key.data, ...layer.value.data]);
        const constants = new Set([0, 1, -separationStrength, separationStrength, Math.fround(hiddenScore)]);
        const strange = [...heard].filter((entry) => !known.has(entry) && !constants.has(entry));
        expect(heard.size).toBeGreaterThan(2);
        expect(strange).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('a state that meets only empty ones comes out bit by bit', async () => {
    // One tile of the first call per query: the diagonal of a block-causal plan of one block.
    const plan = planned({ tokens: 9, blockSize: 10, scenario: { kind: 'causal' }, causal: true }, 'tight', { layers: 1, heads: 4 });
    const given = new Set<number>();
    const attention = attentionOf(plan, { blackBox: (shape) => new Listener(shape, () => true, new Set(), given) });
    const { out } = await attention.run(marked(9));
    expect(out.data.every((entry) => given.has(entry))).toBe(true);
  });
});
