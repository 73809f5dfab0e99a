import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { cutPlan, type Segments, wholeRun } from '../../../src/core/plan/segments';
import { missingOf } from '../../../src/core/report/coverage';
import { runVerdict, type Verdict } from '../../../src/core/report/verdict';
import { perLayer, type Scenario } from '../../../src/core/scenario/scenario';
import { type InspectLayer, joinedRows } from '../../../src/engine/attend/forward';
import { passOf } from '../../../src/engine/attend/pass';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import type { LoadedModel } from '../../../src/engine/read/model/load';
import { goldenModel } from './malformed/golden-copy';

const blockSize = 8;
const { signal } = new AbortController();

interface Outcome {
  readonly hidden: Float32Array;
  readonly calls: { readonly attention: number; readonly tokenwise: number };
  readonly verdict: Verdict;
  readonly rows: number;
  readonly probeRows: number | undefined;
  readonly missing: string | undefined;
}

function planOf(model: LoadedModel, scenario: Scenario, length = 90): Plan {
  const request = planRequest(length, model.shape, { ...defaultOptions, scenario, blockSize });
  // Two tiles in a native run: sums are carried from one to the next.
  return makePlan({ ...request, scoreBytes: 2 * 4 * blockSize ** 2 });
}

/** Runs a model and checks it, whole or in segments. @param spoil what may change its tensors before they are inspected */
async function run(model: LoadedModel, plan: Plan, segments: Segments, spoil?: InspectLayer): Promise<Outcome> {
  const tokens = Int32Array.from({ length: plan.tokens }, (_, index) => 3 + ((index * 37) % (model.shape.vocabulary - 4)));
  const device = await openDevice('cpu', 1);
  const oracle = new OnnxOracle(model, blockSize, device, tokens.length);
  const check = FidelityCheck.ofRun(plan, 'rows', { tokens, model, device, precision: 'float32', signal });
  try {
    const inspect: InspectLayer = async (...given) => {
      await spoil?.(...given);
      await check.inspect(...given);
    };
    const given = { model, plan, tokens, segments, oracle, clock: new PhaseClock(), signal, onProgress: () => undefined };
    let hidden: Float32Array = new Float32Array();
    for await (const part of passOf('tiles', 'float32')({ ...given, inspect, probe: check.probe })) {
      check.inspectStream(part.rows, part.from);
      hidden = joinedRows(hidden, part, plan);
    }
    const fidelity = check.result();
    const { attention, tokenwise } = oracle.calls;
    return {
      hidden,
      calls: { attention, tokenwise },
      verdict: runVerdict({ ...plan, fidelity, sampling: null, quality: null, native: false, precision: 'float32' }),
      rows: fidelity.rows,
      probeRows: fidelity.probe?.rows,
      missing: fidelity.coverage && missingOf({ ...fidelity.coverage, predictions: undefined }),
    };
  } finally {
    await check.release();
    await oracle.release();
  }
}

function cutOf(plan: Plan, blocks: number): Segments {
  const segments = cutPlan(plan, blocks);
  if (segments === undefined) {
    throw new Error('The plan cannot be cut.');
  }
  return segments;
}

/** The largest difference of two streams, relative to the largest number. */
function differenceOf(one: Float32Array, other: Float32Array): number {
  const largest = other.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return one.reduce((most, x, index) => Math.max(most, Math.abs(x - other[index])), 0) / largest;
}

const windows: Scenario = { kind: 'sliding-window', window: 13 };
const sinks: Scenario = { kind: 'attention-sink', window: 13, sinks: 3 };
const written: Scenario = { kind: 'custom', expression: 'k <= q and (q - k < 12 or k % 29 == 0)' };
const ahead: Scenario = { kind: 'local-window', window: 11 };

describe('a run in segments', () => {
  it.each<[string, Scenario, string]>([
    ['llama', windows, 'rotates keys'],
    ['llama', sinks, 'keeps its sinks'],
    ['llama', ahead, 'looks ahead'],
    ['llama', { kind: 'causal' }, 'keeps all keys'],
    ['llama', perLayer([sinks, ahead]), 'has layers that wait and layers that do not'],
    ['llama', written, 'keeps keys that are far apart'],
    ['bloom', sinks, 'has the positions of ALiBi'],
    ['gpt-oss', sinks, 'has learned sinks'],
    ['gemma2', windows, 'bends scores'],
  ])('of %s under %o is the whole one: it %s', async (name, scenario) => {
    const model = await goldenModel(name);
    const plan = planOf(model, scenario);
    const whole = await run(model, plan, wholeRun(plan));
    for (const blocks of [1, 4]) {
      const segments = cutOf(plan, blocks);
      const found = await run(model, plan, segments);
      expect(segments.steps.length).toBeGreaterThan(1);
      expect(differenceOf(found.hidden, whole.hidden)).toBeLessThan(1e-5);
      expect(found).toMatchObject({ calls: whole.calls, rows: whole.rows, probeRows: 90, missing: undefined, verdict: { kind: 'exact' } });
      expect(found.calls).toEqual({ attention: plan.calls.attention, tokenwise: plan.calls.tokenwise });
    }
  });

  it('is found wrong where keys were held that another row has', async () => {
    const model = await goldenModel('llama');
    const plan = planOf(model, sinks);
    const swap: InspectLayer = (layer, { key }, _attended, _stream, { queries }) => {
      // Held for the next step: what is before it was attended already.
      if (layer === 0 && queries.from === 32) {
        key.data.copyWithin(0, key.width, 2 * key.width);
      }
      return Promise.resolve();
    };
    const segments = cutOf(plan, 4);
    expect((await run(model, plan, segments, swap)).verdict.kind).toBe('failed');
    expect((await run(model, plan, segments)).verdict.kind).toBe('exact');
  });

  it('is found wrong where a step holds fewer keys than rows see, or rows are left out', async () => {
    const model = await goldenModel('llama');
    const plan = planOf(model, windows);
    const { steps, ...room } = cutOf(plan, 4);
    const ended = await run(model, plan, { ...room, steps: steps.slice(0, -1) });
    expect(ended.missing).toMatch(/^The check did not look at/);
    expect(ended.verdict.kind).toBe('failed');
    // A block less is held, and the plan does not read it either: the predicate knows better.
    const narrow = planOf(model, { kind: 'sliding-window', window: 4 });
    const held = cutOf(narrow, 4);
    const parts = { tiles: narrow.tiles, queryBlocks: narrow.queryBlocks, instances: narrow.instances };
    expect((await run(model, { ...plan, ...parts }, held)).verdict.kind).toBe('failed');
  });

  it('rotates for the length of the whole prompt', async () => {
    const golden = await goldenModel('llama');
    const scaling = { type: 'dynamic', factor: 4, trainedTokens: 24 } as const;
    const rotary = { theta: 10_000, scaling };
    const model = { ...golden, layers: golden.layers.map((layer) => ({ ...layer, rotary })) };
    const plan = planOf(model, sinks);
    const whole = await run(model, plan, wholeRun(plan));
    const found = await run(model, plan, cutOf(plan, 4));
    expect(differenceOf(found.hidden, whole.hidden)).toBeLessThan(1e-5);
    expect(differenceOf(found.hidden, (await run(golden, plan, wholeRun(plan))).hidden)).toBeGreaterThan(1e-4);
  });
});
