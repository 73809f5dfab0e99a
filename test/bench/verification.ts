import { join } from 'node:path';
import { defaultOptions } from '../../src/core/options/table';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { forward } from '../../src/engine/attend/forward';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import { type Device, openDevice } from '../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../src/engine/attend/verify/fidelity';
import { type LoadedModel, loadModel, openModel } from '../../src/engine/read/model/load';
import { randomModel } from '../../src/engine/read/model/random-model';
import { type BenchContext, median, type Section } from './section';

/** The largest share of a run that its checks are to take. */
const goal = 0.05;

/** The shape of SmolLM2-135M with a fifth of its layers, and fewer words: the probe, one head for all layers, weighs five times as much. */
const usual = { layers: 6, width: 576, heads: 9, keyValueHeads: 3, headWidth: 64, feedForwardWidth: 1536, vocabulary: 4096 };

/** What the default checks of a run take, as a share of the same run: the embedded model, whose heads are narrow, and a usual shape. */
export async function verification({ quick, threads, log }: BenchContext): Promise<Section> {
  const device = await openDevice('cpu', threads);
  const embedded = await loadModel(await openModel('tiny-docs-5m', join(process.cwd(), 'media', 'models')));
  const models = {
    'tiny-docs-5m: 6 layers, 8 heads of 32': embedded,
    'random: 6 layers, 9 heads of 64': randomModel(usual, { seed: 1, scoreScale: 1, variety: 1 }),
  };
  const rows: { readonly model: string; readonly tokens: number; readonly share: string }[] = [];
  for (const [name, model] of Object.entries(models)) {
    for (const tokens of quick ? [512] : [2048, 8192]) {
      const shares: number[] = [];
      for (let repeat = 0; repeat < (quick ? 1 : 5); repeat += 1) {
        log(`verification, ${name}, N = ${tokens}, run ${repeat + 1}`);
        shares.push(await shareOf(model, tokens, device));
      }
      rows.push({ model: name, tokens, share: `${(100 * median(shares)).toFixed(1)}%` });
    }
  }
  return {
    name: 'verification',
    title: 'What the checks of a run take, M = 256',
    method:
      'Time of the probe and of the rows against float64, of attention and of work token by token, as a share of the rest of the same run; median of 5 runs.',
    columns: { model: 'model', tokens: 'N', share: 'checks, of the run' },
    rows,
    goals: rows
      .filter(({ tokens }) => tokens === 8192)
      .map(({ model, share }) => ({
        goal: `Checks take at most 5% of a run at N = 8,192, ${model}`,
        measured: share,
        reached: parseFloat(share) <= 100 * goal,
      })),
  };
}

/** What the checks of one run take, over the rest of it. */
async function shareOf(model: LoadedModel, length: number, device: Device): Promise<number> {
  const { signal } = new AbortController();
  const tokens = Int32Array.from({ length }, (_, position) => 3 + ((position * 7919) % 4000));
  const plan = makePlan(planRequest(length, model.shape, defaultOptions));
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, length);
  const check = FidelityCheck.ofRun(plan, 'rows', { tokens, model, device, precision: 'float32', signal });
  const clock = new PhaseClock();
  const start = performance.now();
  const hidden = await forward({
    ...{ model, plan, tokens, oracle, clock, signal },
    onProgress: () => undefined,
    inspect: (...given) => clock.time('verify', () => check.inspect(...given)),
    probe: check.probe,
  });
  clock.timeSync('verify', () => check.inspectStream(hidden));
  const { verify } = clock.phases;
  const share = verify / (performance.now() - start - verify);
  await check.release();
  await oracle.release();
  return share;
}
