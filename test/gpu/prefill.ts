import { defaultOptions, type Precision } from '../../src/core/options/table';
import { uniform } from '../../src/core/math/random';
import { makePlan, type Plan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import type { ModelShape } from '../../src/core/shapes';
import { compiledFunctions } from '../../src/engine/attend/compiled/functions';
import { modelGraph } from '../../src/engine/attend/compiled/graphs';
import { hiddenOf, passOf } from '../../src/engine/attend/pass';
import { type Device, openDevice } from '../../src/engine/attend/runtime/provider';
import { GraphSession } from '../../src/engine/attend/runtime/session';
import { OutputHead } from '../../src/engine/attend/verify/predictions';
import type { LoadedModel } from '../../src/engine/read/model/load';
import { randomModel } from '../../src/engine/read/model/random-model';
import { median } from '../bench/section';
import { relativeError } from './exact';
import { attempt, cpuThreads, devices, type Emit, type Step } from './step';

/** SmolLM2-135M. */
const usual: ModelShape = {
  ...{ layers: 30, heads: 9, keyValueHeads: 3, headWidth: 64 },
  ...{ width: 576, feedForwardWidth: 1536, vocabulary: 49_152 },
};
const small: ModelShape = {
  ...{ layers: 2, heads: 2, keyValueHeads: 1, headWidth: 16 },
  ...{ width: 32, feedForwardWidth: 64, vocabulary: 300 },
};

/** A way to read a prompt. */
interface Way {
  readonly known: Readonly<Record<'provider' | 'precision' | 'how', string>>;
  readonly run: () => Promise<Float32Array>;
  /** What `run` gives to the logits of the token after the last. Its time is not counted. */
  readonly read: (result: Float32Array) => Float32Array | Promise<Float32Array>;
  readonly times: number[];
  logits?: Float32Array;
}

/** A whole model's prefill on a device, against the same machine's processor. */
export const prefill: Step = {
  limit: 90,
  section: {
    title: 'Prefill of SmolLM2-135M’s shape, random weights, causal, N = 8,192',
    method: `Layer by layer: as \`simulate\` runs it, the residual stream resident, each layer's graph made and its weights sent in each pass. One graph: the whole model, made in the first pass, its weights resident. By tiles: tensors are copied for each call; a tenth of the layers, one pass. M = 1,024; the processor has ${cpuThreads} threads and M = 512. In turn, after a pass that warms up, which is given apart; medians of two. Error: of the last token's logits against the processor's float32, over their largest.`,
    columns: {
      provider: 'provider',
      precision: 'precision',
      how: 'how',
      first: 'first pass, ms',
      ms: 'ms',
      speedUp: 'cpu / it',
      error: 'error',
      note: 'note',
    },
  },
  run: async (context, emit) => {
    const { quick } = context;
    const [shape, tokens] = quick ? [small, 200] : [usual, 8192];
    const model = modelOf(shape);
    const next = uniform(1);
    const prompt = Int32Array.from({ length: tokens }, () => Math.floor(next() * shape.vocabulary));
    const planWith = (blockSize: number): Plan => makePlan(planRequest(tokens, shape, { ...defaultOptions, blockSize }));
    const plan = planWith(quick ? 64 : 1024);
    const processor = await openDevice('cpu', cpuThreads);
    const head = new OutputHead(model, processor);
    const last = async (hidden: Float32Array): Promise<Float32Array> => head.logits(hidden.slice((tokens - 1) * shape.width));
    const way = (device: Device, precision: Precision, how: string, run: Way['run'], read: Way['read'] = last): Way => ({
      known: { provider: device.provider, precision, how },
      ...{ run, read, times: [] },
    });
    const cpu = way(processor, 'float32', `by tiles, ${cpuThreads} threads`, () =>
      hiddenOf(model, planWith(quick ? 64 : 512), prompt, processor),
    );
    const ways: Way[] = [];
    const apart: Way[] = [];
    const graphs: GraphSession[] = [];
    const operand = { data: BigInt64Array.from(prompt, BigInt), shape: [tokens] };
    for await (const { device, precision } of devices(context, emit, ['float32', 'float16'])) {
      let graph: GraphSession | undefined;
      const runGraph = async (): Promise<Float32Array> => {
        if (graph === undefined) {
          const { graph: built } = modelGraph(plan, model);
          graph = await GraphSession.create(built.build({ functions: compiledFunctions[precision] }), device);
          graphs.push(graph);
        }
        return (await graph.run<'logits'>({ tokens: operand })).logits;
      };
      ways.push(
        way(device, precision, 'layer by layer', () => hiddenOf(model, plan, prompt, device, passOf('compiled', precision))),
        way(device, precision, 'one graph', runGraph, (logits) => logits),
      );
      if (precision === 'float32') {
        const few = withLayers(model, Math.ceil(shape.layers / 10));
        const fewPlan = makePlan(planRequest(tokens, few.shape, { ...defaultOptions, blockSize: plan.blockSize }));
        const how = `by tiles, ${few.shape.layers} of ${shape.layers} layers`;
        apart.push(way(device, precision, how, () => hiddenOf(few, fewPlan, prompt, device)));
      }
    }
    await inTurn(ways, cpu, emit, quick ? 1 : 2);
    for (const each of apart) {
      await runOnce(each, undefined, emit);
    }
    await head.release();
    await Promise.all(graphs.map((session) => session.release()));
  },
};

/** A model with random weights. Its layers are copies of one: numbers take long to draw, and a device cannot tell. */
function modelOf(shape: ModelShape): LoadedModel {
  const one = randomModel({ ...shape, layers: 1 }, { seed: 1, scoreScale: 1, variety: 1 });
  const [{ rotary, ...weights }] = one.layers;
  return { ...one, shape, layers: Array.from({ length: shape.layers }, () => ({ ...structuredClone(weights), rotary })) };
}

/** The first layers of a model. */
function withLayers(model: LoadedModel, layers: number): LoadedModel {
  return { ...model, shape: { ...model.shape, layers }, layers: model.layers.slice(0, layers) };
}

/** Runs every way once a round, the device's ways once more before; one that fails is left out from then on. */
async function inTurn(all: readonly Way[], cpu: Way, emit: Emit, rounds: number): Promise<void> {
  let ways = all;
  for (let round = -1; round < rounds; round += 1) {
    const ran: Way[] = [];
    for (const each of round < 0 ? ways : [...ways, cpu]) {
      if (await runOnce(each, cpu, emit)) {
        ran.push(each);
      }
    }
    ways = ran.filter((each) => each !== cpu);
    for (const each of ways) {
      await tell(each, cpu, emit);
    }
  }
}

/** Runs a way, and tells of it, compared with the processor where that is wanted. @returns whether it ran */
async function runOnce(way: Way, cpu: Way | undefined, emit: Emit): Promise<boolean> {
  let ran = false;
  await attempt(emit, Object.values(way.known).join(), way.known, async () => {
    const start = performance.now();
    const result = await way.run();
    way.times.push(performance.now() - start);
    way.logits = await way.read(result);
    await tell(way, cpu, emit);
    ran = true;
  });
  return ran;
}

async function tell(way: Way, cpu: Way | undefined, emit: Emit): Promise<void> {
  const { known, times, logits } = way;
  const [first, ...later] = way === cpu ? ['', ...times] : times;
  const ms = later.length === 0 ? undefined : median(later as number[]);
  await emit(Object.values(known).join(), {
    ...known,
    first,
    ms: ms ?? '',
    speedUp: ms === undefined || cpu === undefined || cpu.times.length === 0 ? '' : median(cpu.times) / ms,
    error: logits === undefined || cpu?.logits === undefined || way === cpu ? '' : relativeError(logits, cpu.logits),
    note: '',
  });
}
