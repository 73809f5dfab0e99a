import { afterEach, describe, expect, it, vi } from 'vitest';
import { greedy } from '../../../src/core/generate/choose';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { toJson } from '../../../src/core/report/json';
import type { RunReport } from '../../../src/core/report/report';
import { parseHeads } from '../../../src/core/scenario/parse';
import { maskOf, type PerHeadScenario } from '../../../src/core/scenario/scenario';
import { promptFromText } from '../../../src/engine/read/prompt';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { simulate } from '../../../src/engine/tasks/simulate';
import { float64Perplexity } from '../../support/float64-llama';
import { embeddedFolder, modelsFolder, sampleText } from '../../support/paths';

/** Whether two kinds of head take each other's masks in a run. */
const fault = vi.hoisted(() => ({ swaps: false }));

vi.mock(import('../../../src/engine/attend/tiles/headwise'), async (original) => {
  const { headwiseAttention } = await original();
  return {
    headwiseAttention: (kinds) =>
      headwiseAttention(
        fault.swaps ? kinds.map(({ heads }, index) => ({ heads, attention: kinds[(index + 1) % kinds.length].attention })) : kinds,
      ),
  };
});

afterEach(() => {
  fault.swaps = false;
});

// 8 query heads over 4 key-value heads: of two that share keys, each has another mask.
const scenario = parseHeads('causal,sliding-window:4,attention-sink:5:2,custom:k <= q and q % 3 == k % 3') as PerHeadScenario;
const context = {
  modelsFolder,
  calibrations: new CalibrationStore('/nonexistent'),
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const tokens = 16;

/** The perplexity under the scenario, computed once: it takes a second. */
let exact: number | undefined;

function run(options: Partial<SimulationOptions>): Promise<RunReport> {
  return simulate(
    promptFromText('sample', sampleText()),
    { ...defaultOptions, scenario, blockSize: 5, maxTokens: tokens, ...options },
    context,
  );
}

describe('a run with a mask for each head', () => {
  it.each(['fused', 'tight'] as const)(
    'is what an independent float64 model computes, with shared keys, under %s',
    async (construction) => {
      const report = await run({ construction });
      const ids = [...(await PromptTokenizer.load(embeddedFolder)).encode(sampleText())].slice(0, tokens);
      const masks = scenario.cycle.map((own) => maskOf(own, tokens));
      exact ??= float64Perplexity(embeddedFolder, ids, (query, key, head) => masks[head % masks.length].allows(query, key));
      expect(Math.abs((report.quality?.perplexity ?? NaN) / exact - 1)).toBeLessThan(5e-5);
      expect(report.run.calls).toMatchObject({ attention: report.plan.calls.attention, tokenwise: report.plan.calls.tokenwise });
      expect(report.verdict.kind).toBe('exact');
      const { coverage } = report.fidelity ?? {};
      expect(coverage?.heads).toEqual({ asked: 48, compared: 48 });
      expect(coverage?.probes).toEqual({ asked: 4, compared: 4 });
      expect(coverage?.rows.compared).toBe(coverage?.rows.asked);
      expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
    },
  );

  it('fails where heads have the masks of others', async () => {
    fault.swaps = true;
    const { verdict } = await run({ quality: false });
    expect(verdict.kind).toBe('failed');
  });

  it('is refused by name where graphs have one mask for all heads', async () => {
    await expect(run({ executor: 'compiled' })).rejects.toThrow(/^Compiled layers, and float16 with them, have one mask for all heads/);
    const options = { ...defaultOptions, scenario, maxTokens: tokens };
    const generation = { ...greedy, tokens: 2, baseline: false };
    await expect(generate(promptFromText('sample', sampleText()), options, generation, context)).rejects.toThrow(
      /^per-head\(.*\) runs whole prompts, not one token after another/,
    );
  });
});
