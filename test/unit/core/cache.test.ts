import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { cacheOf } from '../../../src/core/plan/cache';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { makeScenario, perLayer, type ScenarioChoice } from '../../../src/core/scenario/scenario';
import type { ModelShape } from '../../../src/core/shapes';

const cached = (model: ModelShape, tokens: number, scenario: ScenarioChoice = { kind: 'native' }) =>
  cacheOf(makePlan(planRequest(tokens, model, { ...defaultOptions, blockSize: 1024, scenario })));

/** Llama 3.1 8B. */
const llama: ModelShape = {
  ...{ layers: 32, heads: 32, keyValueHeads: 8, headWidth: 128, width: 4096, feedForwardWidth: 14_336, vocabulary: 128_256 },
};

describe('the cache of a prompt', () => {
  it('of Llama 3.1 8B has 128 KiB a token in float16, as everybody counts', () => {
    const cache = cached(llama, 131_072);
    expect(cache?.bytes).toEqual({ f32: 2 ** 35, f16: 2 ** 34, bf16: 2 ** 34, int8: 2 ** 33 });
    expect(cache?.kinds).toEqual([{ layers: 32, tokens: 131_072, width: 2048 }]);
  });

  it('keeps a window and its sinks, and no more than there are', () => {
    const window = makeScenario('sliding-window', { window: 512 });
    expect(cached(llama, 5000, window)?.kinds).toEqual([{ layers: 32, tokens: 512, width: 2048 }]);
    expect(cached(llama, 100, window)?.kinds[0].tokens).toBe(100);
    expect(cached(llama, 5000, makeScenario('attention-sink', { window: 512, sinks: 4 }))?.kinds[0].tokens).toBe(516);
    expect(cached(llama, 5000, makeScenario('custom', { expression: 'k <= q and q - k < 3' }))?.kinds[0].tokens).toBe(5000);
    expect(cached(llama, 5000, perLayer([window, { kind: 'causal' }]))?.kinds).toEqual([
      { layers: 16, tokens: 512, width: 2048 },
      { layers: 16, tokens: 5000, width: 2048 },
    ]);
  });

  it('is nothing where queries see later keys', () => {
    expect(cached(llama, 100, { kind: 'full' })).toBeNull();
  });

  it('of latent attention is the latent, 70,272 bytes a token of DeepSeek-V3 in float16', () => {
    const latent = { ...llama, layers: 61, heads: 128, keyValueHeads: 128, headWidth: 192, valueWidth: 128, cacheWidth: 576 };
    expect(cached(latent, 1)?.bytes.f16).toBe(70_272);
  });

  it('keeps all keys from which queries pick, but under a mask of the user', () => {
    const window = makeScenario('sliding-window', { window: 64 });
    const picking: ModelShape = { ...llama, attention: window, picksKeys: true };
    expect(cached(picking, 5000)?.kinds[0].tokens).toBe(5000);
    expect(cached(picking, 5000, makeScenario('sliding-window', { window: 32 }))?.kinds[0].tokens).toBe(32);
  });

  it('leaves out layers that keep nothing', () => {
    const { heads, keyValueHeads, headWidth, feedForwardWidth } = llama;
    const layer = { heads, keyValueHeads, headWidth, feedForwardWidth };
    const kinds = [
      { ...layer, layers: [0] },
      { ...layer, heads: 0, keyValueHeads: 0, layers: [1] },
      { ...layer, cacheWidth: 0, layers: [2] },
    ];
    expect(cached({ ...llama, layers: 3, kinds }, 10)?.kinds).toEqual([{ layers: 1, tokens: 10, width: 2048 }]);
  });
});
