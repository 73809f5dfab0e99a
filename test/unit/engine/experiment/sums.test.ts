import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaultExperiment, defaultRetrieval } from '../../../../src/core/evaluate/experiment';
import type { Verdict } from '../../../../src/core/report/verdict';
import { OutputHead } from '../../../../src/engine/attend/verify/predictions';
import { CalibrationStore } from '../../../../src/engine/store/calibrations';
import { DigestStore } from '../../../../src/engine/store/digests';
import { evaluate } from '../../../../src/engine/tasks/evaluate/run-experiment';
import { modelsFolder, root, sampleText } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';
import { writeTinyTokenizer } from '../../../support/tiny-tokenizer';

/** The verdicts on the points of a small experiment. */
async function verdictsOf(changes: Partial<typeof defaultExperiment>, text = sampleText().slice(0, 700)): Promise<readonly Verdict[]> {
  const experiment = {
    ...defaultExperiment,
    prompts: ['a'],
    scenarios: ['causal', 'sliding-window:24'],
    blocks: [32],
    context: 128,
    ...changes,
  };
  const { points } = await evaluate(
    { experiment, texts: [{ path: 'a', text }] },
    {
      modelsFolder,
      calibrations: new CalibrationStore('/nonexistent'),
      digests: new DigestStore(undefined),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    },
  );
  return points.map(({ verdict }) => verdict);
}

/** Rows or tokens shifted by one, the last to the front. */
const shifted = <Values extends Float32Array | BigInt64Array>(values: Values, by: number): Values => {
  const moved = values.slice() as Values;
  moved.set(values.subarray(-by) as never);
  moved.set(values.subarray(0, -by) as never, by);
  return moved;
};

describe('what an evaluation sums up', () => {
  afterEach(() => vi.restoreAllMocks());
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with their object below
  const { compare, score } = OutputHead.prototype;
  type Compare = (head: OutputHead, ...given: Parameters<typeof compare>) => ReturnType<typeof compare>;

  it('is right where nothing is wrong', async () => {
    expect((await verdictsOf({})).map(({ kind }) => kind)).toEqual(['exact', 'exact']);
  });

  it.each<[string, Compare]>([
    ['losses of another token', (head, own, other, targets) => compare.call(head, own, other, targets && shifted(targets, 1))],
    ['a divergence of other rows', (head, own, other, targets) => compare.call(head, own, shifted(other, own.length / 8), targets)],
    [
      'a divergence the other way',
      async (head, own, other, targets) => {
        const { divergence } = await compare.call(head, other, own, targets);
        return { ...(await compare.call(head, own, other, targets)), divergence };
      },
    ],
  ])('fails a point with its reason: %s', async (_what, fault) => {
    vi.spyOn(OutputHead.prototype, 'compare').mockImplementation(function (this: OutputHead, ...given) {
      return fault(this, ...given);
    });
    expect(await verdictsOf({ scenarios: ['sliding-window:24'] })).toMatchObject([
      { kind: 'failed', reason: expect.stringMatching(/^A loss or divergence at position \d+ is off by/) as string },
    ]);
  });

  it('fails where the loss of an answer is another token’s', async () => {
    const retrieval = { ...defaultRetrieval(96), tasks: ['single' as const], lengths: [96], depths: [0.5] };
    const changes = { scenarios: ['sliding-window:24'], retrieval };
    expect(await verdictsOf(changes)).toMatchObject([{ kind: 'exact' }]);
    vi.spyOn(OutputHead.prototype, 'score').mockImplementation(function (this: OutputHead, hidden, targets) {
      return score.call(
        this,
        hidden,
        targets.map((target) => target + 1n),
      );
    });
    expect(await verdictsOf(changes)).toMatchObject([
      { kind: 'failed', reason: expect.stringMatching(/^A loss or divergence at position/) as string },
    ]);
  });

  it('is a divergence alone for a model that predicts what is masked', async () => {
    const folder = join(temporaryFolder(), 'encoder');
    cpSync(join(root, 'test', 'golden', 'bert'), folder, { recursive: true });
    writeTinyTokenizer(folder, 20, true);
    const words = Array.from({ length: 12 }, (_, word) => `w${word % 15}`).join(' ');
    const changes = { model: folder, scenarios: ['sliding-window:4'], blocks: [4], context: 16 };
    expect(await verdictsOf(changes, words)).toMatchObject([{ kind: 'exact' }]);
    vi.spyOn(OutputHead.prototype, 'compare').mockImplementation(async function (this: OutputHead, own, other, targets) {
      const { divergence, ...rest } = await compare.call(this, own, other, targets);
      return { ...rest, divergence: divergence.map((value) => value + 0.01) };
    });
    expect(await verdictsOf(changes, words)).toMatchObject([{ kind: 'failed' }]);
  });
});
