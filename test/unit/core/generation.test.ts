import { assert, describe, expect, it } from 'vitest';
import { chooseToken, greedy } from '../../../src/core/generate/choose';
import { uniform } from '../../../src/core/math/random';

const logits = Float32Array.of(1, 3, 2, 3, -Infinity);
const sampled = { temperature: 1, topK: 0, topP: 1, seed: 1 };

/** The token that is chosen, where logits are numbers. */
function chosen(...given: Parameters<typeof chooseToken>): NonNullable<ReturnType<typeof chooseToken>> {
  const token = chooseToken(...given);
  assert(token !== undefined);
  return token;
}

/** Shares of tokens among many choices. */
function shares(options: typeof sampled, draws = 20_000): number[] {
  const random = uniform(options.seed);
  const counts = new Array<number>(logits.length).fill(0);
  for (let draw = 0; draw < draws; draw += 1) {
    counts[chosen(logits, options, random).token] += 1;
  }
  return counts.map((count) => count / draws);
}

describe('choosing a token', () => {
  it('takes the most likely one greedily, the first of equals, and asks for no random number', () => {
    const { token, logProbability } = chosen(logits, greedy, () => {
      throw new Error('asked');
    });
    expect(token).toBe(1);
    expect(logProbability).toBeCloseTo(3 - Math.log(Math.exp(1) + 2 * Math.exp(3) + Math.exp(2)), 6);
  });

  it('samples as often as tokens are likely', () => {
    const total = Math.exp(1) + 2 * Math.exp(3) + Math.exp(2);
    const found = shares(sampled);
    // Four standard deviations of a share over 20,000 draws are at most 0.014.
    [1, 3, 2, 3].forEach((logit, token) => expect(Math.abs(found[token] - Math.exp(logit) / total)).toBeLessThan(0.015));
    expect(found[4]).toBe(0);
  });

  it('sharpens and flattens by temperature', () => {
    expect(shares({ ...sampled, temperature: 0.25 })[2]).toBeLessThan(shares(sampled)[2] / 3);
    expect(shares({ ...sampled, temperature: 50 }, 5000)[0]).toBeGreaterThan(0.2);
  });

  it('cuts by rank and by probability', () => {
    expect(shares({ ...sampled, topK: 1 })).toEqual([0, 1, 0, 0, 0]);
    const three = shares({ ...sampled, topK: 3 });
    expect(three[0]).toBe(0);
    expect(three[2]).toBeGreaterThan(0.1);
    // The two most likely tokens have 0.40 each.
    expect(shares({ ...sampled, topP: 0.35 })).toEqual([0, 1, 0, 0, 0]);
    const two = shares({ ...sampled, topP: 0.5 });
    expect(two[0] + two[2]).toBe(0);
    expect(Math.abs(two[1] - 0.5)).toBeLessThan(0.015);
    // Rank first: of the two that are left each has a half.
    expect(shares({ ...sampled, topK: 2, topP: 0.5 })).toEqual([0, 1, 0, 0, 0]);
  });

  it('stays within the tokens where the random number is all but 1', () => {
    expect(chosen(logits, sampled, () => 1 - 2 ** -53).token).toBeLessThan(5);
    expect(chosen(logits, { ...sampled, topK: 2 }, () => 1 - 2 ** -53).token).toBe(3);
  });

  it('gives the same tokens for the same seed', () => {
    const draw = (): number[] => {
      const random = uniform(7);
      return Array.from({ length: 50 }, () => chosen(logits, sampled, random).token);
    };
    expect(draw()).toEqual(draw());
  });

  it.each([[[NaN, NaN]], [[1, NaN]], [[Infinity, 0]], [[-Infinity, -Infinity]], [[]]])(
    'has none of logits that are no numbers: %s',
    (values) => {
      expect(chooseToken(Float32Array.from(values), greedy, () => 0)).toBeUndefined();
      expect(chooseToken(Float32Array.from(values), sampled, () => 0)).toBeUndefined();
    },
  );
});
