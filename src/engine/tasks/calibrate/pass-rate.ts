import type { PassRate } from '../../../core/predict/calibration';
import { fitRates } from '../../../core/math/least-squares';
import { sumOf, tilewisePhases, type TilewiseRates } from '../../../core/predict/predict';
import type { Scenario } from '../../../core/scenario/scenario';
import { makePlan } from '../../../core/plan/plan';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { PhaseClock } from '../../attend/runtime/clock';
import { forward } from '../../attend/forward';
import type { Device } from '../../attend/runtime/provider';
import { layerModel, layerShape } from './layer-rate';
import { medianOf } from './timing';

/** Passes that are timed: N, M and a scenario each, on a model of a few layers. */
const passes: readonly { readonly tokens: number; readonly blockSize: number; readonly scenario: Scenario }[] = [
  { tokens: 256, blockSize: 64, scenario: { kind: 'causal' } },
  { tokens: 1024, blockSize: 128, scenario: { kind: 'sliding-window', window: 200 } },
  { tokens: 2048, blockSize: 256, scenario: { kind: 'causal' } },
  { tokens: 4096, blockSize: 256, scenario: { kind: 'sliding-window', window: 512 } },
  { tokens: 4096, blockSize: 512, scenario: { kind: 'causal' } },
];
const width = 256;
const layers = 4;
const repeats = 3;

/** Holds whole passes, each on sessions of its own as a run's are, against the sum of their parts. */
export async function passRate(device: Device, rates: TilewiseRates, scoreBytes: number): Promise<PassRate> {
  const model = layerModel({ ...layerShape(width), layers });
  const features: number[][] = [];
  const times: number[] = [];
  for (const { tokens, blockSize, scenario } of passes) {
    const oracle = { inputLength: blockSize, layers: 1, heads: model.shape.heads, causal: false };
    const plan = makePlan({ tokens, model: model.shape, scenario, construction: 'fused', oracle, scoreBytes });
    const taken: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const fresh = new OnnxOracle(model, blockSize, device);
      const start = performance.now();
      await forward({
        model,
        plan,
        tokens: new Int32Array(tokens),
        oracle: fresh,
        clock: new PhaseClock(),
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
      taken.push(performance.now() - start);
      await fresh.release();
    }
    features.push([1, sumOf(tilewisePhases(plan, rates))]);
    times.push(medianOf(taken));
  }
  const [startMs, factor] = fitRates(features, times);
  return { startMs, factor };
}
