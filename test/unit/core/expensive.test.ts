import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstWords, mostExpensive, mostExpensiveBlocks } from '../../../src/core/hints/sections';
import { runs, settings } from '../../support/arbitrary';
import { planOf } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

describe('the most expensive parts', () => {
  it('come by cost, ties by position', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 40 }), (setting, limit) => {
        const plan = planOf(setting);
        const blocks = mostExpensiveBlocks(plan, limit);
        expect(blocks).toHaveLength(Math.min(limit, plan.blocks));
        blocks.slice(1).forEach((next, index) => {
          const { share, block } = blocks[index];
          expect(share > next.share || (share === next.share && block < next.block)).toBe(true);
        });
        const rest = queryBlocksOf(plan).filter((_, block) => blocks.every((cost) => cost.block !== block));
        expect(rest.every(({ instances }) => instances <= blocks[blocks.length - 1].instances)).toBe(true);
      }),
      runs,
    );
    expect(mostExpensive(['b', 'aa', 'c', 'dd'], ({ length }) => length, 3)).toEqual(['aa', 'dd', 'b']);
  });

  it('are named by their first words', () => {
    expect(firstWords('\n  one\t two\n\nthree ', 80)).toBe('one two three');
    expect(firstWords('one two three', 8)).toBe('one two…');
    expect(firstWords('x'.repeat(1e6), 5)).toBe('xxxxx…');
  });
});
