import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Construction } from '../../../src/core/construct/construction';
import { defaultOptions } from '../../../src/core/options/table';
import { type LayerPlan, planLayers } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import type { Fidelity } from '../../../src/core/report/report';
import { runVerdict, type Verdict } from '../../../src/core/report/verdict';
import { wholePrompt } from '../../../src/core/shards/cut';
import type { LayerScenario } from '../../../src/core/scenario/scenario';
import { compiledForward } from '../../../src/engine/attend/compiled/forward';
import { forward } from '../../../src/engine/attend/forward';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import type { Oracle } from '../../../src/engine/attend/tiles/oracle';
import { DrawnRows } from '../../../src/engine/attend/verify/drawn-rows';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import { Probe } from '../../../src/engine/attend/verify/probe';
import { randomModel } from '../../../src/engine/read/model/random-model';
import { haloFaults, qualityFaults } from '../../support/faults/around';
import { blackBoxFaults } from '../../support/faults/black-box';
import { float16Functions, functionFaults, planFaults, scenarioFault } from '../../support/faults/compiled';
import { type Fault, type FaultKind, faultKinds, replaced } from '../../support/faults/fault';
import { modelFaults } from '../../support/faults/model';
import { tileFaults, wrongRowOf } from '../../support/faults/tiles';

const shape = { layers: 2, heads: 4, keyValueHeads: 2, headWidth: 8, width: 32, feedForwardWidth: 16, vocabulary: 90 };
const tokens = Int32Array.from({ length: 90 }, (_, position) => (position * 37) % 90);
const blockSize = 16;
const model = randomModel(shape, { seed: 3, scoreScale: 0.1, variety: 1 });

const window = { kind: 'sliding-window', window: 12 } as const;
const sinks = { kind: 'attention-sink', window: 9, sinks: 3 } as const;
const scenarios: Readonly<Record<string, LayerScenario>> = {
  causal: { kind: 'causal' },
  window: { kind: 'sliding-window', window: 40 },
  sinks: { kind: 'attention-sink', window: 30, sinks: 5 },
  written: { kind: 'custom', expression: 'k <= q and (q - k < 20 or k % 7 == 0)' },
  'average-case': { kind: 'average-case', seed: 5 },
};
/** Under a black box, windows are shorter than M, and masks are not written. */
const blackBoxScenarios: Readonly<Record<string, LayerScenario>> = {
  causal: { kind: 'causal' },
  window,
  sinks,
  'average-case': { kind: 'average-case', seed: 5 },
};

function planOf(scenario: LayerScenario, construction: Construction = 'fused'): LayerPlan {
  const request = planRequest(tokens.length, shape, { ...defaultOptions, scenario, blockSize, construction });
  // Two tiles in a native run: sums are carried from one to the next.
  return planLayers({ ...request, scenario, scoreBytes: 2 * 4 * blockSize ** 2 });
}

/** What a run gave: its checks, and all its attention, to see whether a fault changed anything. */
interface Outcome {
  readonly fidelity: Fidelity;
  /** Of each layer `[H, N, m]` and `[H, N]`. */
  readonly attention: readonly { readonly out: Float32Array; readonly logNormaliser: Float64Array }[];
}

describe('faults put into runs', () => {
  let device: Device;
  let oracle: OnnxOracle;
  const injected = new Map<FaultKind | 'some rows', number>();
  const found = new Map<FaultKind | 'some rows', number>();
  const inFloat16 = { injected: new Map<FaultKind | 'some rows', number>(), found: new Map<FaultKind | 'some rows', number>() };
  beforeAll(async () => {
    device = await openDevice('cpu', 1);
    oracle = new OnnxOracle(model, blockSize, device);
  });
  afterAll(() => oracle.release());

  /** Runs a plan as `simulate` does by default, with a fault in it. */
  async function outcome(
    plan: LayerPlan,
    executor: 'tiles' | 'compiled' | 'float16',
    fault: Omit<Fault, 'kind'> = {},
    seed = 11,
  ): Promise<Outcome> {
    const { signal } = new AbortController();
    const precision = executor === 'float16' ? executor : 'float32';
    const tokenwise = { model, tokens, positions: wholePrompt(tokens.length), streams: true };
    const check = new FidelityCheck(plan, { rows: 'drawn', seed, precision, accumulation: 'float32', threads: 1, signal, tokenwise });
    const functions = fault.functions ?? (executor === 'float16' ? float16Functions : undefined);
    const attention: { out: Float32Array; logNormaliser: Float64Array }[] = [];
    const pass = {
      ...(fault.run?.({ model, tokens }) ?? { model, tokens }),
      plan: fault.plan?.(plan) ?? plan,
      clock: new PhaseClock(),
      signal,
      onProgress: () => undefined,
      inspect: async (...given: Parameters<FidelityCheck['inspect']>) => {
        attention.push({ out: given[2].out.data.slice(), logNormaliser: given[2].logNormaliser.slice() });
        await check.inspect(...given);
      },
      probe: check.probe,
    };
    try {
      const hidden = await (executor === 'tiles'
        ? forward({ ...pass, oracle: fault.oracle?.(oracle) ?? oracle })
        : compiledForward({ ...pass, oracle, precision: 'float32', ...(functions && { functions }) }));
      check.inspectStream(hidden);
      return { fidelity: check.result(), attention };
    } finally {
      await check.release();
    }
  }

  /** The last residual stream of a clean run. */
  const streamOf = (plan: LayerPlan): Promise<Float32Array> =>
    forward({ model, plan, tokens, oracle, clock: new PhaseClock(), signal: new AbortController().signal, onProgress: () => undefined });

  /** Puts faults in, one at a time; those that change nothing do not count. @returns those that were not found */
  async function missed(plan: LayerPlan, executor: 'tiles' | 'compiled' | 'float16', faults: readonly Fault[]): Promise<string[]> {
    const clean = await outcome(plan, executor);
    expect(isFound(clean)).toBe(false);
    const escaped: string[] = [];
    for (const [index, fault] of faults.entries()) {
      const faulty = await outcome(plan, executor, fault);
      const extent = extentOf(clean, faulty, fault.layer);
      if (extent === 'nothing') {
        continue;
      }
      const counted = extent === 'some rows' ? 'some rows' : fault.kind;
      const counts = executor === 'float16' ? inFloat16 : { injected, found };
      counts.injected.set(counted, (counts.injected.get(counted) ?? 0) + 1);
      if (isFound(faulty)) {
        counts.found.set(counted, (counts.found.get(counted) ?? 0) + 1);
      } else if (counted !== 'some rows') {
        escaped.push(`${index}: ${fault.kind}`);
      }
    }
    return escaped;
  }

  /** Native runs of a head. */
  async function runsOfHead(plan: LayerPlan): Promise<number> {
    let runs = 0;
    const counting = (inner: Oracle): Oracle =>
      replaced(inner, {
        attend: (run) => ((runs += 1), inner.attend(run)),
        attendOn: (run) => ((runs += 1), inner.attendOn(run)),
        uncounted: (work) => {
          const before = runs;
          return inner.uncounted(work).finally(() => (runs = before));
        },
      });
    await outcome(plan, 'tiles', { oracle: counting });
    return runs / (shape.heads * shape.layers);
  }

  it.each(Object.keys(scenarios))('are found tile by tile under %s', async (name) => {
    const plan = planOf(scenarios[name]);
    const runs = await runsOfHead(plan);
    const faults = [0, 1, 2, 4].flatMap((place) => {
      const index = Math.min(runs - 1, Math.floor((place * runs) / 5));
      const only = [undefined, { layer: 0, head: 1 }, { layer: 1, head: 2 }, { layer: 1, head: 3 }][place % 4];
      return tileFaults({ index, only }, shape.heads, runs);
    });
    expect(await missed(plan, 'tiles', faults)).toEqual([]);
  });

  it.each(Object.keys(blackBoxScenarios).flatMap((name) => (['tight', 'paper'] as const).map((construction) => ({ name, construction }))))(
    'are found under $construction, $name',
    async ({ name, construction }) => {
      const plan = planOf(blackBoxScenarios[name], construction);
      const masked = name !== 'average-case';
      const faults = [...blackBoxFaults({ index: 2 }, masked), ...blackBoxFaults({ index: 5, only: { layer: 1, head: 1 } }, masked)];
      expect(await missed(plan, 'tiles', faults)).toEqual([]);
    },
  );

  it.each(['causal', 'sinks', 'average-case'])('are found in compiled layers under %s', async (name) => {
    const faults = functionFaults(blockSize, shape.keyValueHeads);
    expect(await missed(planOf(scenarios[name]), 'compiled', faults)).toEqual([]);
  });

  it.each(['causal', 'sinks', 'average-case'])('are found in products of float16 under %s', async (name) => {
    const faults = functionFaults(blockSize, shape.keyValueHeads, 'float16');
    expect(await missed(planOf(scenarios[name]), 'float16', faults)).toEqual([]);
  });

  it.each(['tiles', 'compiled'] as const)('are found in work token by token, %s', async (executor) => {
    expect(await missed(planOf(scenarios.window), executor, modelFaults)).toEqual([]);
  });

  it.each(['window', 'sinks'] as const)('are found in what shards read under %s, and in quality', async (name) => {
    const plan = { ...planOf(blackBoxScenarios[name]), scenario: blackBoxScenarios[name] };
    const given = { model, oracle, device, tokens };
    const [hidden, baseline] = [await streamOf(plan), await streamOf(planOf(scenarios.causal))];
    for (const { kind, isChanged, isFound } of [
      ...(await haloFaults({ ...given, plan })),
      ...(await qualityFaults(given, hidden, baseline)),
    ]) {
      if (kind === 'none' || isChanged) {
        expect({ kind, isFound }).toEqual({ kind, isFound: kind !== 'none' });
      }
      if (kind !== 'none' && isChanged) {
        [injected, found].forEach((counts) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
      }
    }
  });

  it.each(['tiles', 'compiled'] as const)('are found in plans, %s', async (executor) => {
    const offByOne = (scenario: LayerScenario): Fault[] =>
      [1, -1].map((by) =>
        scenarioFault(
          'a mask off by one key',
          (own) => ('window' in own ? { ...own, window: own.window + by } : own),
          () => planOf('window' in scenario ? { ...scenario, window: scenario.window + by } : scenario),
        ),
      );
    for (const name of executor === 'tiles' ? ['window', 'sinks', 'written'] : ['window', 'written']) {
      expect(
        await missed(planOf(scenarios[name]), executor, [
          ...(name === 'written' ? [] : offByOne(scenarios[name])),
          ...planFaults(2),
          ...planFaults(5),
        ]),
      ).toEqual([]);
    }
  });

  it.each(Object.keys(scenarios))('are not reported where there are none, under %s and other seeds', async (name) => {
    for (const seed of [1, 2, 3]) {
      expect(isFound(await outcome(planOf(scenarios[name]), 'tiles', {}, seed))).toBe(false);
    }
  });

  describe('in the checks themselves', () => {
    afterEach(() => vi.restoreAllMocks());

    const verdictOf = async (): Promise<Verdict> => {
      const plan = planOf(scenarios.causal);
      const { fidelity } = await outcome(plan, 'tiles');
      return runVerdict({ ...plan, fidelity, sampling: null, quality: null, native: true, precision: 'float32' });
    };

    it('are not there by default', async () => {
      expect(await verdictOf()).toMatchObject({ kind: 'exact' });
    });

    it('are found where the probe is never due', async () => {
      vi.spyOn(Probe.prototype, 'due').mockReturnValue([]);
      expect(await verdictOf()).toMatchObject({ kind: 'failed', reason: 'The check did not look at 1 of 1 kinds of layer by the probe.' });
    });

    it('are found where one layer is left out', async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
      const { inspect } = FidelityCheck.prototype;
      vi.spyOn(FidelityCheck.prototype, 'inspect').mockImplementation(function (this: FidelityCheck, layer, ...given) {
        return layer === 0 ? inspect.call(this, layer, ...given) : Promise.resolve();
      });
      expect(await verdictOf()).toMatchObject({ kind: 'failed', reason: 'The check did not look at 1 of 2 layers.' });
    });

    it('are found where rows are drawn of the first block only', async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
      const { of: drawn } = DrawnRows.prototype;
      vi.spyOn(DrawnRows.prototype, 'of').mockImplementation(function (this: DrawnRows, ...given) {
        const [first] = drawn.call(this, ...given);
        return [first, first + 1];
      });
      expect(await verdictOf()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('40 of 48 query blocks') as string });
    });
  });

  it('stand in docs/verification.md as they were counted', async () => {
    const count = (of: ReadonlyMap<string, number>, kind: string): number => of.get(kind) ?? 0;
    const rows = faultKinds.map((kind) => `| ${kind} | ${count(injected, kind)} | ${count(found, kind)} |`);
    const total = (of: ReadonlyMap<string, number>): number => faultKinds.reduce((sum, kind) => sum + count(of, kind), 0);
    const single = await singleRows();
    const table = [
      '| fault | put in | found |',
      '| --- | ---: | ---: |',
      ...rows,
      `| any of these, in products of float16 | ${total(inFloat16.injected)} | ${total(inFloat16.found)} |`,
      `| **together** | **${total(injected) + total(inFloat16.injected)}** | **${total(found) + total(inFloat16.found)}** |`,
      `| some rows of a block, in one head of one layer | ${count(injected, 'some rows')} | ${count(found, 'some rows')} |`,
      `| one row, in one head of one layer | ${single.injected} | ${single.found} |`,
    ].join('\n');
    expect(total(injected)).toBeGreaterThanOrEqual(200);
    expect(total(found)).toBe(total(injected));
    expect(readFileSync('docs/verification.md', 'utf8')).toContain(table);
  });

  /** What only a draw can find: a row of a head, of which one in M is looked at. */
  async function singleRows(): Promise<{ injected: number; found: number }> {
    const plan = planOf(scenarios.window);
    const runs = await runsOfHead(plan);
    let hits = 0;
    for (let row = 0; row < blockSize; row += 1) {
      const place = { index: runs - 1, only: { layer: 1, head: row % shape.heads } };
      hits += isFound(await outcome(plan, 'tiles', { oracle: wrongRowOf(place, row % 10, shape.heads, runs) })) ? 1 : 0;
    }
    return { injected: blockSize, found: hits };
  }
});

/**
 * What a fault changed: nothing; only some rows of the query blocks that it touched, in a head or two of one layer; or more.
 *
 * @param layer that it is in, if it is in one
 */
function extentOf(clean: Outcome, faulty: Outcome, layer: number | undefined): 'nothing' | 'some rows' | 'more' {
  // Sums in another order are no fault: a query block whose sums a fault made overflow is computed again, tile by tile.
  const differs = (one: number, other: number): boolean => !(Math.abs(one - other) <= 1e-5);
  const isChanged = (at: number, row: number): boolean => {
    const [one, other] = [clean.attention[at], faulty.attention[at]];
    const from = row * shape.headWidth;
    return (
      differs(one.logNormaliser[row], other.logNormaliser[row]) ||
      one.out.subarray(from, from + shape.headWidth).some((value, column) => differs(value, other.out[from + column]))
    );
  };
  const rows = Array.from({ length: shape.heads * tokens.length }, (_, row) => row);
  if (layer === undefined) {
    return clean.attention.some((_, at) => rows.some((row) => isChanged(at, row))) ? 'more' : 'nothing';
  }
  const blockOf = (row: number): number => Math.floor((row % tokens.length) / blockSize) + 100 * Math.floor(row / tokens.length);
  const changed = rows.filter((row) => isChanged(layer, row));
  const touched = new Set(changed.map(blockOf));
  const inTouched = rows.filter((row) => touched.has(blockOf(row)));
  return changed.length === 0 ? 'nothing' : changed.length < inTouched.length ? 'some rows' : 'more';
}

function isFound({ fidelity: { wrongRows, probe, tokenwise } }: Outcome): boolean {
  return [wrongRows, probe?.wrongRows, tokenwise?.wrongRows].some((rows) => (rows?.length ?? 0) > 0);
}
