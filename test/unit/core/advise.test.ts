import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidatesOf, candidateScenario } from '../../../src/core/advise/candidates';
import { CutMasses } from '../../../src/core/advise/cut-masses';
import { cheapest, type Choice } from '../../../src/core/advise/exchange';
import { lossCurve } from '../../../src/core/advise/loss-curve';
import { partCount, partGroups, partsScenario } from '../../../src/core/advise/parts';
import { bestUniform } from '../../../src/core/advise/report';
import { search } from '../../../src/core/advise/search';
import { adviceSummary, adviceTable, adviceText, answerLines } from '../../../src/core/advise/text';
import { uniformMasks } from '../../../src/core/advise/uniform';
import { uniform } from '../../../src/core/math/random';
import { tileTotal } from '../../../src/core/plan/tiles';
import { maskOf, makeScenario, scenarioLabel } from '../../../src/core/scenario/scenario';
import { adviceOf, advisedMask } from '../../support/advices';

describe('candidates', () => {
  it('read the tiles that they say, and all that is in them', () => {
    const [blockSize, blocks] = [5, 13];
    const tokens = blockSize * blocks - 2;
    const found = candidatesOf(blocks);
    expect(found.at(-1)).toEqual({ sinkBlocks: 0, windowBlocks: blocks, tiles: (blocks * (blocks + 1)) / 2 });
    for (const candidate of found) {
      const scenario = candidateScenario(candidate, blockSize, blocks);
      expect(tileTotal(scenario, tokens, blockSize)).toBe(candidate.tiles);
      const mask = maskOf(scenario, tokens);
      for (const query of [0, 17, 31, tokens - 1]) {
        for (let key = 0; key <= query; key += 1) {
          const [row, column] = [Math.floor(query / blockSize), Math.floor(key / blockSize)];
          expect(mask.allows(query, key)).toBe(row - column < candidate.windowBlocks || column < candidate.sinkBlocks);
        }
      }
    }
    expect(found.map(({ tiles }) => tiles)).toEqual(found.map(({ tiles }) => tiles).toSorted((one, other) => one - other));
  });
});

describe('what candidates cut off', () => {
  it('is the squared share of the masses that their tiles leave out, as a mean over heads and queries', () => {
    const blocks = 6;
    const next = uniform(7);
    const candidates = candidatesOf(blocks);
    const rowsOf = (block: number): number => (block === blocks - 1 ? 3 : 4);
    const cuts = new CutMasses(candidates, 2, rowsOf);
    const expected = candidates.map(() => 0);
    for (let head = 0; head < 3; head += 1) {
      for (let block = 0; block < blocks; block += 1) {
        const keyBlocks = Array.from({ length: block + 1 }, (_, at) => at).reverse();
        const raw = keyBlocks.map(() => next() ** 3);
        const total = raw.reduce((sum, each) => sum + each, 0);
        const masses = raw.map((each) => each / total);
        cuts.add(1, block, { keyBlocks, masses });
        candidates.forEach(({ sinkBlocks, windowBlocks }, index) => {
          const cut = masses.reduce(
            (sum, mass, at) => sum + (block - keyBlocks[at] < windowBlocks || keyBlocks[at] < sinkBlocks ? 0 : mass),
            0,
          );
          expected[index] += (rowsOf(block) * cut ** 2) / (3 * 23);
        });
      }
    }
    const [nothing, measured] = cuts.result();
    measured.forEach((cut, index) => expect(cut).toBeCloseTo(expected[index], 10));
    expect(expected[0]).toBeGreaterThan(0.1);
    // A part without attention loses nothing.
    expect(nothing.every((cut) => cut === 0)).toBe(true);
  });
});

describe('the loss that a cut is predicted to cause', () => {
  it('goes through what was measured, rises, and is in proportion beyond', () => {
    const curve = lossCurve([
      { cut: 0.4, kl: 0.05 },
      { cut: 0.1, kl: 0.01 },
    ]);
    expect([0.1, 0.4, 0].map(curve)).toEqual([0.01, expect.closeTo(0.05, 12), 0]);
    expect([0.01, 0.8].map(curve)).toEqual([expect.closeTo(0.001, 12), expect.closeTo(0.1, 12)]);
    expect(curve(0.2)).toBeCloseTo(Math.sqrt(0.01 * 0.05), 12);
  });
});

/** The least cost of all assignments within a limit. */
function bruteForce(parts: readonly (readonly Choice[])[], limit: number): number {
  if (parts.length === 0) {
    return 0;
  }
  const [first, ...others] = parts;
  return Math.min(...first.map(({ cost, loss }) => (loss > limit + 1e-12 ? Infinity : cost + bruteForce(others, limit - loss))));
}

const total = (parts: readonly (readonly Choice[])[], chosen: readonly number[], of: keyof Choice): number =>
  chosen.reduce((sum, index, part) => sum + parts[part][index][of], 0);

describe('the cheapest masks', () => {
  const choice = fc.record({ cost: fc.integer({ min: 1, max: 20 }), loss: fc.integer({ min: 1, max: 40 }) });
  const some = fc.array(
    fc.array(choice, { minLength: 1, maxLength: 5 }).map((own) => [...own, { cost: 21, loss: 0 }]),
    { minLength: 1, maxLength: 4 },
  );

  it('keep the limit, leave no exchange that saves, and miss the best by less than one step', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 80 }), (parts, limit) => {
        const chosen = cheapest(parts, limit);
        const loss = total(parts, chosen, 'loss');
        expect(loss).toBeLessThanOrEqual(limit);
        const cost = total(parts, chosen, 'cost');
        chosen.forEach((index, part) =>
          parts[part].forEach((other) => {
            expect(other.cost < parts[part][index].cost && loss - parts[part][index].loss + other.loss <= limit).toBe(false);
          }),
        );
        expect(cost - bruteForce(parts, limit)).toBeLessThan(20);
      }),
    );
  });

  it('are the best there are where each next tile loses more than the one before', () => {
    const convex = fc.array(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }).map((steps) => {
        const sorted = steps.toSorted((one, other) => one - other);
        return [0, ...sorted].map((_, index): Choice => ({
          cost: 10 - index,
          loss: sorted.slice(0, index).reduce((sum, each) => sum + each, 0),
        }));
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(convex, fc.integer({ min: 0, max: 60 }), (parts, limit) => {
        expect(total(parts, cheapest(parts, limit), 'cost')).toBe(bruteForce(parts, limit));
      }),
    );
  });
});

describe('the search for the limit', () => {
  /** Choices that cost less the more they lose: 40 of them, of which the first loses nothing. */
  const choose = (limit: number): { name: string; predicted: number } | undefined => {
    const index = Math.min(39, Math.floor(limit * 1000));
    return index <= 0 ? undefined : { name: String(index), predicted: index / 1000 };
  };

  it.each([0.6, 1, 1.7])('finds what is just within it, where the prediction is off by a factor of %f', async (factor) => {
    const tried = await search(0.02, choose, ({ predicted }) => Promise.resolve(factor * predicted), 5);
    const names = tried.map(({ choice: { name } }) => name);
    expect(new Set(names).size).toBe(names.length);
    const best = Math.max(...tried.filter(({ loss }) => loss <= 0.02).map(({ loss }) => loss));
    expect(best).toBeGreaterThan(0.02 * 0.9);
  });

  it('steps below a choice that is beyond it by little, and ends where nothing is left', async () => {
    const tried = await search(0.01, choose, ({ predicted }) => Promise.resolve(predicted + 0.0001), 5);
    expect(tried.map(({ choice: { name } }) => name)).toEqual(['10', '9']);
    // The scaled prediction still has the same choice.
    const coarse = (limit: number): { name: string; predicted: number } | undefined => {
      const predicted = [0.01, 0.008].find((each) => each <= limit);
      return predicted === undefined ? undefined : { name: String(predicted), predicted };
    };
    const lower = await search(0.0105, coarse, ({ predicted }) => Promise.resolve(1.06 * predicted), 5);
    expect(lower.map(({ choice: { name } }) => name)).toEqual(['0.01', '0.008']);
    expect(await search(0.0001, choose, () => Promise.resolve(1), 5)).toEqual([]);
    expect(await search(1, choose, () => Promise.resolve(0.1), 5)).toHaveLength(1);
    expect(await search(0.02, choose, () => Promise.resolve(1), 5)).toHaveLength(1);
  });
});

describe('parts', () => {
  it('are layers or heads, each in one of a few groups', () => {
    const shape = { layers: 30, heads: 4 };
    expect([partCount('layer', shape), partCount('head', shape)]).toEqual([30, 4]);
    const groups = partGroups(30);
    expect(groups).toHaveLength(8);
    expect(groups.flat()).toEqual(Array.from({ length: 30 }, (_, part) => part));
    expect(partGroups(3)).toEqual([[0], [1], [2]]);
    const masks = { by: 'layer', parts: 2, candidates: candidatesOf(8), blockSize: 16, blocks: 8 } as const;
    const causal = masks.candidates.length - 1;
    expect(scenarioLabel(partsScenario(masks, [0, causal]))).toBe('per-layer(custom(k <= q and q // 16 - k // 16 < 1), causal)');
    expect(partsScenario({ ...masks, by: 'head' }, [0, causal]).kind).toBe('per-head');
    expect(partsScenario(masks, [causal, causal])).toEqual({ kind: 'causal' });
  });
});

describe('uniform windows to compare with', () => {
  it('are the widest of at most as many tiles, the next one, and one whose window is counted in tokens', () => {
    const tiles = 50;
    const masks = uniformMasks({ by: 'layer', parts: 6, candidates: candidatesOf(16), blockSize: 16, blocks: 16 }, tiles);
    const tilesOf = (at: number): number => tileTotal(masks[at].scenario, 256, 16);
    expect(masks).toHaveLength(4);
    expect([tilesOf(0), tilesOf(1), tilesOf(3)].every((own) => own <= tiles)).toBe(true);
    expect(tilesOf(2)).toBeGreaterThan(tiles);
    expect(masks[3]).toEqual({ scenario: makeScenario('attention-sink', { window: 17, sinks: 16 }), candidate: undefined });
    expect(tilesOf(3)).toBe(tilesOf(1));
  });
});

describe('an advice in words', () => {
  it('takes the cheapest within the limit that did not fail, and says where uniform windows are better', () => {
    const tried = [advisedMask(10, 0.019, 'failed'), advisedMask(30, 0.019), advisedMask(20, 0.03), advisedMask(40, 0.001)];
    const beating = adviceOf(tried, [advisedMask(29, 0.025), advisedMask(35, 0.001)]);
    expect(beating.answer?.calls).toBe(30);
    expect(bestUniform(beating)?.calls).toBe(29);
    expect(adviceSummary(beating)).toMatch(/^30 attention calls of 100 \(30%\).*It beats uniform windows: .*0\.025\.$/);
    expect(adviceSummary(adviceOf(tried, [advisedMask(29, 0.02)]))).toMatch(
      /It beats uniform windows: .*, though the intervals overlap\.$/,
    );
    expect(adviceSummary(adviceOf(tried, [advisedMask(30, 0.018)]))).toContain('It does not beat uniform windows');
    expect(adviceSummary(adviceOf(tried, []))).toContain('No uniform window is as cheap.');
    expect(adviceSummary(adviceOf([advisedMask(20, 0.03)], []))).toMatch(/stayed within a mean KL of 0\.02; the nearest had 0\.03/);
    expect(adviceSummary(adviceOf([], []))).toContain('causal attention is the answer');
    expect(adviceTable(beating).rows.map(([name]) => name)).toEqual([
      'answer',
      'sliding-window(window 29)',
      'sliding-window(window 35)',
      'tried',
      'tried',
      'tried',
    ]);
    expect(answerLines(beating)).toEqual(['every layer: sliding-window(window 30)']);
    const written = adviceText(beating);
    expect(written).toMatch(/^\*\*prompt\.md: 1 window of 100 tokens, 99 positions scored, small, M = 16, 11 runs of each window\*\*/);
    expect(written).toContain('| answer | 30 | 30% | 80 ms | 53% | 0.019 | 0.019 | 0.017 - 0.021 |');
    // Only what differs from the defaults, so that a person reads it.
    const [, file] = /```json\n([^`]*)```/.exec(written) ?? [];
    expect(JSON.parse(file)).toEqual({ version: 1, prompts: ['prompt.md'], scenarios: beating.experiment.scenarios, blocks: [16] });
    expect(adviceText(adviceOf([], []))).not.toContain('```');
  });
});
