import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from '../../src/core/math/random';
import { defaultOptions, type Precision } from '../../src/core/options/table';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { makeScenario, scenarioTitle } from '../../src/core/scenario/scenario';
import { layerDefinitions } from '../../src/core/scenario/registry';
import type { ModelShape } from '../../src/core/shapes';
import { hiddenOf, passOf } from '../../src/engine/attend/pass';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import type { Device } from '../../src/engine/attend/runtime/provider';
import { FusedAttention } from '../../src/engine/attend/tiles/fused-attention';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { exactNext, exactProjection } from '../../src/engine/attend/verify/exact-tokenwise';
import { OutputHead } from '../../src/engine/attend/verify/predictions';
import { plainLlama } from '../../src/engine/read/model/architectures/llama';
import { loadModel, openModel } from '../../src/engine/read/model/load';
import { randomModel } from '../../src/engine/read/model/random-model';
import { CompiledAttention } from '../support/compiled-attention';
import { errorsOf, randomLayer } from '../support/layers';
import { planOf } from '../support/shapes';
import { attempt, devices, type GpuContext, type Step } from './step';

/** Largest relative error that a right result has: CUDA multiplies float32 in TF32, whose products have eleven bits as float16's. */
function allowed({ provider }: Device, precision: Precision): number {
  return precision === 'float16' ? 2e-2 : provider === 'cuda' ? 5e-3 : 1e-4;
}

/** Checkpoints of test/golden: plain, normed heads, bent scores and windows, experts with sinks, slopes, biases, no order. */
const goldens = ['llama', 'gpt-oss', 'gemma2', 'qwen3', 'bloom', 'gpt-neox', 'bert'];

/** What a device computes against float64. */
export const exact: Step = {
  limit: 55,
  section: {
    title: 'Against float64',
    method:
      'The largest difference, relative to the largest number. Attention: every row of a layer with grouped heads, under each kind of mask, whole layers as one graph and tile by tile. Projections, and output projection with MLP: random weights in the widths of SmolLM2-135M. Logits: checkpoints of test/golden, by compiled layers, against those of transformers in float64.',
    columns: {
      provider: 'provider',
      precision: 'precision',
      check: 'check',
      error: 'error',
      allowed: 'allowed',
      right: 'right',
      note: 'note',
    },
  },
  run: async (context, emit) => {
    for await (const { device, precision } of devices(context, emit, ['float32', 'float16'])) {
      const compare = async (check: string, measure: () => Promise<number>): Promise<void> => {
        const known = { provider: device.provider, precision, check };
        await attempt(emit, Object.values(known).join(), { ...known, right: '**no**' }, async () => {
          const [error, limit] = [await measure(), allowed(device, precision)];
          await emit(Object.values(known).join(), { ...known, error, allowed: limit, right: error <= limit ? 'yes' : '**no**', note: '' });
        });
      };
      await compareAttention(context, device, precision, compare);
      if (precision === 'float32') {
        await compareTokenwise(context, device, compare);
      }
      for (const name of context.quick ? goldens.slice(0, 2) : goldens) {
        await compare(`logits of ${name}`, () => logitsError(name, device, precision));
      }
    }
  },
};

type Compare = (check: string, measure: () => Promise<number>) => Promise<void>;

async function compareAttention({ quick }: GpuContext, device: Device, precision: Precision, compare: Compare): Promise<void> {
  const [tokens, blockSize] = quick ? [70, 32] : [200, 64];
  const shape: ModelShape = {
    ...{ layers: 1, heads: 4, keyValueHeads: 2, headWidth: quick ? 16 : 64 },
    ...{ width: 256, feedForwardWidth: 256, vocabulary: 2 },
  };
  const layer = randomLayer(tokens, shape, 1, 1);
  // Chosen tiles are neither a graph nor those of the mask.
  for (const { kind } of layerDefinitions.filter(({ choosesTiles }) => choosesTiles === undefined)) {
    const scenario = makeScenario(kind, { window: quick ? 20 : 100, sinks: 3, seed: 1 });
    const plan = planOf({ tokens, blockSize, scenario }, {}, shape);
    await compare(`attention as a graph, ${scenarioTitle(scenario)}`, async () => {
      const calls = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
      const attention = await CompiledAttention.create(plan, device, calls, new PhaseClock(), () => undefined, precision);
      try {
        return worst(await errorsOf(plan, layer, attention));
      } finally {
        await attention.release();
      }
    });
    if (precision === 'float32') {
      await compare(`attention by tiles, ${scenarioTitle(scenario)}`, async () => {
        const oracle = new OnnxOracle(plainLlama(shape), blockSize, device);
        try {
          return worst(await errorsOf(plan, layer, new FusedAttention(plan, oracle, new PhaseClock(), () => undefined)));
        } finally {
          await oracle.release();
        }
      });
    }
  }
}

/** Values are up to 1, and log-normalisers a few: both errors are relative as they are. */
function worst({ out, logNormaliser }: { readonly out: number; readonly logNormaliser: number }): number {
  return Math.max(out, logNormaliser);
}

async function compareTokenwise({ quick }: GpuContext, device: Device, compare: Compare): Promise<void> {
  const tokens = quick ? 8 : 48;
  const shape: ModelShape = {
    ...{ layers: 1, heads: 9, keyValueHeads: 3, headWidth: 64 },
    ...{ width: 576, feedForwardWidth: 1536, vocabulary: 64 },
  };
  const model = randomModel(shape, { seed: 1, scoreScale: 1, variety: 1 });
  const [weights] = model.layers;
  const next = uniform(2);
  const hidden = Float32Array.from({ length: tokens * shape.width }, () => 2 * next() - 1);
  const stream = (row: number): Float32Array => hidden.subarray(row * shape.width, (row + 1) * shape.width);
  /** Row of heads `[H, N, m]`. */
  const rowOf = (data: Float32Array, row: number): number[] => {
    const heads = data.length / tokens / shape.headWidth;
    return Array.from({ length: heads }, (_, head) => [
      ...data.subarray((head * tokens + row) * shape.headWidth, (head * tokens + row + 1) * shape.headWidth),
    ]).flat();
  };
  const oracle = new OnnxOracle(model, tokens, device, tokens);
  try {
    await compare('projections', async () => {
      const found = await oracle.project(hidden, weights, [{ from: 0, to: tokens }]);
      const errors = Array.from({ length: tokens }, (_, row) => {
        const expected = exactProjection(model, weights, stream(row), { position: row, tokens });
        return (['query', 'key', 'value'] as const).map((name) => relativeError(rowOf(found[name], row), expected[name]));
      });
      return Math.max(...errors.flat());
    });
    await compare('output projection and MLP', async () => {
      const attended = Float32Array.from({ length: tokens * shape.heads * shape.headWidth }, () => 2 * next() - 1);
      const found = await oracle.outputAndMlp(hidden, attended, weights);
      const errors = Array.from({ length: tokens }, (_, row) =>
        relativeError(
          found.subarray(row * shape.width, (row + 1) * shape.width),
          exactNext(model, weights, stream(row), rowOf(attended, row)) ?? [],
        ),
      );
      return Math.max(...errors);
    });
  } finally {
    await oracle.release();
  }
}

async function logitsError(name: string, device: Device, precision: Precision): Promise<number> {
  const root = process.cwd();
  const folder = join(root, 'test', 'golden', name);
  const golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as {
    readonly tokens: readonly number[];
    readonly logits?: readonly (readonly number[])[];
    readonly hidden?: readonly (readonly number[])[];
  };
  const model = await loadModel(await openModel(folder, join(root, 'media', 'models')));
  const plan = makePlan(planRequest(golden.tokens.length, model.shape, { ...defaultOptions, blockSize: 16 }));
  const hidden = await hiddenOf(model, plan, Int32Array.from(golden.tokens), device, passOf('compiled', precision));
  if (golden.logits === undefined) {
    return relativeError(hidden, (golden.hidden ?? []).flat());
  }
  const head = new OutputHead(model, device);
  try {
    return relativeError(await head.logits(hidden), golden.logits.flat());
  } finally {
    await head.release();
  }
}

/**
 * The largest difference of two lists over the largest number of the second; infinite where one has no number, or has another length.
 */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [found.length === expected.length && found.length > 0 ? 0 : Infinity, 0];
  for (let index = 0; index < expected.length; index += 1) {
    const own = Math.abs(found[index] - expected[index]);
    difference = Number.isNaN(own) ? Infinity : Math.max(difference, own);
    size = Math.max(size, Math.abs(expected[index]));
  }
  return difference / size;
}
