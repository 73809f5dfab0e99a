import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TileMasses } from '../../../src/core/atlas/gatherer';
import type { LayerPlan } from '../../../src/core/plan/plan';
import { maskOf } from '../../../src/core/scenario/scenario';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { FusedAttention } from '../../../src/engine/attend/tiles/fused-attention';
import { headView, keyHeadOf, type LayerTensors } from '../../../src/engine/attend/tiles/layer';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { plainLlama } from '../../../src/engine/read/model/architectures/llama';
import { settings } from '../../support/arbitrary';
import { denseAttention, toRows } from '../../support/dense-attention';
import { randomLayer, withCap } from '../../support/layers';
import { planOf, smallModel } from '../../support/shapes';

/** One tile at a time, a few, or all there are: runs that hand sums on, and runs of several query blocks. */
const scoreSizes = fc.constantFrom(1, 20_000, 10_000_000);

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', 1);
});

/** The masses that a run tells of, `[head][query block][key block]`; NaN where a tile was told of twice. */
async function massesOf(plan: LayerPlan, layer: LayerTensors, normaliser?: (head: number, row: number) => number): Promise<number[][][]> {
  const shape = layer.scoreCap === undefined ? smallModel : { ...smallModel, scoreCap: layer.scoreCap };
  const oracle = new OnnxOracle({ ...plainLlama(smallModel), shape }, plan.blockSize, device);
  const found = Array.from({ length: shape.heads }, () =>
    Array.from({ length: plan.blocks }, () => new Array<number | undefined>(plan.blocks).fill(undefined)),
  );
  const onMasses = (head: number, block: number, { keyBlocks, masses }: TileMasses): void =>
    keyBlocks.forEach((keyBlock, index) => {
      const row = found[head][block];
      row[keyBlock] = row[keyBlock] === undefined ? masses[index] : NaN;
    });
  try {
    await new FusedAttention(plan, oracle, new PhaseClock(), () => undefined).run(layer, undefined, undefined, { onMasses, normaliser });
    return found.map((blocks) => blocks.map((row) => row.map((mass) => mass ?? 0)));
  } finally {
    await oracle.release();
  }
}

/** The same by float64 attention, where a weight counts if `counts` says so, against all that `plan` shows. */
function exactMasses(plan: LayerPlan, layer: LayerTensors, counts: (query: number, key: number) => boolean = () => true): number[][][] {
  const mask = maskOf(plan.scenario, plan.tokens);
  const blockOf = (token: number): number => Math.floor(token / plan.blockSize);
  return Array.from({ length: smallModel.heads }, (_, head) => {
    const rows = (data: Float32Array): number[][] => toRows(data, smallModel.headWidth);
    const keys = rows(headView(layer.key, keyHeadOf(layer, head)));
    // Unit vectors as values: the output of a query is its weights.
    const units = keys.map((_key, at) => keys.map((_other, column) => Number(at === column)));
    const { out, logNormaliser } = denseAttention(
      rows(headView(layer.query, head)),
      keys,
      units,
      (query, key) => mask.allows(query, key),
      layer.scoreCap,
    );
    const masses = Array.from({ length: plan.blocks }, () => new Array<number>(plan.blocks).fill(0));
    out.forEach((weights, query) => {
      const block = blockOf(query);
      const size = Math.min(plan.blockSize, plan.tokens - block * plan.blockSize);
      const kept = layer.sinks === undefined ? 1 : 1 / (1 + Math.exp(layer.sinks[head] - logNormaliser[query]));
      weights.forEach((weight, key) => (masses[block][blockOf(key)] += counts(query, key) ? (kept * weight) / size : 0));
    });
    return masses;
  });
}

/** The largest difference of two sets of masses; infinite where one is NaN. */
function difference(one: readonly (readonly (readonly number[])[])[], other: typeof one): number {
  const [left, right] = [one.flat(2), other.flat(2)];
  return left.reduce((worst, mass, at) => (Math.abs(mass - right[at]) <= worst ? worst : Math.abs(mass - right[at]) || Infinity), 0);
}

describe('the masses of tiles', () => {
  it('are those of exact attention, each tile once, under every mask and however tiles share runs', async () => {
    await fc.assert(
      fc.asyncProperty(
        settings.filter(({ scenario }) => scenario.kind !== 'average-case'),
        fc.constantFrom(undefined, 3),
        fc.boolean(),
        fc.constantFrom(1, 8),
        scoreSizes,
        fc.integer(),
        async (setting, cap, sinks, scale, scoreBytes, seed) => {
          const plan = { ...planOf(setting), scoreBytes };
          const random = withCap(randomLayer(setting.tokens, smallModel, seed, scale), cap);
          const layer = sinks ? { ...random, sinks: Float32Array.from([-1, 0, 2, 30]) } : random;
          const found = await massesOf(plan, layer);
          expect(difference(found, exactMasses(plan, layer))).toBeLessThan(1e-4);
          if (!sinks) {
            expect(Math.max(...found.flat().map((row) => Math.abs(row.reduce((sum, mass) => sum + mass, 0) - 1)))).toBeLessThan(1e-4);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are right where a query block is run again tile by tile', async () => {
    const plan = planOf({ tokens: 60, blockSize: 16, scenario: { kind: 'causal' } });
    const layer = randomLayer(60, smallModel, 5, 1);
    const { data, tokens, width } = layer.key;
    for (let head = 0; head < smallModel.keyValueHeads; head += 1) {
      data.fill(100, head * tokens * width, head * tokens * width + width);
    }
    layer.query.data.forEach((value, index) => (layer.query.data[index] = Math.abs(value)));
    expect(difference(await massesOf(plan, layer), exactMasses(plan, layer))).toBeLessThan(1e-5);
  });

  it('are, under a mask and against the normaliser of attention without it, what the mask leaves', async () => {
    const setting = { tokens: 53, blockSize: 8 };
    const own = planOf({ ...setting, scenario: { kind: 'causal' } });
    const masked = planOf({ ...setting, scenario: { kind: 'attention-sink', window: 11, sinks: 3 } });
    const layer = randomLayer(53, smallModel, 9, 3);
    const oracle = new OnnxOracle(plainLlama(smallModel), 8, device);
    try {
      const { logNormaliser } = await new FusedAttention(own, oracle, new PhaseClock(), () => undefined).run(layer);
      const left = await massesOf(masked, layer, (head, row) => logNormaliser[head * 53 + row]);
      const mask = maskOf(masked.scenario, 53);
      expect(
        difference(
          left,
          exactMasses(own, layer, (query, key) => mask.allows(query, key)),
        ),
      ).toBeLessThan(1e-5);
    } finally {
      await oracle.release();
    }
  });
});
