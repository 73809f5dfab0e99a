import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { defaultOptions } from '../../src/core/options/table';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { wholeStream, forwardRows } from '../../src/engine/attend/forward';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { loadModel, openModel } from '../../src/engine/read/model/load';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { AtlasObserver } from '../../src/engine/tasks/atlas/observer';
import { type BenchContext, type Figure, median, type Section } from './section';

/** What an atlas adds to the processor time of a run of the model that ships, under its own attention. */
export async function atlas({ quick, log }: BenchContext): Promise<Section> {
  const folder = await openModel('tiny-docs-5m', join(process.cwd(), 'media', 'models'));
  const model = await loadModel(folder);
  const device = await openDevice('cpu', 1);
  const text = readFileSync(join(process.cwd(), 'media', 'samples', 'long-prompt.md'), 'utf8').repeat(2);
  const tokens = (await PromptTokenizer.load(folder.folder)).encode(text);
  const rows: Record<string, Figure>[] = [];
  for (const length of quick ? [256] : [2048, 4096]) {
    for (const blockSize of quick ? [64] : [64, 256]) {
      log(`atlas, N = ${length}, M = ${blockSize}`);
      const plan = makePlan(planRequest(length, model.shape, { ...defaultOptions, scenario: { kind: 'native' }, blockSize }));
      const secondsOf = async (observed: boolean): Promise<number> => {
        const oracle = new OnnxOracle(model, blockSize, device, length);
        const observer = observed ? new AtlasObserver(plan, { model, device }, undefined) : undefined;
        const before = process.cpuUsage();
        const { signal } = new AbortController();
        const given = { model, plan, tokens: tokens.subarray(0, length), oracle, clock: new PhaseClock(), signal };
        await wholeStream(
          forwardRows({ ...given, onProgress: () => undefined, onTileMasses: observer?.onTileMasses, inspect: observer?.inspect }),
          plan,
        );
        observer?.result();
        const { user, system } = process.cpuUsage(before);
        await oracle.release();
        return (user + system) / 1e6;
      };
      await secondsOf(true);
      const pairs: [number, number][] = [];
      for (let repeat = 0; repeat < (quick ? 1 : 7); repeat += 1) {
        pairs.push([await secondsOf(false), await secondsOf(true)]);
      }
      rows.push({
        tokens: length,
        blockSize,
        plain: median(pairs.map(([plain]) => plain)),
        observed: median(pairs.map(([, observed]) => observed)),
        more: median(pairs.map(([plain, observed]) => observed / plain - 1)),
      });
    }
  }
  const own = rows.filter(({ blockSize }) => blockSize === defaultOptions.blockSize).map(({ more }) => Number(more));
  return {
    name: 'atlas',
    title: 'What an atlas adds to a run, the model that ships',
    method:
      'Seven pairs of runs, one without an atlas and one with it, each with new sessions. The figures are medians of the processor time that the layers took on one thread, which leaves out waiting.',
    columns: { tokens: 'N', blockSize: 'M', plain: 'without, s', observed: 'with, s', more: 'more' },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: 'Masses of all tiles at the default block size for 3% of the time',
            measured: own.map((more) => `${(100 * more).toFixed(1)}%`).join(', '),
            reached: own.every((more) => more <= 0.03),
          },
        ],
  };
}
