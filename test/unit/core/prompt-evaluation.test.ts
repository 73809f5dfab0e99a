import { describe, expect, it } from 'vitest';
import { evaluatedScenarios } from '../../../src/core/compare/scenario-costs';
import { promptEvaluation, scenarioOf } from '../../../src/core/evaluate/experiment';
import { defaultOptions } from '../../../src/core/options/table';
import { planRequest } from '../../../src/core/plan/request';
import { makeScenario, perLayer, type Scenario } from '../../../src/core/scenario/scenario';
import { smallModel } from '../../support/shapes';

const parameters = { window: 64, sinks: 4 };
const kindsFor = (options: Partial<typeof defaultOptions>, model = smallModel): string[] =>
  evaluatedScenarios(planRequest(3000, model, { ...defaultOptions, ...options }), parameters).map(({ kind }) => kind);

describe('the scenarios that a prompt is evaluated under', () => {
  it('are those in which no query sees later keys, where a model predicts the next token', () => {
    expect(kindsFor({ scenario: { kind: 'causal' } })).toEqual(['causal', 'sliding-window', 'attention-sink', 'top-k', 'adaptive']);
    expect(kindsFor({ scenario: perLayer([{ kind: 'causal' }, makeScenario('sliding-window', { window: 8 })]) })).toEqual([
      'per-layer',
      'causal',
      'sliding-window',
      'attention-sink',
      'top-k',
      'adaptive',
    ]);
  });

  it('are all for a model that looks to both sides itself', () => {
    const encoder = { ...smallModel, attention: { kind: 'full' } as const };
    expect(kindsFor({ scenario: { kind: 'full' } }, encoder)).toEqual([
      'full',
      'causal',
      'sliding-window',
      'attention-sink',
      'local-window',
      'average-case',
      'top-k',
      'adaptive',
    ]);
  });

  it('are those that the construction reaches', () => {
    expect(kindsFor({ scenario: { kind: 'causal' }, construction: 'paper', blockSize: 32 })).toEqual(['causal']);
  });
});

describe('the experiment of a prompt', () => {
  const others: readonly Scenario[] = [{ kind: 'causal' }, makeScenario('attention-sink', parameters)];

  it('holds the scenario in force against the others, each once', () => {
    const { scenarios, blocks, prompts, retrieval } = promptEvaluation(
      'a.md',
      { kind: 'causal' },
      others,
      { ...defaultOptions, blockSize: 96 },
      null,
    );
    expect(scenarios).toEqual(['causal', 'attention-sink:64:4']);
    expect([blocks, prompts, retrieval]).toEqual([[96], ['a.md'], null]);
  });

  it('can name layers that differ, the model’s own attention and a written mask', () => {
    const mixed = perLayer([{ kind: 'causal' }, makeScenario('sliding-window', { window: 8 })]);
    for (const chosen of [mixed, { kind: 'native' } as const, makeScenario('custom', { expression: 'k <= q' })]) {
      const [first] = promptEvaluation('a.md', chosen, [], defaultOptions, null).scenarios;
      expect(scenarioOf(first)).toEqual(chosen);
    }
  });

  it('hides a needle in contexts that the prompt has tokens for', () => {
    expect(promptEvaluation('a.md', { kind: 'causal' }, [], defaultOptions, { tokens: 1146 }).retrieval?.lengths).toEqual([286, 573, 1146]);
    expect(promptEvaluation('a.md', { kind: 'causal' }, [], defaultOptions, { tokens: 100_000 }).retrieval?.lengths).toEqual([
      512, 1024, 2048,
    ]);
  });
});
