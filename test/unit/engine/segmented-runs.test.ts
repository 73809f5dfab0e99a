import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { toJson } from '../../../src/core/report/json';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario, type Scenario } from '../../../src/core/scenario/scenario';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { loadModel, openModel } from '../../../src/engine/read/model/load';
import { promptFromText } from '../../../src/engine/read/prompt';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { atlas } from '../../../src/engine/tasks/atlas/atlas';
import { ShardRunner, shardPlan, shardsOf } from '../../../src/engine/tasks/shards/shard-runner';
import { simulate } from '../../../src/engine/tasks/simulate';
import { modelsFolder, sampleText } from '../../support/paths';

/** Query blocks of a segment, where runs are to be cut however short they are. */
const forced = vi.hoisted(() => ({ blocks: 0 }));

vi.mock(import('../../../src/core/plan/segments'), async (original) => {
  const own = await original();
  const segmentsOf: typeof own.segmentsOf = (plan) =>
    forced.blocks === 0 ? own.segmentsOf(plan) : (own.cutPlan(plan, forced.blocks) ?? own.wholeRun(plan));
  return { ...own, segmentsOf };
});

afterEach(() => {
  forced.blocks = 0;
});

const quiet = { signal: new AbortController().signal, onProgress: () => undefined };
const window = makeScenario('sliding-window', { window: 40 });

function run(options: Partial<SimulationOptions>): Promise<RunReport> {
  const given = { ...defaultOptions, blockSize: 32, maxTokens: 301, ...options };
  const calibrations = new CalibrationStore('/nonexistent');
  return simulate(promptFromText('sample', sampleText()), given, { modelsFolder, calibrations, ...quiet });
}

describe('what a run in segments reports', () => {
  it.each<[string, Partial<SimulationOptions>]>([
    ['against a baseline that is cut as well', { scenario: window }],
    ['as its own baseline', {}],
    ['against a dense baseline', { scenario: window, baseline: 'dense' }],
    ['without checks', { scenario: window, verify: 'none' }],
    ['with every row', { scenario: makeScenario('local-window', { window: 40 }), verify: 'dense', maxTokens: 100 }],
  ])('is what the whole run does: %s', async (_name, options) => {
    const whole = await run(options);
    forced.blocks = 2;
    const { prompt, ...found } = await run(options);
    expect(found.run.segments).toBe(Math.ceil(prompt.tokens / 64));
    expect(whole.run.segments).toBeUndefined();
    expect(found.run.layers).toHaveLength(6);
    expect(found.run.calls).toMatchObject({ attention: whole.run.calls.attention, tokenwise: whole.run.calls.tokenwise });
    expect(found.verdict.kind).toBe(whole.verdict.kind);
    expect(found.fidelity?.coverage).toEqual(whole.fidelity?.coverage);
    expect(found.fidelity?.rows).toBe(whole.fidelity?.rows);
    expect(found.fidelity?.lostRows).toBe(whole.fidelity?.lostRows);
    expect(found.quality?.perplexity ?? 0).toBeCloseTo(whole.quality?.perplexity ?? 0, 3);
    expect(found.quality?.meanKl ?? 0).toBeCloseTo(whole.quality?.meanKl ?? 0, 5);
    const report = { prompt, ...found };
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('has the atlas of the whole run, and the same mass cut off', async () => {
    const given: SimulationOptions = { ...defaultOptions, blockSize: 16, maxTokens: 90, scenario: window, quality: false, verify: 'none' };
    const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent'), ...quiet };
    const whole = (await atlas(promptFromText('sample', sampleText()), given, places)).atlas;
    forced.blocks = 2;
    const { atlas: found, run: measured } = await atlas(promptFromText('sample', sampleText()), given, places);
    expect(measured.segments).toBe(3);
    const numbersOf = ({ heads, oracle }: typeof whole): number[] => [
      ...heads.flatMap(({ mass, cut, firstToken, entropy, fewest }) => [mass, cut?.mass ?? [], firstToken ?? NaN, entropy, fewest].flat()),
      ...oracle.kept.map(({ eachBlock }) => eachBlock),
    ];
    const expected = numbersOf(whole);
    expect(Math.max(...numbersOf(found).map((value, index) => Math.abs(value - expected[index])))).toBeLessThan(1e-4);
  });

  it('is what the whole one does of a shard, whose halo has segments of its own', async () => {
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const own = { ...defaultOptions, blockSize: 16, scenario: makeScenario('attention-sink', { window: 9, sinks: 2 }) as Scenario };
    const plan = makePlan(planRequest(160, model.shape, own));
    const tokens = Int32Array.from({ length: 160 }, (_, index) => 3 + ((index * 37) % 4000));
    const runner = new ShardRunner(model, await openDevice('cpu', 1), { plan, tokens }, own);
    const shard = shardsOf(plan, 2)[1];
    expect(shardPlan(plan, shard.reads).blocks).toBeGreaterThan(6);
    const whole = await runner.run(shard, quiet);
    forced.blocks = 2;
    const found = await runner.run(shard, quiet);
    await runner.release();
    expect(found.fidelity).toMatchObject({ wrongRows: [], wrongHalos: [], coverage: whole.fidelity?.coverage });
    expect(found.calls.attention).toBe(whole.calls.attention);
  });
});
