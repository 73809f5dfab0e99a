import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../../../src/core/errors';
import { defaultExperiment, defaultRetrieval } from '../../../../src/core/evaluate/experiment';
import type { ExperimentSummary } from '../../../../src/core/evaluate/report';
import { CalibrationStore } from '../../../../src/engine/store/calibrations';
import { DigestStore } from '../../../../src/engine/store/digests';
import { evaluate, type EvaluateRequest } from '../../../../src/engine/tasks/evaluate/run-experiment';
import { modelsFolder, sampleText } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';

const run = (request: EvaluateRequest, signal = new AbortController().signal, processBytes?: () => number): Promise<ExperimentSummary> =>
  evaluate(request, {
    processBytes,
    modelsFolder,
    calibrations: new CalibrationStore('/nonexistent'),
    digests: new DigestStore(undefined),
    signal,
    onProgress: () => undefined,
  });

describe('an evaluation that the editor asks for', () => {
  it('is of texts at hand, each unit counted as new once', async () => {
    const text = sampleText().slice(0, 1200);
    const retrieval = {
      ...defaultRetrieval(128),
      needle: '\nIt is 7.\n',
      question: '\nIt is',
      answer: ' 7',
      lengths: [128],
      depths: [0, 1],
    };
    const experiment = {
      ...defaultExperiment,
      prompts: ['a'],
      scenarios: ['causal', 'sliding-window:32'],
      blocks: [64],
      context: 256,
      retrieval,
    };
    const { points, resumed, prompts } = await run({ experiment, texts: [{ path: 'a', text }] });
    expect(prompts.map(({ path }) => path)).toEqual(['a']);
    expect(points.map(({ quality }) => quality?.divergence.mean.value ?? NaN).map((value) => value > 0)).toEqual([false, true]);
    expect(points.every((point) => !('prompts' in point) && point.retrieval?.cases.length === 2)).toBe(true);
    // Causal attention is the baseline here: its answers are known when the baseline's are asked for, from no earlier run.
    expect(resumed).toBe(0);
    // Memory is expected of the process that there is, where it is measured.
    const planned = { experiment: { ...experiment, quality: false, retrieval: null }, texts: [{ path: 'a', text }] };
    expect((await run(planned, undefined, () => 2 ** 40)).points[0].cost.peakBytes).toBeGreaterThan(2 ** 40);
  });

  it('is of an experiment file, whose paths are relative to it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'prompt.md'), sampleText().slice(0, 800));
    const file = join(folder, 'small.two-heads.json');
    writeFileSync(
      file,
      JSON.stringify({
        version: 1,
        prompts: ['prompt.md'],
        scenarios: ['sliding-window:16'],
        blocks: [64],
        context: 128,
        maximumWindows: 1,
        results: 'kept.jsonl',
      }),
    );
    const first = await run({ file });
    expect([first.resumed, first.points.length]).toEqual([0, 1]);
    expect(readFileSync(join(folder, 'kept.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(1);
    expect((await run({ file })).resumed).toBe(1);
  });

  it('refuses a file that is none, and says where a cancelled run goes on', async () => {
    const folder = temporaryFolder();
    await expect(run({ file: join(folder, 'missing.two-heads.json') })).rejects.toThrow(InputError);
    writeFileSync(join(folder, 'prompt.md'), 'a prompt of some words');
    const file = join(folder, 'small.two-heads.json');
    writeFileSync(file, JSON.stringify({ version: 1, prompts: ['prompt.md'], scenarios: ['sliding-window:4'], results: 'kept.jsonl' }));
    const cancelled = run({ file }, AbortSignal.abort());
    await expect(cancelled).rejects.toThrow(CancelledError);
    await expect(cancelled).rejects.toThrow(/kept\.jsonl, and the next run goes on from there/);
    expect(existsSync(join(folder, 'kept.jsonl'))).toBe(true);
  });
});
