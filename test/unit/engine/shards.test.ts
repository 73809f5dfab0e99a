import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { makeChoice, makeScenario, type Range, type Scenario } from '../../../src/core/scenario/scenario';
import type { Quality } from '../../../src/core/report/report';
import { uniform } from '../../../src/core/math/random';
import { wholePrompt } from '../../../src/core/shards/cut';
import { combineShards, type MeasuredShard, type ShardedRun } from '../../../src/core/shards/report';
import { runVerdict, type Verdict } from '../../../src/core/report/verdict';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { shardPlan, ShardRunner, shardsOf } from '../../../src/engine/tasks/shards/shard-runner';
import { modelsFolder, root } from '../../support/paths';

const quiet = { signal: new AbortController().signal, onProgress: () => undefined };
const window = (size: number): Scenario => makeScenario('sliding-window', { window: size });
const sinks = (size: number, count: number): Scenario => makeScenario('attention-sink', { window: size, sinks: count });
const cycle = (text: string): Scenario => makeChoice('per-layer', { cycle: text }) as Scenario;

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', 1);
});

async function golden(name: string): Promise<LoadedModel> {
  return loadModel(await openModel(join(root, 'test', 'golden', name), modelsFolder));
}

interface Run {
  readonly model: LoadedModel;
  readonly scenario: Scenario;
  readonly tokens: number;
  readonly options?: Partial<SimulationOptions>;
}

/** The runner of a random prompt. */
function runnerOf({ model, scenario, tokens, options }: Run): { runner: ShardRunner; plan: ReturnType<typeof makePlan> } {
  const next = uniform(7);
  const own = { ...defaultOptions, blockSize: 16, verify: 'dense', ...options, scenario } as const;
  const plan = makePlan(planRequest(tokens, model.shape, own));
  const ids = Int32Array.from({ length: tokens }, () => Math.floor(next() * model.shape.vocabulary));
  return { runner: new ShardRunner(model, device, { plan, tokens: ids }, own), plan };
}

/** The last residual stream of a prompt `[N, d]`, from its shards. */
async function streamOf(run: Run, parts: number): Promise<Float32Array> {
  const { runner, plan } = runnerOf(run);
  const joined: number[] = [];
  for (const shard of shardsOf(plan, parts)) {
    joined.push(...(await runner.stream(shard, shardPlan(plan, shard.reads), quiet)).hidden);
  }
  await runner.release();
  return Float32Array.from(joined);
}

/** The shards of a prompt, measured. */
async function measure(run: Run, parts: number): Promise<MeasuredShard[]> {
  const { runner, plan } = runnerOf(run);
  const measured: MeasuredShard[] = [];
  for (const shard of shardsOf(plan, parts)) {
    measured.push({ ...shard, result: await runner.run(shard, quiet) });
  }
  await runner.release();
  return measured;
}

/** A quality that has a baseline. */
function compared({ quality }: ShardedRun): Quality {
  if (quality?.baseline == null) {
    throw new Error('The shards were compared with nothing.');
  }
  return quality;
}

const tokens = 44;

const scope = { score: 'all', size: 'unknown' };

describe('shards of a prompt', () => {
  // Tokens 0 to 43 with windows so small that no shard reads all; gpt2 has learned positions, bert's end of the window lies ahead.
  it.each([
    ['llama', window(4)],
    ['llama', sinks(4, 3)],
    ['llama', cycle('sliding-window:6,attention-sink:3:2,sliding-window:1')],
    ['llama', cycle('local-window:4,attention-sink:3:3,sliding-window:3')],
    ['llama-rope-dynamic', sinks(4, 2)],
    ['llama-rope-linear', sinks(4, 2)],
    ['llama-rope-llama3', sinks(4, 2)],
    ['llama-rope-yarn', sinks(4, 2)],
    ['mistral', sinks(3, 1)],
    ['qwen3', window(5)],
    ['smollm3', sinks(4, 2)],
    ['granite', sinks(4, 2)],
    ['olmo2', sinks(4, 2)],
    ['olmo3', sinks(4, 2)],
    ['gemma2', sinks(4, 2)],
    ['gemma3', sinks(4, 2)],
    ['mixtral', sinks(4, 2)],
    ['qwen3-moe-mixed', sinks(4, 2)],
    ['gpt-oss', sinks(4, 2)],
    ['phi3', sinks(4, 2)],
    ['cohere2', sinks(4, 2)],
    ['gpt-neo', sinks(4, 2)],
    ['bloom', sinks(4, 2)],
    ['mpt', sinks(4, 2)],
    ['gpt-neox', sinks(4, 2)],
    ['gpt2', sinks(5, 2)],
    ['bert', makeScenario('local-window', { window: 4 })],
    ['roberta', makeScenario('local-window', { window: 4 })],
    ['modernbert', makeScenario('local-window', { window: 4 })],
  ])('have the residual stream of the whole: %s under %o', async (name, scenario) => {
    const run = { model: await golden(name), scenario, tokens };
    const whole = await streamOf(run, 1);
    expect(whole).toHaveLength(tokens * run.model.shape.width);
    const size = whole.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    for (const parts of [2, 3, 7]) {
      const joined = await streamOf(run, parts);
      const difference = joined.reduce((largest, value, index) => Math.max(largest, Math.abs(value - whole[index])), 0);
      expect(difference / size).toBeLessThan(2e-6);
    }
  });

  it.each([
    ['compiled layers', { executor: 'compiled' }],
    ['a black box', { construction: 'tight' }],
  ] as const)('have it by %s', async (_how, options) => {
    const run: Run = { model: await golden('llama-rope-dynamic'), scenario: sinks(4, 2), tokens };
    const whole = await streamOf(run, 1);
    const joined = await streamOf({ ...run, options }, 3);
    joined.forEach((value, index) => expect(Math.abs(value - whole[index])).toBeLessThan(1e-4));
  });

  // That it would be seen: the same tokens as if they began the prompt.
  it.each(['llama-rope-dynamic', 'gpt2'])('need the positions of the whole: %s', async (name) => {
    const { runner, plan } = runnerOf({ model: await golden(name), scenario: sinks(4, 2), tokens });
    const shard = shardsOf(plan, 3)[2];
    const right = await runner.stream(shard, shardPlan(plan, shard.reads), quiet);
    const moved = {
      rows: wholePrompt(shard.rows.to - shard.rows.from).ranges[0],
      reads: wholePrompt(shard.rows.to - shard.rows.from).ranges,
    };
    const wrong = await runner.stream(moved, shardPlan(plan, moved.reads), quiet);
    await runner.release();
    expect(wrong.hidden).toHaveLength(right.hidden.length);
    expect(Math.max(...wrong.hidden.map((value, index) => Math.abs(value - right.hidden[index])))).toBeGreaterThan(1e-3);
  });

  it('fail where one reads the wrong rows', async () => {
    const { runner, plan } = runnerOf({ model: await golden('llama'), scenario: sinks(4, 2), tokens, options: { quality: false } });
    const shards = shardsOf(plan, 3);
    const verdictOf = async (change: (reads: readonly Range[]) => readonly Range[]): Promise<Verdict> => {
      const fidelity = (await runner.run({ ...shards[2], reads: change(shards[2].reads) }, quiet)).fidelity;
      return runVerdict({ ...plan, fidelity, sampling: null, quality: null, native: false, precision: 'float32' });
    };
    expect((await verdictOf((reads) => reads)).kind).toBe('exact');
    for (const change of [
      ([sink, { from, to }]: readonly Range[]) => [sink, { from: from + 1, to }],
      ([sink, own]: readonly Range[]) => [{ ...sink, to: sink.to - 1 }, own],
    ]) {
      expect(await verdictOf(change)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/^A shard lacks row \d+/) as string });
    }
    await runner.release();
  });

  it('score every prediction once, with the losses of the whole', async () => {
    const run: Run = { model: await golden('llama'), scenario: sinks(4, 2), tokens };
    const { shape } = run.model;
    const [whole, ...cut] = await Promise.all(
      [1, 2, 5, tokens].map(async (parts) => combineShards(await measure(run, parts), { shape }, scope)),
    );
    expect(whole.quality).toMatchObject({ baseline: null, positions: tokens - 1 });
    expect(whole.fidelity?.rows).toBe(tokens);
    for (const { quality, fidelity } of cut) {
      expect(quality).toMatchObject({ baseline: null, positions: tokens - 1 });
      expect((quality?.perplexity ?? NaN) / (whole.quality?.perplexity ?? NaN) - 1).toBeCloseTo(0, 6);
      expect(fidelity?.rows).toBe(tokens);
      expect(fidelity?.maxAbsError).toBeLessThan(1e-5);
    }
  });

  it('have the losses of the whole at 8,192 tokens of the embedded model, four times its trained length', async () => {
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const run: Run = { model, scenario: sinks(64, 4), tokens: 8192, options: { blockSize: 128, verify: 'none' } };
    const [whole, cut] = [combineShards(await measure(run, 1), model, scope), combineShards(await measure(run, 6), model, scope)];
    expect(cut.quality).toMatchObject({ byTraining: { within: { positions: 2048 }, past: { positions: 6143 } } });
    expect((cut.quality?.perplexity ?? NaN) / (whole.quality?.perplexity ?? NaN) - 1).toBeCloseTo(0, 6);
    expect(cut.run.tokens).toBe(8192 + 5 * (6 * 63 + 4));
  });

  it('are compared with the own attention of a model whose own is local', async () => {
    const run: Run = { model: await golden('mistral'), scenario: window(3), tokens };
    const { shape } = run.model;
    const [whole, cut] = await Promise.all(
      [1, 4].map(async (parts) => compared(combineShards(await measure(run, parts), { shape }, scope))),
    );
    expect(whole).toMatchObject({ baseline: { kind: 'sliding-window', window: 8 }, positions: tokens - 1 });
    expect(whole.meanKl).toBeGreaterThan(0.01);
    for (const field of ['perplexity', 'baselinePerplexity', 'meanKl', 'topAgreement'] as const) {
      expect(Math.abs(cut[field] / whole[field] - 1)).toBeLessThan(1e-5);
    }
    // Its own attention in shards differs from itself in nothing.
    const own = combineShards(await measure({ ...run, scenario: window(8) }, 2), { shape }, scope).quality;
    expect(own).toMatchObject({ meanKl: 0, topAgreement: 1 });
  });

  it('score nothing where tokens see those that they are to predict', async () => {
    const model = await golden('llama');
    const measured = await measure({ model, scenario: makeScenario('local-window', { window: 4 }), tokens }, 2);
    expect(combineShards(measured, model, scope).quality).toBeNull();
  });
});
