import { describe, expect, it } from 'vitest';
import { checkBudgets } from '../../../src/core/evaluate/budget-checks';
import { brokenText } from '../../../src/core/evaluate/check-report';
import { defaultExperiment, defaultRetrieval, scenarioGrid, scenarioOf, windowsOf } from '../../../src/core/evaluate/experiment';
import { InputError } from '../../../src/core/errors';
import type { ExperimentReport } from '../../../src/core/evaluate/report';

describe('the grid of scenarios', () => {
  it('has every combination of the values that a scenario takes, each once', () => {
    expect(scenarioGrid(['causal', 'sliding-window', 'attention-sink'], { window: [64, 128], sinks: [2, 4] })).toEqual([
      'causal',
      'sliding-window:64',
      'sliding-window:128',
      'attention-sink:64:2',
      'attention-sink:64:4',
      'attention-sink:128:2',
      'attention-sink:128:4',
    ]);
  });

  it('leaves scenarios with numbers of their own as they are, and takes defaults for what nobody named', () => {
    expect(scenarioGrid(['sliding-window:7', 'sliding-window', 'native', 'sliding-window:512'], {})).toEqual([
      'sliding-window:7',
      'sliding-window:512',
      'native',
    ]);
  });

  it('refuses unknown scenarios and values that nothing takes', () => {
    expect(() => scenarioGrid(['banded'], {})).toThrow(InputError);
    expect(() => scenarioGrid(['causal', 'sliding-window:8'], { window: [4] })).toThrow(
      /--window 4 does nothing under causal, sliding-window:8/,
    );
  });
});

describe('an experiment', () => {
  it('reads as many tokens at once as the model was trained to read, up to 2048', () => {
    expect(windowsOf(defaultExperiment)).toEqual({ context: 2048, stride: 2048 });
    expect(windowsOf(defaultExperiment, { trainedTokens: 1024 })).toEqual({ context: 1024, stride: 1024 });
    expect(windowsOf(defaultExperiment, { trainedTokens: 131_072 })).toEqual({ context: 2048, stride: 2048 });
    expect(windowsOf(defaultExperiment, { trainedTokens: 1024, maximumTokens: 512 })).toEqual({ context: 512, stride: 512 });
    expect(windowsOf({ context: 300, stride: 100 }, { trainedTokens: 1024 })).toEqual({ context: 300, stride: 100 });
  });

  it('hides statements in whole numbers of tokens, each length once', () => {
    expect(defaultRetrieval(2048).lengths).toEqual([512, 1024, 2048]);
    expect(defaultRetrieval(3).lengths).toEqual([0, 1, 3]);
  });

  it('takes a list of scenarios for one that has a scenario for each layer', () => {
    expect(scenarioOf(['causal', 'sliding-window:8'])).toEqual({
      kind: 'per-layer',
      cycle: [{ kind: 'causal' }, { kind: 'sliding-window', window: 8 }],
    });
    expect(scenarioOf('native')).toEqual({ kind: 'native' });
  });
});

describe('budgets', () => {
  const prompt = (path: string, calls: number, predictedMs: number | null, kl: number | null): object => ({
    path,
    cost: { calls: { total: calls }, predictedMs },
    quality: kl === null ? null : { divergence: { mean: { value: kl } } },
  });
  const report = {
    model: { shape: { trainedTokens: 2048 } },
    experiment: { score: 'from=300' },
    points: [
      {
        quality: {},
        scenario: { kind: 'causal' },
        blockSize: 64,
        verdict: { kind: 'exact' },
        prompts: [prompt('a.md', 10, 5, 0.1), prompt('b.md', 20, null, null)],
      },
    ],
  } as unknown as ExperimentReport;

  it('are kept up to the limit, and broken above it, by each prompt for itself', () => {
    expect(checkBudgets(report, { calls: 10 }).map(({ prompt: path, value, kept }) => [path, value, kept])).toEqual([
      ['a.md', 10, true],
      ['b.md', 20, false],
    ]);
  });

  it('are broken by what is not known', () => {
    expect(checkBudgets(report, { predictedMs: 100, kl: 1 }).map(({ budget, kept }) => [budget, kept])).toEqual([
      ['predictedMs', true],
      ['kl', true],
      ['predictedMs', false],
      ['kl', false],
    ]);
    const [, , , kl] = checkBudgets(report, { predictedMs: 100, kl: 1 });
    expect(brokenText(kl)).toBe('b.md under causal, M = 64 has no mean KL (score from=300 leaves none of its positions)');
  });

  it('check nothing where none is set', () => {
    expect(checkBudgets(report, {})).toEqual([]);
  });

  it('hold within the trained length: over all positions where none is past it, and broken where it is not known', () => {
    const apart = { divergence: { mean: { value: 0.14 } }, byTraining: { within: { divergence: { value: 0.02 } } } };
    const [point] = report.points;
    const both = { ...report, points: [{ ...point, prompts: [{ ...prompt('c.md', 1, 1, 0), quality: apart }, ...point.prompts] }] };
    const checked = (trainedTokens?: number): unknown =>
      checkBudgets({ ...both, model: { shape: { trainedTokens } } } as unknown as ExperimentReport, { klWithin: 0.05 }).map(
        ({ budget, value, kept }) => [budget, value, kept],
      );
    expect(checked(2048)).toEqual([
      ['klWithin', 0.02, true],
      ['klWithin', 0.1, false],
      ['klWithin', null, false],
    ]);
    expect(checked()).toEqual([
      ['klWithin', null, false],
      ['klWithin', null, false],
      ['klWithin', null, false],
    ]);
  });
});
