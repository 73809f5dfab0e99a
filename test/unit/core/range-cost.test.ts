import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockCost } from '../../../src/core/hints/hints';
import { rangeCost, sectionArithmetic, sectionLabel } from '../../../src/core/hints/sections';
import { perLayer } from '../../../src/core/scenario/scenario';
import { makePlan } from '../../../src/core/plan/plan';
import { runs, settings } from '../../support/arbitrary';
import { planOf } from '../../support/shapes';

const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 6 }) });

describe('the cost of a range of tokens', () => {
  it('adds up to the prompt over any cuts, shared blocks included', () => {
    fc.assert(
      fc.property(settings, oracles, fc.array(fc.nat(), { maxLength: 6 }), (setting, oracle, seeds) => {
        const plan = planOf(setting, oracle);
        const cuts = [0, ...seeds.map((seed) => seed % (plan.tokens + 1)).sort((a, b) => a - b), plan.tokens];
        const costs = cuts.slice(1).map((cut, index) => rangeCost(plan, cuts[index], cut));
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
        expect(sum(costs.map(({ calls }) => calls))).toBeCloseTo(plan.calls.attention, 6);
        expect(sum(costs.map(({ share }) => share))).toBeCloseTo(1, 9);
        costs.forEach((cost) => expect(sum(cost.blocks.map(({ tokens }) => tokens))).toBe(cost.endToken - cost.firstToken));
      }),
      runs,
    );
  });

  it('counts what is planned of it: a prompt may be cut before the end of its text', () => {
    const plan = planOf({ tokens: 70, blockSize: 16, scenario: { kind: 'causal' } });
    expect(rangeCost(plan, 60, 200)).toEqual(rangeCost(plan, 60, 70));
    expect(rangeCost(plan, 90, 200)).toMatchObject({ blocks: [], calls: 0, share: 0 });
  });

  it('is that of its blocks where it is made of whole ones', () => {
    fc.assert(
      fc.property(settings, oracles, fc.nat(), fc.nat(), (setting, oracle, first, reach) => {
        const plan = planOf(setting, oracle);
        const from = first % plan.blocks;
        const to = Math.min(plan.blocks, from + 1 + (reach % 4));
        const blocks = Array.from({ length: to - from }, (_, index) => blockCost(plan, from + index));
        const cost = rangeCost(plan, blocks[0].firstToken, blocks[blocks.length - 1].endToken);
        expect(cost.blocks).toHaveLength(1);
        expect(cost.calls).toBe(blocks.reduce((sum, { calls }) => sum + calls, 0));
        expect(cost.share).toBeCloseTo(
          blocks.reduce((sum, { share }) => sum + share, 0),
          12,
        );
      }),
      runs,
    );
  });

  it('counts the layers of every kind where they differ', () => {
    const plan = planOf({ tokens: 40, blockSize: 8, scenario: { kind: 'causal' } });
    const mixed = makePlan({ ...plan, scenario: perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 4 }]) });
    expect(rangeCost(mixed, 0, 40).calls).toBe(mixed.calls.attention);
  });
});

describe('the hint of a section', () => {
  const plan = planOf({ tokens: 40, blockSize: 8, scenario: { kind: 'causal' } });

  it('tells tokens and share, and in the hover the calls and how they come about', () => {
    const cost = rangeCost(plan, 6, 25);
    expect(sectionLabel(cost, null)).toBe('§ 19 tokens · 38%');
    expect(sectionArithmetic(plan, cost)).toMatchInlineSnapshot(`
      "**This section**: tokens 7 to 25, 19 of 40 (48%), causal

      2/8 of block 1's 3 calls + 15 calls of blocks 2–3 + 1/8 of block 4's 12 calls = **17.25 attention calls**, 38% of the prompt's attention.

      A block across an edge of the section counts in proportion to its tokens, so calls may be fractional."
    `);
    expect(sectionArithmetic(plan, rangeCost(plan, 8, 24))).not.toContain('shared');
  });

  it('never says that something costs nothing', () => {
    expect(sectionLabel(rangeCost(plan, 0, 1), null)).toBe('§ 1 token · 0.8%');
    expect(sectionLabel(rangeCost(plan, 7, 7), null)).toBe('§ 0 tokens · 0%');
    expect(sectionArithmetic(plan, rangeCost(plan, 7, 7))).toContain('no token');
  });
});
