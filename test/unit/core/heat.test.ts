import { describe, expect, it } from 'vitest';
import type { ExperimentSummary } from '../../../src/core/evaluate/report';
import { costHeat, heatLevels, klHeat } from '../../../src/core/hints/heat';
import { blocksLabel, blockCost } from '../../../src/core/hints/hints';
import type { Plan } from '../../../src/core/plan/plan';
import type { LayerScenario } from '../../../src/core/scenario/scenario';
import { planOf } from '../../support/shapes';

const plan = (tokens: number, scenario: LayerScenario): Plan => planOf({ tokens, blockSize: 8, scenario });

describe('heat of cost', () => {
  it('covers every token once, in few stretches, however long the prompt is', () => {
    for (const tokens of [3, 40, 12_345]) {
      const stretches = costHeat(plan(tokens, { kind: 'causal' }));
      expect(stretches[0].from).toBe(0);
      expect(stretches.at(-1)?.to).toBe(tokens);
      stretches.slice(1).forEach(({ from }, index) => expect(from).toBe(stretches[index].to));
      expect(stretches.length).toBeLessThanOrEqual(heatLevels);
    }
  });

  it('grows along a causal prompt, and is even where every part costs the same', () => {
    const levels = costHeat(plan(800, { kind: 'causal' })).map(({ level }) => level);
    expect(levels).toEqual([1, 2, 3, 4, 5]);
    expect(costHeat(plan(800, { kind: 'full' }))).toEqual([{ from: 0, to: 800, level: 3 }]);
  });
});

describe('heat of the divergence', () => {
  const bins = [0.1, 0.1, 0.4].map((value, index) => ({ from: index * 10, to: (index + 1) * 10, count: 10, divergence: { value } }));
  const evaluation = (windows = 1): ExperimentSummary =>
    ({
      prompts: [{ sha256: 'a', windows }],
      points: [{ scenario: { kind: 'causal' }, quality: { curve: bins } }],
    }) as unknown as ExperimentSummary;

  it('is where the mask does most, beside its mean', () => {
    expect(klHeat(evaluation(), 'a', plan(30, { kind: 'causal' }))).toEqual([
      { from: 0, to: 20, level: 2 },
      { from: 20, to: 30, level: 5 },
    ]);
  });

  it('is of this text, this scenario and one window alone', () => {
    const causal = plan(30, { kind: 'causal' });
    expect(klHeat(null, 'a', causal)).toEqual([]);
    expect(klHeat(evaluation(), 'b', causal)).toEqual([]);
    expect(klHeat(evaluation(2), 'a', causal)).toEqual([]);
    expect(klHeat(evaluation(), 'a', plan(30, { kind: 'full' }))).toEqual([]);
    bins.forEach((bin) => Object.assign(bin, { divergence: { value: 0 } }));
    expect(klHeat(evaluation(), 'a', causal)).toEqual([]);
  });
});

describe('the hint of several blocks', () => {
  it('sums them up', () => {
    const causal = plan(80, { kind: 'causal' });
    const calls = [2, 3, 4].reduce((sum, block) => sum + blockCost(causal, block).calls, 0);
    expect(blocksLabel(causal, 2, 4, null)).toMatch(new RegExp(`^blocks 3–5 · ${calls} calls · \\d+%$`));
  });
});
