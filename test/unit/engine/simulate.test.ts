import { toJson } from '../../../src/core/report/json';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { layerPhases, type Progress } from '../../../src/core/report/phases';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario, maskOf, scenarioKinds } from '../../../src/core/scenario/scenario';
import { promptFromText } from '../../../src/engine/read/prompt';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { simulate } from '../../../src/engine/tasks/simulate';
import { float64Perplexity } from '../../support/float64-llama';
import { embeddedFolder, modelsFolder, sampleText } from '../../support/paths';
import { trainedOn } from '../../support/trained';

/** A folder that is not there: nothing is calibrated. */
const calibrations = new CalibrationStore('/nonexistent');

function run(
  options: Partial<SimulationOptions>,
  onProgress: (progress: Progress) => void = () => undefined,
  signal = new AbortController().signal,
): Promise<RunReport> {
  return simulate(
    promptFromText('sample', sampleText()),
    { ...defaultOptions, ...options },
    { modelsFolder, calibrations, signal, onProgress },
  );
}

const small = { window: 40, sinks: 3, seed: 5 };

describe('simulating a prompt', () => {
  it.each(scenarioKinds)('runs the planned calls under %s, and proves the result', async (kind) => {
    const scenario = makeScenario(kind, small);
    const report = await run({ scenario, blockSize: 48, maxTokens: 301 });
    expect(report.prompt.tokens).toBe(301);
    expect(report.run.calls.attention).toBe(report.plan.calls.attention);
    expect(report.run.calls.tokenwise).toBe(report.plan.calls.tokenwise);
    expect(report.run.calls.perLayer).toBe(report.plan.calls.perLayer);
    expect(report.fidelity?.rows).toBe(report.plan.blocks);
    expect(report.fidelity?.wrongRows).toEqual([]);
    expect(report.fidelity?.probe).toMatchObject({ rows: 301, wrongRows: [] });
    if (kind === 'average-case') {
      // A sample of a trained model's attention is far from exact; the report must say so.
      expect(report.fidelity?.maxAbsError).toBeGreaterThan(0.1);
    } else {
      expect(report.fidelity?.maxAbsError).toBeLessThan(1e-4);
      expect(report.fidelity?.logNormaliserError).toBeLessThan(1e-4);
    }
    const looksAhead = kind === 'full' || kind === 'average-case' || kind === 'local-window';
    expect(report.quality === null).toBe(looksAhead);
    expect(report.qualityNote === null).toBe(!looksAhead);
    const { tokenwise, predictions } = report.fidelity?.coverage ?? {};
    // A prompt this short does not pay for all 6 layers.
    expect(tokenwise).toEqual({ asked: 2, compared: 2 });
    expect(predictions).toEqual({ asked: looksAhead ? 0 : 1, compared: looksAhead ? 0 : 1 });
    // The most that a right run uses, of what it is allowed.
    expect(report.fidelity?.tokenwise?.maxRelError).toBeLessThan(1e-4);
    expect(report.fidelity?.prediction?.error ?? 0).toBeLessThan((report.fidelity?.prediction?.bound ?? 1) / 2);
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  // Of the loss under the scenario, of the baseline's, and of their divergence.
  it.each(['loss', 'baselineLoss', 'divergence'] as const)('fails where %s is measured wrong', async (name) => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
    const { compare } = OutputHead.prototype;
    vi.spyOn(OutputHead.prototype, 'compare').mockImplementation(async function (this: OutputHead, ...given) {
      const compared = await compare.call(this, ...given);
      return { ...compared, [name]: compared[name]?.map((value) => value + 0.01) };
    });
    const { verdict } = await run({ scenario: makeScenario('sliding-window', small), blockSize: 48, maxTokens: 101 }).finally(() =>
      vi.restoreAllMocks(),
    );
    expect(verdict).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^A loss or divergence at position \d+ is off by 1\.0e-2/) as string,
    });
  });

  it.each(['tiles', 'compiled'] as const)('times every layer, run by %s', async (executor) => {
    const { run: measured } = await run({ executor, blockSize: 48, maxTokens: 301, quality: false });
    expect(measured.layers).toHaveLength(6);
    for (const phase of layerPhases) {
      expect(measured.layers?.reduce((sum, layer) => sum + layer[phase], 0)).toBeCloseTo(measured.phases[phase], 6);
    }
    const total = measured.layers?.flatMap((layer) => Object.values(layer)).reduce((sum, time) => sum + time, 0);
    expect(total).toBeLessThanOrEqual(measured.wallMs);
    expect(measured.layers?.every((layer) => layer.attend + layer.layer > 0)).toBe(true);
  });

  it('checks every row on demand, for every exact scenario', async () => {
    for (const kind of scenarioKinds.filter((each) => each !== 'average-case')) {
      const report = await run({ scenario: makeScenario(kind, small), blockSize: 96, maxTokens: 300, verify: 'dense', quality: false });
      expect(report.fidelity?.rows).toBe(300);
      // Scores reach a few hundred here, and float32 rounds those by 2e-5: that is the scale of the error to expect.
      expect(report.fidelity?.maxRelError).toBeLessThan(5e-5);
    }
  });

  it('stays under 1e-4 at 2048 tokens', async () => {
    for (const kind of ['full', 'causal', 'sliding-window', 'attention-sink']) {
      const report = await run({ scenario: makeScenario(kind), maxTokens: 2048, quality: false });
      expect(report.prompt.tokens).toBe(2048);
      expect(report.fidelity?.maxAbsError).toBeLessThan(1e-4);
    }
  });

  it.each(['causal', 'sliding-window', 'attention-sink'])('has the perplexity of an independent float64 model under %s', async (kind) => {
    const scenario = makeScenario(kind, small);
    const tokens = 50;
    const { quality } = await run({ scenario, blockSize: 32, maxTokens: tokens });
    const ids = [...(await PromptTokenizer.load(embeddedFolder)).encode(sampleText())].slice(0, tokens);
    const exact = float64Perplexity(embeddedFolder, ids, maskOf(scenario, tokens).allows);
    // Equal to four digits means a relative difference of at most 5e-5.
    expect(Math.abs((quality?.perplexity ?? NaN) / exact - 1)).toBeLessThan(5e-5);
  });

  it('gives the same perplexity and no divergence where the window covers everything', async () => {
    const { quality } = await run({ scenario: makeScenario('sliding-window', { window: 512 }), blockSize: 64, maxTokens: 200 });
    expect(quality?.perplexity).toBeCloseTo(quality?.baselinePerplexity ?? NaN, 4);
    expect(quality?.meanKl).toBeLessThan(1e-6);
  });

  it('does not depend on the block size or on how instances are packed', async () => {
    const perplexities: number[] = [];
    for (const change of [{ blockSize: 7 }, { blockSize: 64 }, { blockSize: 500 }, { blockSize: 32, oracleHeads: 3, oracleLayers: 2 }]) {
      perplexities.push(
        (await run({ ...change, scenario: makeScenario('attention-sink', small), maxTokens: 150 })).quality?.perplexity ?? NaN,
      );
    }
    perplexities.forEach((value) => expect(value).toBeCloseTo(perplexities[0], 3));
  });

  it('reports progress that never falls and ends at 1', async () => {
    const fractions: number[] = [];
    await run({ scenario: makeScenario('sliding-window', small), blockSize: 32, maxTokens: 300 }, ({ fraction }) =>
      fractions.push(fraction),
    );
    expect(fractions.length).toBeGreaterThan(20);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  it('stops between calls when it is cancelled', async () => {
    const controller = new AbortController();
    let after = 0;
    const running = run(
      { maxTokens: 2000 },
      () => {
        after += controller.signal.aborted ? 1 : 0;
        controller.abort();
      },
      controller.signal,
    );
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(after).toBe(0);
  });

  it('can leave out the checks', async () => {
    const report = await run({ verify: 'none', quality: false, maxTokens: 60 });
    expect(report.fidelity).toBeNull();
    expect(report.quality).toBeNull();
    expect(report.run.phases.verify).toBe(0);
    expect(report.qualityNote).toMatch(/switched off/);
  });

  it('says the quality within and past the trained length apart, where it predicts on both sides', async () => {
    const scenario = makeScenario('sliding-window', { window: 16 });
    const options = { scenario, blockSize: 32, model: trainedOn(60), verify: 'none' } as const;
    const [past, within, edge] = [
      await run({ ...options, maxTokens: 120 }),
      await run({ ...options, maxTokens: 61 }),
      await run({ ...options, maxTokens: 62 }),
    ].map(({ quality, plan }) => ({ quality, notes: plan.notes }));
    expect(past.notes).toEqual([expect.stringMatching(/^120 tokens are past the 60 that the model was trained on/)]);
    expect(past.quality?.byTraining).toMatchObject({ trainedTokens: 60, within: { positions: 60 }, past: { positions: 59 } });
    // No token sees a later one, so that the first 61 tokens alone have the same predictions.
    const { meanKl, perplexity, baselinePerplexity } = past.quality?.byTraining?.within ?? {};
    expect(meanKl).toBeCloseTo(within.quality?.meanKl ?? NaN, 6);
    expect(perplexity).toBeCloseTo(within.quality?.perplexity ?? NaN, 3);
    expect(baselinePerplexity).toBeCloseTo(within.quality?.baselinePerplexity ?? NaN, 3);
    const sides = [past.quality?.byTraining?.within, past.quality?.byTraining?.past].filter((side) => side !== undefined);
    expect(sides.reduce((sum, side) => sum + side.meanKl * side.positions, 0) / 119).toBeCloseTo(past.quality?.meanKl ?? NaN, 9);
    // 61 tokens are past it, and yet the last prediction that is scored is made after 60.
    expect([within.notes.length, within.quality?.byTraining, edge.quality?.byTraining?.past.positions]).toEqual([1, undefined, 1]);
  });

  it('runs a single token, which has nothing to predict', async () => {
    const report = await run({ maxTokens: 1 });
    expect(report.plan.calls.attention).toBe(6);
    expect(report.quality).toBeNull();
    expect(report.qualityNote).toMatch(/no next token/);
  });
});

describe('refusing before a run', () => {
  afterEach(() => vi.restoreAllMocks());

  it('names the block size that fits the memory', async () => {
    vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(100 * 1024 ** 2);
    const failure = await run({ blockSize: 4096, maxTokens: 4096, memoryLimit: 500 * 1024 ** 2 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    const [, suggested] = /block size of 4096 needs about .* may be used; use --block (\d+)/.exec((failure as Error).message) ?? [];
    const accepted = await run({
      blockSize: Number(suggested),
      maxTokens: 300,
      memoryLimit: 500 * 1024 ** 2,
      verify: 'none',
      quality: false,
    });
    expect(accepted.oracle.inputLength).toBe(Number(suggested));
  });

  it('names the option whose memory is too much', async () => {
    vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(100 * 1024 ** 2);
    // With M = 16 already, smaller blocks save nothing.
    const tight = { blockSize: 16, maxTokens: 1100, scenario: makeScenario('sliding-window', { window: 40 }) };
    await expect(run({ ...tight, memoryLimit: 200 * 1024 ** 2 })).rejects.toThrow(
      /of memory \(process 100 MiB \+ weights .* \+ layers .* \+ check .* \+ quality .*\) and 200 MiB may be used; use --no-quality\.$/,
    );
  });

  it('says when no block size fits', async () => {
    await expect(run({ memoryLimit: 1024 })).rejects.toThrow(
      /no run of this model fits, however short the prompt: at least [\d.]+ MiB must be free/,
    );
  });

  it('names a provider that is not in this ONNX Runtime', async () => {
    const missing = process.platform === 'darwin' ? 'dml' : 'coreml';
    await expect(run({ provider: missing, maxTokens: 10 })).rejects.toThrow(
      new RegExp(`Provider "${missing}" is not in ONNX Runtime .*use one of auto, cpu`),
    );
  });

  it.each([
    ['empty', '', /is empty/],
    ['binary', 'a\0b', /is a binary file \(it holds NUL bytes\)/],
  ])('an %s prompt', (_what, text, message) => {
    expect(() => promptFromText('prompt.md', text)).toThrow(message);
  });
});
