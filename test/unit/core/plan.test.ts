import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockCost, planArithmetic } from '../../../src/core/hints/hints';
import { defaultOptions } from '../../../src/core/options/table';
import { blockEnd, blockStart, partition } from '../../../src/core/plan/partition';
import { isNativeScenario, layerParts, makePlan, type Plan, summarise } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import type { TileKind } from '../../../src/core/plan/tiles';
import { expectedMemory } from '../../../src/core/predict/memory';
import {
  isSampled,
  type LayerScenario,
  makeScenario,
  maskOf,
  perLayer,
  type Scenario,
  scenarioLabel,
} from '../../../src/core/scenario/scenario';
import { runs, scenarios, settings } from '../../support/arbitrary';
import { planOf, smallModel } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

describe('tiles', () => {
  it('are what the predicate makes them, pair by pair', () => {
    fc.assert(
      fc.property(settings, (setting) => {
        const plan = planOf(setting);
        const cut = partition(setting.tokens, setting.blockSize);
        const mask = maskOf(setting.scenario, setting.tokens);
        fc.pre(!isSampled(setting.scenario));
        queryBlocksOf(plan).forEach(({ runs: tileRuns }, queryBlock) => {
          const derived = new Map<number, TileKind>();
          for (const { from, to, kind } of tileRuns) {
            for (let keyBlock = from; keyBlock < to; keyBlock += 1) {
              expect(derived.has(keyBlock)).toBe(false);
              derived.set(keyBlock, kind);
            }
          }
          for (let keyBlock = 0; keyBlock < cut.blocks; keyBlock += 1) {
            let visible = 0;
            let pairs = 0;
            for (let query = blockStart(cut, queryBlock); query < blockEnd(cut, queryBlock); query += 1) {
              for (let key = blockStart(cut, keyBlock); key < blockEnd(cut, keyBlock); key += 1) {
                pairs += 1;
                visible += mask.allows(query, key) ? 1 : 0;
              }
            }
            const expected = visible === 0 ? undefined : visible === pairs ? 'full' : 'partial';
            expect(derived.get(keyBlock)).toBe(expected);
          }
        });
      }),
      runs,
    );
  });

  it('sample one block of keys per query block in the average case', () => {
    const plan = planOf({ tokens: 70, blockSize: 16, scenario: makeScenario('average-case') });
    expect(queryBlocksOf(plan).map(({ runs: [run] }) => run)).toEqual(
      [0, 1, 2, 3, 4].map((from) => ({ from, to: from + 1, kind: 'sampled' })),
    );
  });
});

describe('plans', () => {
  it.each([
    ['causal', { kind: 'causal' }, undefined, true],
    ['a window that covers the prompt', { kind: 'sliding-window', window: 40 }, undefined, true],
    ['a window and sinks that do', { kind: 'attention-sink', window: 36, sinks: 4 }, undefined, true],
    ['a shorter window', { kind: 'sliding-window', window: 39 }, undefined, false],
    ['a window that covers it both ways', { kind: 'local-window', window: 200 }, undefined, false],
    ['causal, of a model with a long window', { kind: 'causal' }, { kind: 'sliding-window', window: 41 }, true],
    ['a cycle of what is alike here', perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 40 }]), undefined, true],
    ['a cycle with a shorter window', perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 39 }]), undefined, false],
  ] satisfies [string, Scenario, Scenario | undefined, boolean][])(
    'are the model’s own attention by their masks, not their names: %s',
    (_, scenario, attention, native) => {
      const model = attention === undefined ? smallModel : { ...smallModel, attention };
      expect(isNativeScenario({ scenario, model, tokens: 40 })).toBe(native);
    },
  );

  it('count tiles and calls from their runs, and give every call to one block', () => {
    const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(settings, oracles, (setting, oracle) => {
        const plan = planOf(setting, oracle);
        const tiles = queryBlocksOf(plan).reduce((sum, { runs: own }) => sum + own.reduce((count, run) => count + run.to - run.from, 0), 0);
        expect(plan.tiles).toBe(tiles);
        expect(plan.tilesByKind.full + plan.tilesByKind.partial + plan.tilesByKind.sampled).toBe(tiles);
        expect(plan.calls.attention).toBe(smallModel.layers * Math.ceil((tiles * smallModel.heads) / (oracle.layers * oracle.heads)));
        expect(plan.calls.total).toBe(plan.calls.attention + plan.calls.tokenwise);
        const shares = queryBlocksOf(plan).map((_, block) => blockCost(plan, block));
        expect(shares.reduce((sum, { calls }) => sum + calls, 0)).toBe(plan.calls.attention);
        expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
      }),
      runs,
    );
  });

  it('stay within the bound of their theorem, and meet it where the formula is exact', () => {
    fc.assert(
      fc.property(settings, (setting) => {
        const plan = planOf(setting);
        expect(plan.calls.attention).toBeLessThanOrEqual(plan.bound.calls);
        if (['full', 'causal', 'average-case'].includes(setting.scenario.kind)) {
          expect(plan.calls.attention).toBe(plan.bound.calls);
        }
      }),
      runs,
    );
  });

  it('execute every visible pair and no more than the dense pairs of their padded tiles', () => {
    fc.assert(
      fc.property(settings, (setting) => {
        const { flopsByPhase, tiles } = planOf(setting);
        const read = Math.min(setting.tokens, setting.blockSize);
        const perPair = 4 * smallModel.headWidth * smallModel.heads * smallModel.layers;
        expect(flopsByPhase.attend).toBe(tiles * read * read * perPair);
        if (setting.scenario.kind !== 'average-case') {
          expect(flopsByPhase.attendVisible).toBeLessThanOrEqual(flopsByPhase.attend);
        }
      }),
      runs,
    );
  });

  it('hold a million tokens as runs, with exact counts', () => {
    const million = { tokens: 1_000_000, blockSize: 128 };
    const causal = planOf({ ...million, scenario: makeScenario('causal') });
    expect(causal.blocks).toBe(7813);
    expect(causal.tiles).toBe((7813 * 7814) / 2);
    expect(queryBlocksOf(causal).every(({ runs: own }) => own.length <= 2)).toBe(true);
    const window = planOf({ ...million, scenario: makeScenario('sliding-window', { window: 512 }) });
    // Blocks 0 to 3 have 1 to 4 tiles; from block 4 on a window of 4 blocks touches 5 tiles.
    expect(window.tiles).toBe(1 + 2 + 3 + 4 + (7813 - 4) * 5);
    expect(window.visiblePairs).toBe(1_000_000 * 512 - (512 * 511) / 2);
    const sinks = planOf({ ...million, scenario: makeScenario('attention-sink', { window: 512, sinks: 4 }) });
    expect(sinks.tiles).toBe(window.tiles + (7813 - 5));
  });

  it('allow a block larger than the prompt, and say so', () => {
    const plan = planOf({ tokens: 10, blockSize: 64, scenario: makeScenario('sliding-window', { window: 100 }) });
    expect(plan.blocks).toBe(1);
    expect(plan.tiles).toBe(1);
    expect(plan.notes).toEqual([
      'Block size 64 holds all 10 tokens: there is one block.',
      'sliding-window(window 100) covers all 10 tokens: it is causal attention.',
    ]);
  });

  it('say the arithmetic that their calls come from, readings rounded up apart', () => {
    const plan = planOf({ tokens: 300, blockSize: 64, scenario: { kind: 'full' } }, { heads: 3 }, smallModel, 'paper');
    expect(plan.calls.attention).toBe(3 * 2 * Math.ceil((25 * 4) / 3));
    expect(planArithmetic(plan, null, expectedMemory(plan, defaultOptions, undefined))).toContain(
      '2 readings × ⌈25 instances × 4 heads ÷ 3 instances a call⌉ × 3 layers = **204 attention calls**',
    );
    expect(planArithmetic(plan, null, expectedMemory(plan, defaultOptions, undefined))).toContain('5 blocks of 63 tokens');
  });

  it('survive a structured clone and JSON, as messages and reports need', () => {
    const plan = planOf({ tokens: 70, blockSize: 16, scenario: makeScenario('attention-sink', { window: 9, sinks: 3 }) });
    expect(structuredClone(plan)).toEqual(plan);
    expect(JSON.parse(JSON.stringify(summarise(plan)))).toEqual(summarise(plan));
    expect(summarise(plan)).not.toHaveProperty('queryBlocks');
    expect(plan.queryBlocks.length).toBe(plan.blocks);
  });

  it.each([
    [0, 16, /0 tokens; it needs at least 1/],
    [10, 1, /Block size 1 is not possible; use a whole number of tokens from 2/],
    [10, 0, /Block size 0/],
    [20_000_000, 16, /20000000 tokens; the limit is 16777216/],
  ])('refuse N = %d with M = %d', (tokens, blockSize, message) => {
    const request = { ...planOf({ tokens: 10, blockSize: 4, scenario: { kind: 'full' } }), tokens };
    expect(() => makePlan({ ...request, oracle: { ...request.oracle, inputLength: blockSize } })).toThrow(message);
  });
});

describe('plans of layers that differ', () => {
  const cycles = fc.array(
    scenarios.filter(({ kind }) => kind !== 'average-case'),
    { minLength: 2, maxLength: 5 },
  );
  const requests = fc.record({
    cycle: cycles,
    tokens: fc.integer({ min: 1, max: 70 }),
    blockSize: fc.integer({ min: 2, max: 40 }),
    layers: fc.integer({ min: 1, max: 9 }),
  });
  const planLayered = ({
    cycle,
    tokens,
    blockSize,
    layers,
  }: {
    cycle: readonly LayerScenario[];
    tokens: number;
    blockSize: number;
    layers: number;
  }): Plan => makePlan(planRequest(tokens, { ...smallModel, layers }, { ...defaultOptions, scenario: perLayer(cycle), blockSize }));

  it('are the sum of the plans of their layers', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const plan = planLayered(request);
        const single = Array.from({ length: request.layers }, (_, layer) =>
          makePlan(
            planRequest(
              request.tokens,
              { ...smallModel, layers: 1 },
              { ...defaultOptions, scenario: request.cycle[layer % request.cycle.length], blockSize: request.blockSize },
            ),
          ),
        );
        const sum = (of: (part: Plan) => number): number => single.reduce((total, part) => total + of(part), 0);
        expect(plan.calls.attention).toBe(sum(({ calls }) => calls.attention));
        expect(plan.calls.total).toBe(sum(({ calls }) => calls.total));
        expect(plan.flops).toBe(sum(({ flops }) => flops));
        expect(plan.flopsByPhase.attendVisible).toBe(sum(({ flopsByPhase }) => flopsByPhase.attendVisible));
        expect(plan.bound.calls).toBe(sum(({ bound }) => bound.calls));
        expect(plan.calls.attention).toBeLessThanOrEqual(plan.bound.calls);
        expect(plan.rounds).toBe(request.layers);
        const blocks = queryBlocksOf(plan).map((_, block) => blockCost(plan, block));
        expect(blocks.reduce((total, { calls }) => total + calls, 0)).toBe(plan.calls.attention);
        expect(blocks.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 10);
        expect(structuredClone(plan)).toEqual(plan);
      }),
      runs,
    );
  });

  it('name every layer once, and show the tiles that some layer reads', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const plan = planLayered(request);
        const parts = layerParts(plan);
        expect(parts.flatMap(({ layers }) => layers).sort((a, b) => a - b)).toEqual(
          Array.from({ length: request.layers }, (_, layer) => layer),
        );
        parts.forEach(({ layers, plan: part }) =>
          layers.forEach((layer) => expect(scenarioLabel(part.scenario)).toBe(scenarioLabel(request.cycle[layer % request.cycle.length]))),
        );
        const read = (of: Plan, queryBlock: number, keyBlock: number): boolean =>
          queryBlocksOf(of)[queryBlock].runs.some(({ from, to }) => from <= keyBlock && keyBlock < to);
        // The map shows the whole cycle, be the model deep enough for it or not.
        fc.pre(request.layers >= request.cycle.length);
        for (let queryBlock = 0; queryBlock < plan.blocks; queryBlock += 1) {
          for (let keyBlock = 0; keyBlock < plan.blocks; keyBlock += 1) {
            expect(read(plan, queryBlock, keyBlock)).toBe(parts.some((part) => read(part.plan, queryBlock, keyBlock)));
          }
        }
      }),
      runs,
    );
  });

  it('tell their arithmetic layer by layer', () => {
    const plan = planLayered({
      cycle: [{ kind: 'causal' }, { kind: 'sliding-window', window: 5 }, { kind: 'causal' }],
      tokens: 50,
      blockSize: 16,
      layers: 3,
    });
    expect(planArithmetic(plan, null, expectedMemory(plan, defaultOptions, undefined))).toContain(
      '⌈10 tiles × 4 heads ÷ 4 instances a call⌉ × 2 layers + ⌈7 tiles × 4 heads ÷ 4 instances a call⌉ × 1 layer = **27 attention calls**',
    );
    expect(plan.bound.formula).toMatch(/^2 \* ceil\(.*\) \+ 1 \* ceil\(/);
  });
});
