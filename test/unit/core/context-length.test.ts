import { describe, expect, it } from 'vitest';
import { contextLength, contextNote, contextText, exceedsPositions } from '../../../src/core/plan/context-length';
import { makePlan, summarise } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { defaultOptions } from '../../../src/core/options/table';
import { smallModel } from '../../support/shapes';

describe('the context length of a model', () => {
  it.each([
    [{}, undefined],
    [{ trainedTokens: 2048 }, 2048],
    [{ maximumTokens: 1024 }, 1024],
    [{ trainedTokens: 2048, maximumTokens: 1024 }, 1024],
  ])('of %o is %s', (lengths, length) => {
    expect(contextLength(lengths)).toBe(length);
  });

  it.each([
    [3743, { trainedTokens: 131_072 }, '3,743 of 131,072 tokens, 3%'],
    [1, { trainedTokens: 2048 }, '1 of 2,048 tokens, <1%'],
    [2048, { trainedTokens: 2048 }, '2,048 of 2,048 tokens, 100%'],
    [4957, { trainedTokens: 2048 }, '4,957 of 2,048 tokens, 242%'],
    [4000, { trainedTokens: 1024, maximumTokens: 1024 }, '4,000 of 1,024 tokens, 391%'],
    [1_000_000, { trainedTokens: 48 }, '1,000,000 of 48 tokens, 2,083,333%'],
    [4957, {}, '4,957 tokens'],
  ])('is taken by %d tokens of %o as "%s"', (tokens, lengths, text) => {
    expect(contextText(tokens, lengths)).toBe(text);
  });

  it('is passed by one token more, and only positions forbid a run', () => {
    expect([2048, 2049].map((tokens) => contextNote(tokens, { trainedTokens: 2048 }))).toEqual([
      undefined,
      expect.stringContaining('past the 2,048 that the model was trained on'),
    ]);
    expect([1024, 1025].map((tokens) => contextNote(tokens, { trainedTokens: 512, maximumTokens: 1024 }))).toEqual([
      expect.stringContaining('past the 512 that the model was trained on'),
      expect.stringContaining('The model has 1,024 positions'),
    ]);
    expect([1024, 1025].map((tokens) => exceedsPositions(tokens, { maximumTokens: 1024 }))).toEqual([false, true]);
    expect(exceedsPositions(1e6, { trainedTokens: 1 })).toBe(false);
  });
});

describe('a plan', () => {
  const planOf = (tokens: number, lengths: object, scenario: Parameters<typeof planRequest>[2]['scenario'] = { kind: 'causal' }) =>
    makePlan(planRequest(tokens, { ...smallModel, ...lengths }, { ...defaultOptions, scenario }));

  it('says that it is past the length of training, once, also where layers differ', () => {
    const note = '4,957 tokens are past the 2,048 that the model was trained on: its predictions there are worse under any mask.';
    expect(planOf(4957, { trainedTokens: 2048 }).notes).toEqual([note]);
    const cycle = [{ kind: 'causal' }, { kind: 'sliding-window', window: 256 }, { kind: 'causal' }] as const;
    expect(planOf(4957, { trainedTokens: 2048 }, { kind: 'per-layer', cycle }).notes).toEqual([note]);
    expect(planOf(2048, { trainedTokens: 2048 }).notes).toEqual([]);
  });

  it('says only that it cannot be run where the model has fewer positions', () => {
    expect(planOf(4000, { trainedTokens: 1024, maximumTokens: 1024 }).notes).toEqual([
      'The model has 1,024 positions and cannot run 4,000 tokens: this is a plan only.',
    ]);
    expect(contextNote(1024, { trainedTokens: 1024, maximumTokens: 1024 })).toBeUndefined();
  });

  it('carries both lengths into its report', () => {
    expect(summarise(planOf(100, { trainedTokens: 64, maximumTokens: 128 })).model).toMatchObject({
      trainedTokens: 64,
      maximumTokens: 128,
    });
  });
});
