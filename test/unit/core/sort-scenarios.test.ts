import { describe, expect, it } from 'vitest';
import { sortScenarios, type WantedScenarios } from '../../../src/core/compare/sort-scenarios';
import { automaticBlock, defaultOptions } from '../../../src/core/options/table';
import { makeChoice, type ScenarioChoice, scenarioLabel } from '../../../src/core/scenario/scenario';
import { InputError } from '../../../src/core/errors';
import { smallModel } from '../../support/shapes';

const options = { ...defaultOptions, blockSize: 64 };

function unnamed(scenarios: readonly ScenarioChoice[]): WantedScenarios {
  return { scenarios, named: false };
}

describe('which scenarios a prompt can have', () => {
  it('plans those that are possible, in order, and says why others are not', () => {
    const kinds = ['causal', 'sliding-window', 'native', 'full'];
    const scenarios = kinds.map((kind) => makeChoice(kind, { window: 100 }));
    const { possible, refused } = sortScenarios(unnamed(scenarios), 300, smallModel, { ...options, construction: 'paper' }, []);
    expect(possible.map(({ plan }) => scenarioLabel(plan.scenario))).toEqual(['causal', 'causal', 'full']);
    expect(refused).toEqual([
      { scenario: { kind: 'sliding-window', window: 100 }, reason: expect.stringMatching(/A window of 100 is not below/) as string },
    ]);
  });

  it('settles an automatic block size', () => {
    const { possible } = sortScenarios(unnamed([makeChoice('causal')]), 300, smallModel, { ...options, blockSize: automaticBlock }, []);
    expect(possible[0].plan.oracle.inputLength).toBe(defaultOptions.blockSize);
  });

  it('refuses where a scenario that was named, or every scenario, cannot be', () => {
    const wide = makeChoice('sliding-window', { window: 100 });
    const planned = (wanted: WantedScenarios): unknown => sortScenarios(wanted, 300, smallModel, { ...options, construction: 'paper' }, []);
    expect(() => planned({ scenarios: [makeChoice('causal'), wide], named: true })).toThrow(/A window of 100 is not below/);
    expect(() => planned(unnamed([wide]))).toThrow(/A window of 100 is not below/);
    expect(() => planned(unnamed([]))).toThrow('There is no scenario to compare');
  });

  it('refuses what a check refuses', () => {
    const scenarios = unnamed([makeChoice('causal'), makeChoice('full')]);
    const { possible, refused } = sortScenarios(scenarios, 300, smallModel, options, [], ({ plan }) => {
      if (plan.scenario.kind === 'full') {
        throw new InputError('Too large.');
      }
    });
    expect(possible).toHaveLength(1);
    expect(refused).toEqual([{ scenario: { kind: 'full' }, reason: 'Too large.' }]);
  });

  it('takes no fault for a refusal', () => {
    expect(() => sortScenarios(unnamed([makeChoice('causal')]), 300, undefined as never, options, [])).toThrow(TypeError);
  });
});
