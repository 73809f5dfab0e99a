import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { cacheOf } from '../../../src/core/plan/cache';
import { callOrder } from '../../../src/core/plan/call-order';
import { callsOfBlocks, layerParts, makePlan, partOfLayers } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { requestCost } from '../../../src/core/plan/request-cost';
import { perLayer } from '../../../src/core/scenario/scenario';
import type { LayerKind, LayerShape, ModelShape } from '../../../src/core/shapes';
import { runs, scenarios, settings } from '../../support/arbitrary';
import { smallModel } from '../../support/shapes';

const attending: LayerShape = { heads: 4, keyValueHeads: 2, headWidth: 6, feedForwardWidth: 20 };
/** Latent attention: values of another width, projections of their own. */
const latent: LayerShape = { heads: 8, keyValueHeads: 8, headWidth: 12, valueWidth: 8, feedForwardWidth: 0, projection: 777 };
/** No attention: a recurrence with products of its own, and a plain network. */
const idle: LayerShape = { heads: 0, keyValueHeads: 0, headWidth: 6, feedForwardWidth: 10, feedForward: 'plain', projection: 333 };

/** A model whose layers are these. */
function mixed(order: readonly LayerShape[]): ModelShape {
  const kinds: LayerKind[] = [...new Set(order)].map((kind) => ({
    ...kind,
    layers: order.flatMap((own, layer) => (own === kind ? [layer] : [])),
  }));
  const first = [...order].find(({ heads }) => heads > 0) ?? order[0];
  const base = { ...first, layers: order.length, width: 16, vocabulary: 50, parameters: 5000 };
  return kinds.length === 1 ? base : { ...base, kinds };
}

const orders = fc
  .array(fc.constantFrom(attending, latent, idle), { minLength: 1, maxLength: 6 })
  .filter((order) => order.some(({ heads }) => heads > 0));

describe('a model of several kinds of layer', () => {
  it('costs what its layers cost one by one', () => {
    fc.assert(
      fc.property(settings, orders, ({ tokens, ...setting }, order) => {
        const model = mixed(order);
        const options = { ...defaultOptions, ...setting };
        const plan = makePlan(planRequest(tokens, model, options));
        // Calls carry as many heads as the model's own first kind has, so that single layers are asked with the same.
        const alone = order.map((layer) => makePlan(planRequest(tokens, { ...mixed([layer]) }, { ...options, oracleHeads: model.heads })));
        const sum = (of: (plan: (typeof alone)[number]) => number): number => alone.reduce((total, own) => total + of(own), 0);
        expect(plan.calls.attention).toBe(sum(({ calls }) => calls.attention));
        expect(plan.calls.tokenwise).toBe(sum(({ calls }) => calls.tokenwise));
        expect(plan.flopsByPhase.attend).toBeCloseTo(
          sum(({ flopsByPhase }) => flopsByPhase.attend),
          3,
        );
        expect(plan.flopsByPhase.project).toBe(sum(({ flopsByPhase }) => flopsByPhase.project));
        expect(plan.flopsByPhase.outputAndMlp).toBe(sum(({ flopsByPhase }) => flopsByPhase.outputAndMlp));
        expect(plan.rounds).toBe(order.filter(({ heads }) => heads > 0).length);
        expect(plan.bound.calls).toBe(sum(({ bound }) => bound.calls));
      }),
      runs,
    );
  });

  it('costs without its tiles what its plan says, by block as well, with a mask for each layer too', () => {
    fc.assert(
      fc.property(settings, orders, fc.array(scenarios, { minLength: 1, maxLength: 3 }), ({ tokens, blockSize }, order, cycle) => {
        const scenario = perLayer(cycle.filter(({ kind }) => kind !== 'average-case').concat({ kind: 'causal' }));
        const request = planRequest(tokens, mixed(order), { ...defaultOptions, blockSize, scenario });
        const plan = makePlan(request);
        const { calls, flopsByPhase, bytes, bound } = requestCost(request);
        expect({ calls, flopsByPhase, bytes, bound }).toEqual({
          calls: plan.calls,
          flopsByPhase: plan.flopsByPhase,
          bytes: plan.bytes,
          bound: plan.bound,
        });
        expect(callsOfBlocks(plan, 0, plan.blocks)).toBe(plan.calls.attention);
        expect(partOfLayers(plan)).toHaveLength(order.length);
        expect(layerParts(plan).flatMap(({ layers }) => layers)).toHaveLength(order.length);
        expect(callOrder(plan).steps).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  it('has the work that one counts by hand', () => {
    const plan = makePlan(planRequest(10, mixed([idle, latent]), { ...defaultOptions, blockSize: 10, scenario: { kind: 'causal' } }));
    // 55 pairs, 8 heads, a product of 12 for the score and of 8 for the value.
    expect(plan.flopsByPhase.attendVisible).toBe(55 * 8 * 2 * (12 + 8));
    expect(plan.flopsByPhase.project).toBe(2 * 10 * (333 + 777));
    // The idle layer has two matrices of 16 by 10, the other an output projection of 8 heads' values.
    expect(plan.flopsByPhase.outputAndMlp).toBe(2 * 10 * (2 * 16 * 10 + 16 * 8 * 8));
    expect(plan.parts.map(({ layers, plan: { tiles, calls } }) => [layers, tiles, calls.attention])).toEqual([
      [[0], 0, 0],
      [[1], 1, 1],
    ]);
  });

  it.each([
    ['kinds', mixed([attending, idle])],
    ['values of another width', mixed([latent])],
  ])('is not planned for a black box with %s', (_what, model) => {
    const request = planRequest(20, model, { ...defaultOptions, blockSize: 8, construction: 'tight', scenario: { kind: 'causal' } });
    expect(() => makePlan(request)).toThrow(/layers that are all alike, with values as wide as keys/);
    expect(() => requestCost(request)).toThrow(/layers that are all alike/);
  });

  it('has chunks on most of 48 layers planned at a hundred thousand tokens', () => {
    const chunk = { kind: 'custom', expression: 'k <= q and q // 8192 == k // 8192' } as const;
    const attention = perLayer(Array.from({ length: 48 }, (_, layer) => (layer % 4 === 3 ? { kind: 'causal' } : chunk)));
    const model = { ...mixed([attending]), layers: 48, attention };
    const request = planRequest(100_000, model, { ...defaultOptions, blockSize: 8192, scenario: { kind: 'native' } });
    // 12 chunks of one block each, and a rest of 1,696 tokens.
    expect(makePlan(request).parts.map(({ plan }) => plan.visiblePairs)).toEqual([
      12 * ((8192 * 8193) / 2) + (1696 * 1697) / 2,
      (100_000 * 100_001) / 2,
    ]);
    expect(cacheOf(makePlan(request))?.kinds.map(({ layers }) => layers)).toEqual([36, 12]);
  });

  it('is as before where all layers are alike', () => {
    const request = planRequest(30, smallModel, { ...defaultOptions, blockSize: 8, scenario: { kind: 'causal' } });
    expect(makePlan(request).parts).toEqual([]);
  });
});
