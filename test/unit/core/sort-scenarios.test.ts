import { describe, expect, it } from 'vitest';
import { sortScenarios } from '../../../src/core/compare/sort-scenarios';
import { automaticBlock, defaultOptions } from '../../../src/core/options/table';
import { makeChoice, scenarioLabel } from '../../../src/core/scenario/scenario';
import { smallModel } from '../../support/shapes';

const options = { ...defaultOptions, blockSize: 64 };

describe('which scenarios a prompt can have', () => {
  it('plans those that are possible, in order, and says why others are not', () => {
    const kinds = ['causal', 'sliding-window', 'native', 'full'];
    const scenarios = kinds.map((kind) => makeChoice(kind, { window: 100 }));
    const { possible, refused } = sortScenarios(scenarios, 300, smallModel, { ...options, construction: 'tight' }, []);
    expect(possible.map(({ plan }) => scenarioLabel(plan.scenario))).toEqual(['causal', 'causal', 'full']);
    expect(refused).toEqual([
      { scenario: { kind: 'sliding-window', window: 100 }, reason: expect.stringMatching(/A window of 100 is not below/) as string },
    ]);
  });

  it('settles an automatic block size', () => {
    const { possible } = sortScenarios([makeChoice('causal')], 300, smallModel, { ...options, blockSize: automaticBlock }, []);
    expect(possible[0].plan.oracle.inputLength).toBe(defaultOptions.blockSize);
  });

  it('takes no fault for a refusal', () => {
    expect(() => sortScenarios([makeChoice('causal')], 300, undefined as never, options, [])).toThrow(TypeError);
  });
});
