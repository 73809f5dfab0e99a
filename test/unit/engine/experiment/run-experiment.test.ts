import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../../../src/core/errors';
import { defaultExperiment, defaultRetrieval, type Experiment } from '../../../../src/core/evaluate/experiment';
import { type ExperimentReport, summariseExperiment } from '../../../../src/core/evaluate/report';
import { hasOneBlockSize, readText } from '../../../../src/core/evaluate/rows';
import { automaticBlock, defaultOptions } from '../../../../src/core/options/table';
import type { Progress } from '../../../../src/core/report/phases';
import { promptFromText } from '../../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../../src/engine/store/calibrations';
import { DigestStore } from '../../../../src/engine/store/digests';
import { Results } from '../../../../src/engine/tasks/evaluate/results';
import { runExperiment } from '../../../../src/engine/tasks/evaluate/run-experiment';
import { simulate } from '../../../../src/engine/tasks/simulate';
import { modelsFolder, root, sampleText } from '../../../support/paths';
import { keptAgain } from '../../../support/records';
import { temporaryFolder } from '../../../support/temporary';
import { trainedOn } from '../../../support/trained';
import { writeTinyTokenizer } from '../../../support/tiny-tokenizer';

const calibrations = new CalibrationStore('/nonexistent');

interface Surroundings {
  readonly text?: string;
  readonly results?: Results;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

function run(
  experiment: Partial<Experiment>,
  {
    text = sampleText().slice(0, 1500),
    results = Results.inMemory(),
    onProgress = () => undefined,
    signal = new AbortController().signal,
  }: Surroundings = {},
): Promise<ExperimentReport> {
  const context = { modelsFolder, calibrations, digests: new DigestStore(undefined), signal, onProgress, results };
  return runExperiment(
    [promptFromText('sample', text)],
    { ...defaultExperiment, prompts: ['sample'], context: 256, ...experiment },
    context,
  );
}

/** A golden checkpoint with a tokenizer of the words w0, w1, ... */
function withTokenizer(name: string, around: boolean): string {
  const folder = join(temporaryFolder(), name);
  cpSync(join(root, 'test', 'golden', name), folder, { recursive: true });
  const { vocab_size: vocabulary } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { vocab_size: number };
  writeTinyTokenizer(folder, vocabulary - 3, around);
  return folder;
}

const words = Array.from({ length: 90 }, (_, index) => `w${(index * 7) % 40}`).join(' ');

describe('an experiment', () => {
  it('has as many windows as a long prompt has tokens, more than a function takes arguments', async () => {
    const { prompts } = await run({ context: 3, stride: 1, quality: false, scenarios: ['causal'] }, { text: 'a b '.repeat(65_000) });
    expect(prompts[0].windows).toBeGreaterThan(125_000);
  });

  it('finds the quality that a simulation finds, window by window', async () => {
    const prompt = promptFromText('sample', sampleText().slice(0, 700));
    const scenario = { kind: 'sliding-window', window: 24 } as const;
    const simulated = await simulate(
      prompt,
      { ...defaultOptions, scenario, blockSize: 64, verify: 'none' },
      { modelsFolder, calibrations, signal: new AbortController().signal, onProgress: () => undefined },
    );
    const {
      points: [point],
    } = await run({ scenarios: ['sliding-window:24'], blocks: [64], context: 1024 }, { text: prompt.text });
    expect(point.quality?.positions).toBe(simulated.quality?.positions);
    expect(point.quality?.targets?.perplexity.value).toBeCloseTo(simulated.quality?.perplexity ?? NaN, 3);
    expect(point.quality?.targets?.baselinePerplexity.value).toBeCloseTo(simulated.quality?.baselinePerplexity ?? NaN, 3);
    expect(point.quality?.divergence.mean.value).toBeCloseTo(simulated.quality?.meanKl ?? NaN, 6);
    expect(point.quality?.agreement.value).toBeCloseTo(simulated.quality?.topAgreement ?? NaN, 10);
    expect(point.measured?.calls).toBe(simulated.run.calls.total);
  });

  it('finds quality within and past the trained length, as a simulation does', async () => {
    const prompt = promptFromText('sample', sampleText().slice(0, 700));
    const model = trainedOn(60);
    const scenario = { kind: 'sliding-window', window: 24 } as const;
    const { quality } = await simulate(
      prompt,
      { ...defaultOptions, model, scenario, blockSize: 64, verify: 'none' },
      { modelsFolder, calibrations, signal: new AbortController().signal, onProgress: () => undefined },
    );
    const report = await run({ model, scenarios: ['sliding-window:24'], blocks: [64], context: 1024 }, { text: prompt.text });
    const [{ quality: found, prompts }] = report.points;
    for (const side of ['within', 'past'] as const) {
      const own = quality?.byTraining?.[side];
      expect(found?.byTraining?.[side].positions).toBe(own?.positions);
      expect(found?.byTraining?.[side].divergence.value).toBeCloseTo(own?.meanKl ?? NaN, 6);
      expect(found?.byTraining?.[side].targets?.perplexity.value).toBeCloseTo(own?.perplexity ?? NaN, 3);
      expect(found?.byTraining?.[side].targets?.baselinePerplexity.value).toBeCloseTo(own?.baselinePerplexity ?? NaN, 3);
    }
    expect(prompts[0].quality?.byTraining).toEqual(found?.byTraining);
    const summary = summariseExperiment(report);
    expect((await keptAgain({ kind: 'evaluation', origin: null, file: null, report: summary })).report).toEqual(summary);
    expect(readText(report)).toMatch(/\n\d+ tokens are past the 60 that the model was trained on/);
    // By itself it reads no more than that.
    const usual = await run({ model, scenarios: ['sliding-window:24'], blocks: [64], context: 0 }, { text: prompt.text });
    expect(usual.experiment.context).toBe(60);
    expect(usual.points[0].quality).not.toHaveProperty('byTraining');
    expect(readText(usual)).not.toContain('past');
  });

  it('settles an automatic block size for each scenario, and measures it with that', async () => {
    const report = await run(
      { scenarios: ['causal', 'sliding-window:24'], blocks: [automaticBlock, 64] },
      { text: sampleText().slice(0, 500) },
    );
    // Nothing is calibrated, so that it is the default.
    expect(report.points.map(({ blockSize, measuredBlockSize }) => [blockSize, measuredBlockSize])).toEqual([
      [256, 256],
      [64, 256],
      [256, 256],
      [64, 256],
    ]);
    expect(readText({ ...report, ...summariseExperiment(report) })).toContain('tiny-docs-5m');
    expect(hasOneBlockSize({ blocks: [automaticBlock] })).toBe(false);
  });

  it('plans and runs with the layers and heads of the small transformer', async () => {
    const shape = { scenarios: ['causal'], blocks: [64] };
    const text = sampleText().slice(0, 500);
    const [single] = (await run({ ...shape, oracleHeads: 1 }, { text })).points;
    const [wide] = (await run({ ...shape, oracleHeads: 2, oracleLayers: 2 }, { text })).points;
    expect(wide.cost.calls.attention).toBeLessThan(single.cost.calls.attention);
    expect(wide.measured?.calls).toBe(wide.cost.calls.total);
    expect(single.measured?.calls).toBe(single.cost.calls.total);
  });

  it('holds the model against its own attention: nothing differs, by definition', async () => {
    const {
      baseline,
      points: [point],
    } = await run({ scenarios: ['native'] });
    expect(baseline).toEqual({ kind: 'causal' });
    expect(point.quality?.divergence.maximum).toBeLessThan(1e-9);
    expect(point.quality?.agreement.value).toBe(1);
  });

  it('measures an exact scenario once for all block sizes, and gives the same with each', async () => {
    const { points } = await run({ scenarios: ['sliding-window:32'], blocks: [32, 128] });
    expect(points.map(({ blockSize, measured }) => [blockSize, measured === null])).toEqual([
      [32, true],
      [128, false],
    ]);
    expect(points[0].quality).toEqual(points[1].quality);
    expect(points[0].cost.calls.total).toBeGreaterThan(points[1].cost.calls.total);
    const {
      points: [alone],
    } = await run({ scenarios: ['sliding-window:32'], blocks: [32] });
    expect(alone.quality?.divergence.mean.value).toBeCloseTo(points[0].quality?.divergence.mean.value ?? NaN, 6);
  });

  it('marks the points that no other one beats', async () => {
    const { points } = await run({ scenarios: ['native', 'sliding-window:16', 'sliding-window:64'], blocks: [32, 128] });
    const beaten = points.map((point) =>
      points.some((other) => {
        const [own, its] = [point, other].map(({ cost, quality }) => [cost.flops, quality?.divergence.mean.value ?? NaN]);
        return its.every((value, index) => value <= own[index]) && its.some((value, index) => value < own[index]);
      }),
    );
    expect(points.map(({ onFront }) => onFront)).toEqual(beaten.map((each) => !each));
  });

  it('says why a scenario that looks ahead has no quality, and plans it', async () => {
    const {
      points: [point],
    } = await run({ scenarios: ['full'] });
    expect(point.quality).toBeNull();
    expect(point.measured).toBeNull();
    expect(point.qualityNote).toMatch(/no meaningful perplexity/);
    expect(point.cost.calls.total).toBeGreaterThan(0);
  });

  it('needs no weights where nothing is run', async () => {
    const folder = temporaryFolder();
    cpSync(join(modelsFolder, 'tiny-docs-5m'), folder, { recursive: true, filter: (source) => !source.endsWith('.safetensors') });
    const {
      points: [point],
    } = await run({ model: folder, quality: false });
    expect(point.cost.calls.total).toBeGreaterThan(0);
    expect(point.quality).toBeNull();
    await expect(run({ model: folder })).rejects.toThrow(InputError);
  });

  it('compares the predictions of an encoder, which has no perplexity', async () => {
    const {
      baseline,
      prompts,
      points: [window, own],
    } = await run(
      { model: withTokenizer('bert', true), scenarios: ['local-window:8', 'native'], context: 40, blocks: [16] },
      { text: words },
    );
    expect(baseline).toEqual({ kind: 'full' });
    expect(prompts[0]).toMatchObject({ tokens: 92, windows: 3 });
    expect(window.quality?.positions).toBe(90);
    expect(window.quality?.targets).toBeUndefined();
    expect(window.quality?.divergence.mean.value).toBeGreaterThan(0);
    expect(own.quality?.divergence.mean.value).toBeLessThan(1e-9);
  });
});

describe('retrieval', () => {
  const retrieval = {
    ...defaultRetrieval(64),
    lengths: [48, 80],
    depths: [0, 0.5],
    needle: ' w1 w2 w3 ',
    question: ' w1 w2',
    answer: ' w3 w4',
  };

  it('are scored under every scenario beside the model’s own attention', async () => {
    const { points } = await run(
      { model: withTokenizer('llama', false), scenarios: ['native', 'sliding-window:8'], blocks: [16], context: 64, retrieval },
      { text: words },
    );
    const [own, window] = points.map((point) => point.retrieval);
    expect(own?.cases.map(({ length, depth }) => [length, depth])).toEqual([
      [48, 0],
      [48, 0.5],
      [80, 0],
      [80, 0.5],
    ]);
    for (const each of own?.cases ?? []) {
      expect(each).toMatchObject({ task: 'single', expected: null, measured: each.rank === 1 ? 'found' : 'lost' });
      expect(each.logProbability).toBe(each.baselineLogProbability);
      expect(each.rank).toBeGreaterThanOrEqual(1);
      expect(each.logProbability).toBeLessThan(0);
    }
    expect(window?.cases.map((each) => each.baselineLogProbability)).toEqual(own?.cases.map((each) => each.baselineLogProbability));
    // A window of 8 tokens cannot tell how far away the needle is.
    expect(window?.cases[2].logProbability).toBeCloseTo(window?.cases[3].logProbability ?? NaN, 3);
  });

  it('are refused where the text is too short for them, and for an encoder', async () => {
    await expect(
      run({ model: withTokenizer('llama', false), context: 64, retrieval: { ...retrieval, lengths: [400] } }, { text: words }),
    ).rejects.toThrow(/haystack has 90 tokens/);
    await expect(run({ model: withTokenizer('bert', true), context: 40, retrieval }, { text: words })).rejects.toThrow(
      /does not predict the next token/,
    );
  });
});

describe('results that are kept', () => {
  const small = { scenarios: ['sliding-window:16', 'sliding-window:64'], context: 128, blocks: [64] };

  it('let a cancelled run go on, to the same end', async () => {
    const path = join(temporaryFolder(), 'results.jsonl');
    const abort = new AbortController();
    const cancelled = run(small, {
      results: await Results.open(path),
      signal: abort.signal,
      onProgress: ({ fraction }) => (fraction > 0.5 ? abort.abort() : undefined),
    });
    await expect(cancelled).rejects.toThrow(CancelledError);
    const kept = readFileSync(path, 'utf8').split('\n').length - 1;
    expect(kept).toBeGreaterThan(0);
    const resumed = await run(small, { results: await Results.open(path) });
    expect(resumed.resumed).toBe(kept);
    const whole = await run(small);
    expect(whole.resumed).toBe(0);
    expect(resumed.points.map(({ quality }) => quality)).toEqual(whole.points.map(({ quality }) => quality));
  });

  it('are not taken for those of other weights, texts or windows', async () => {
    const path = join(temporaryFolder(), 'results.jsonl');
    const model = withTokenizer('llama', false);
    const options = { scenarios: ['sliding-window:8'], context: 64, blocks: [16] };
    const again = async (experiment: Partial<Experiment>, text = words): Promise<number> =>
      (await run({ ...options, model, ...experiment }, { text, results: await Results.open(path) })).resumed;
    expect(await again({})).toBe(0);
    expect(await again({})).toBe(2);
    expect(await again({ context: 60 })).toBe(0);
    expect(await again({ blocks: [32] })).toBe(0);
    expect(await again({}, `${words} w5`)).toBe(0);
    cpSync(join(root, 'test', 'golden', 'smollm', 'model.safetensors'), join(model, 'model.safetensors'));
    await expect(again({})).rejects.toThrow(InputError);
  });

  it('are not taken for those of a model that was trained on another length, and without a new edge stay', async () => {
    const path = join(temporaryFolder(), 'results.jsonl');
    const resumed = async (model: string): Promise<number> =>
      (await run({ ...small, model }, { results: await Results.open(path) })).resumed;
    const model = trainedOn(100);
    expect(await resumed(model)).toBe(0);
    expect(await resumed(model)).toBeGreaterThan(0);
    expect(readFileSync(path, 'utf8')).toContain('"trainedTokens":100');
    await resumed('tiny-docs-5m');
    expect(readFileSync(path, 'utf8').trim().split('\n').at(-1)).not.toContain('trainedTokens');
  });

  it('report progress that never falls and ends at 1', async () => {
    const fractions: number[] = [];
    await run(small, { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(fractions).toEqual(fractions.toSorted((one, other) => one - other));
    expect(fractions.at(-1)).toBe(1);
  });
});
