import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { blockArithmetic, blockCost } from '../../../src/core/hints/hints';
import { tileCost } from '../../../src/core/hints/tile-cost';
import { readScenario } from '../../../src/core/options/read';
import { defaultOptions } from '../../../src/core/options/table';
import { cacheOf } from '../../../src/core/plan/cache';
import { callOrder } from '../../../src/core/plan/call-order';
import { callsOfBlocks, isNativePlan, layerParts, makePlan, partsOfHeads, type Plan, summarise } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { requestCost } from '../../../src/core/plan/request-cost';
import { queryBlockAt } from '../../../src/core/plan/query-blocks';
import { parseHeads, parseScenario, scenarioText } from '../../../src/core/scenario/parse';
import {
  type LayerScenario,
  makeChoice,
  maskOf,
  parametersOf,
  perHead,
  reachesOf,
  type Scenario,
  scenarioLabel,
} from '../../../src/core/scenario/scenario';
import type { ModelShape } from '../../../src/core/shapes';
import { scenarios } from '../../support/arbitrary';
import { smallModel } from '../../support/shapes';

const model: ModelShape = { ...smallModel, heads: 6, keyValueHeads: 3 };
const cycles = fc.array(
  scenarios.filter(({ kind }) => kind !== 'average-case'),
  { minLength: 1, maxLength: 7 },
);
const sizes = fc.record({ tokens: fc.integer({ min: 1, max: 60 }), blockSize: fc.integer({ min: 2, max: 40 }) });

function planOf(cycle: readonly LayerScenario[], { tokens, blockSize }: { tokens: number; blockSize: number }, more = {}): Plan {
  return makePlan(planRequest(tokens, model, { ...defaultOptions, blockSize, scenario: perHead(cycle), ...more }));
}

const windows = parseHeads('causal,sliding-window:8,sliding-window:30') as Scenario;

describe('a scenario for each head', () => {
  it('gives head h the h-th of the cycle, which reads every visible pair in one tile', () => {
    fc.assert(
      fc.property(cycles, sizes, (cycle, size) => {
        const plan = planOf(cycle, size);
        const parts = layerParts(plan);
        const [heads, ...layers] = partsOfHeads(plan);
        layers.forEach((others) => expect(others).toEqual(heads));
        heads.forEach((part, head) => {
          const own = parts[part].plan;
          const wanted = cycle[head % cycle.length];
          expect(scenarioLabel(own.scenario)).toBe(scenarioLabel(wanted));
          const { allows } = maskOf(wanted, size.tokens);
          let [pairs, readOnce] = [0, 0];
          for (let query = 0; query < size.tokens; query += 1) {
            const { runs } = queryBlockAt(own.queryBlocks, Math.floor(query / size.blockSize));
            for (let key = 0; key < size.tokens; key += 1) {
              const block = Math.floor(key / size.blockSize);
              if (allows(query, key)) {
                pairs += 1;
                readOnce += runs.filter(({ from, to }) => from <= block && block < to).length === 1 ? 1 : 0;
              }
            }
          }
          expect([own.visiblePairs, readOnce]).toEqual([pairs, pairs]);
        });
      }),
      { numRuns: 20 },
    );
  });

  it.each(['fused', 'tight'] as const)('costs what its heads cost under %s, and token by token what a layer does', (construction) => {
    fc.assert(
      fc.property(cycles, sizes, fc.integer({ min: 1, max: 3 }), (cycle, size, oracleHeads) => {
        const plan = planOf(cycle, size, { construction, oracleHeads });
        const kinds = new Map<string, { scenario: LayerScenario; heads: number }>();
        for (let head = 0; head < model.heads; head += 1) {
          const scenario = cycle[head % cycle.length];
          const label = scenarioLabel(scenario);
          kinds.set(label, { scenario, heads: (kinds.get(label)?.heads ?? 0) + 1 });
        }
        const alone = [...kinds.values()].map(({ scenario, heads }) =>
          makePlan(
            planRequest(
              size.tokens,
              { ...model, heads, keyValueHeads: 1 },
              { ...defaultOptions, ...size, scenario, construction, oracleHeads },
            ),
          ),
        );
        const sum = (of: (one: Plan) => number): number => alone.reduce((total, one) => total + of(one), 0);
        expect(plan.calls.attention).toBe(sum(({ calls }) => calls.attention));
        expect(plan.bound.calls).toBe(sum(({ bound }) => bound.calls));
        expect(plan.flopsByPhase.attend).toBe(sum(({ flopsByPhase }) => flopsByPhase.attend));
        expect(plan.flopsByPhase.attendVisible).toBe(sum(({ flopsByPhase }) => flopsByPhase.attendVisible));
        const uniform = planOf([{ kind: 'causal' }], size);
        expect(plan.calls.tokenwise).toBe(uniform.calls.tokenwise);
        expect(plan.flopsByPhase).toMatchObject({
          project: uniform.flopsByPhase.project,
          outputAndMlp: uniform.flopsByPhase.outputAndMlp,
          attendDense: uniform.flopsByPhase.attendDense,
        });
        expect(plan.bytesByUse.weights).toBe(uniform.bytesByUse.weights);
        expect(plan.bytesByUse.activations).toBe(uniform.bytesByUse.activations);
        expect(plan.rounds).toBe(model.layers);
        const { calls, flopsByPhase, bytes, bound } = requestCost(plan);
        expect({ calls, flopsByPhase, bytes, bound }).toEqual({
          calls: plan.calls,
          flopsByPhase: plan.flopsByPhase,
          bytes: plan.bytes,
          bound: plan.bound,
        });
        expect(callsOfBlocks(plan, 0, plan.blocks)).toBe(plan.calls.attention);
        const shares = Array.from({ length: plan.blocks }, (_, block) => blockCost(plan, block).share);
        expect(shares.reduce((total, share) => total + share, 0)).toBeCloseTo(1, 9);
      }),
      { numRuns: 60 },
    );
  });

  it('tells which heads read a tile, and plays them one kind after another', () => {
    const plan = makePlan(planRequest(100, model, { ...defaultOptions, blockSize: 10, scenario: windows }));
    expect(tileCost(plan, 9, 0, null)).toMatchObject({ layers: 3, heads: [0, 3] });
    expect(tileCost(plan, 9, 7, null)).toMatchObject({ layers: 3, heads: [0, 2, 3, 5] });
    expect(tileCost(plan, 9, 9, null)).not.toHaveProperty('heads');
    // Of the last block 10 tiles in two heads, 2 in two, and 4 in two: 32 in each of three layers.
    expect(blockArithmetic(plan, 9)).toContain('96 tiles of all heads ÷ 6 instances a call');
    const order = callOrder(plan);
    const played = Array.from({ length: order.steps }, (_, step) => order.at(step).heads?.join());
    expect([...new Set(played)]).toEqual(['0,3', '1,4', '2,5']);
    expect(summarise(plan).parts.map(({ heads }) => heads)).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it('leaves layers without attention as they are', () => {
    const attending = { heads: 6, keyValueHeads: 3, headWidth: 6, feedForwardWidth: 20 };
    const idle = { heads: 0, keyValueHeads: 0, headWidth: 6, feedForwardWidth: 10, projection: 333 };
    const mixed: ModelShape = {
      ...model,
      kinds: [
        { ...attending, layers: [0, 2] },
        { ...idle, layers: [1] },
      ],
    };
    const of = (scenario: Scenario): Plan => makePlan(planRequest(100, mixed, { ...defaultOptions, blockSize: 10, scenario }));
    const [plan, uniform] = [of(windows), of({ kind: 'causal' })];
    expect(plan.parts.map(({ layers, heads }) => [layers, heads])).toEqual([
      [
        [0, 2],
        [0, 3],
      ],
      [
        [0, 2],
        [1, 4],
      ],
      [
        [0, 2],
        [2, 5],
      ],
      [[1], undefined],
    ]);
    expect([plan.calls.tokenwise, plan.rounds]).toEqual([uniform.calls.tokenwise, uniform.rounds]);
    expect([plan.flopsByPhase.project, plan.flopsByPhase.outputAndMlp]).toEqual([
      uniform.flopsByPhase.project,
      uniform.flopsByPhase.outputAndMlp,
    ]);
    expect(requestCost(plan).calls).toEqual(plan.calls);
  });

  it('keeps for a key-value head what any of its query heads can see', () => {
    const plan = makePlan(planRequest(100, model, { ...defaultOptions, scenario: windows }));
    // Query heads 0 and 1 share a key-value head, 2 and 3, 4 and 5: the last pair sees 30 tokens at most.
    expect(cacheOf(plan)?.kinds).toEqual([
      { layers: 3, tokens: 100, width: 2 * 2 * 6 },
      { layers: 3, tokens: 30, width: 2 * 6 },
    ]);
  });

  it('is one of all heads where they are alike, and the model’s own where they all see that', () => {
    expect(perHead([{ kind: 'causal' }, { kind: 'causal' }])).toEqual({ kind: 'causal' });
    const wide = perHead([{ kind: 'causal' }, { kind: 'sliding-window', window: 500 }]);
    expect(isNativePlan({ scenario: wide, construction: 'fused', model, tokens: 400 })).toBe(true);
    expect(isNativePlan({ scenario: wide, construction: 'fused', model, tokens: 600 })).toBe(false);
  });

  it('is read back from text, parameters and reports', () => {
    const text = 'per-head:causal/custom:k <= q and q // 9 == k // 9/attention-sink:20:3';
    const scenario = parseScenario(text);
    expect(scenarioText(scenario)).toBe(text);
    expect(makeChoice('per-head', parametersOf(scenario))).toEqual(scenario);
    expect(readScenario(scenario, 'scenario')).toEqual(scenario);
    expect(scenarioLabel(windows)).toBe('per-head(causal, sliding-window(window 8), sliding-window(window 30))');
  });

  it.each([
    [() => parseScenario('per-head:causal/average-case'), 'cannot be one of several in a cycle of heads'],
    [() => parseScenario('per-head:causal/native'), 'names native, which is a scenario of all layers; name one for each head'],
    [() => parseScenario('per-head:causal/per-head:full'), 'names per-head, which is a scenario of all layers'],
    [() => perHead([]), 'A cycle of 0 heads is not possible'],
    [() => reachesOf(windows, 3), 'the heads of a layer see differently'],
    [
      () => planOf([{ kind: 'causal' }, { kind: 'full' }], { tokens: 40, blockSize: 9 }, { construction: 'paper' }),
      'one scenario in all layers and heads',
    ],
  ])('is refused where it cannot be: %#', (make, message) => {
    expect(make).toThrow(InputError);
    expect(make).toThrow(new RegExp(message));
  });
});
