import { fitRates } from '../../../core/math/least-squares';
import { makePlan, type Plan } from '../../../core/plan/plan';
import type { Fit, LayerRate, Range, Sampled } from '../../../core/predict/calibration';
import type { Scenario } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { compiledForward } from '../../attend/compiled/forward';
import { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { plainLlama } from '../../read/model/architectures/llama';
import type { LoadedModel } from '../../read/model/load';
import { fillModel } from '../../read/model/random-model';
import { elementsOf } from '../../read/model/weights';
import { medianMs } from './timing';

/** A layer as models of this width have them: heads of 32 to 64, keys shared by a few heads, and a feed-forward network of 8/3 d. */
export function layerShape(width: number): ModelShape {
  const headWidth = width >= 512 ? 64 : 32;
  const heads = width / headWidth;
  return {
    layers: 1,
    heads,
    keyValueHeads: heads % 2 === 0 ? heads / 2 : heads / 3,
    headWidth,
    width,
    feedForwardWidth: Math.round((8 * width) / 3 / 32) * 32,
    vocabulary: 2,
  };
}

/** A model of one such layer, on which runs are timed. Its weights are of one size: what a product takes does not go by what is in it. */
export function layerModel(shape: ModelShape): LoadedModel {
  return fillModel('calibration', plainLlama(shape), (_name, { shape: [outputs, inputs = 1] }) =>
    new Float32Array(elementsOf([outputs, inputs])).fill(1 / inputs),
  );
}

/** The layer on which compiled runs are timed. */
const width = 256;
const blockSize = 64;

/** Lengths begin here and double until a layer takes this long: a slow device is not kept busy for minutes. */
const shortest = 64;
const enoughMs = 40;
const longest = 4096;
const fewestTimes = 6;

/** Measures whole layers as compiled graphs, with what it takes to bring their weights to the device, and says what was measured. */
export async function layerRate(device: Device): Promise<{ readonly layer: LayerRate & Fit; readonly sampled: Sampled }> {
  const model = layerModel(layerShape(width));
  const oracle = new OnnxOracle(model, blockSize, device);
  const time = (plan: Plan): Promise<number> =>
    medianMs(() =>
      compiledForward({
        model,
        plan,
        tokens: new Int32Array(plan.tokens),
        oracle,
        precision: 'float32',
        clock: new PhaseClock(),
        signal: new AbortController().signal,
        onProgress: () => undefined,
      }),
    );
  const planFor = (tokens: number, scenario: Scenario): Plan =>
    makePlan({
      tokens,
      model: model.shape,
      scenario,
      construction: 'fused',
      oracle: { inputLength: blockSize, layers: 1, heads: model.shape.heads, causal: false },
    });
  try {
    const features: number[][] = [];
    const times: number[] = [];
    let measured = shortest;
    for (let tokens = shortest; tokens <= longest; tokens *= 2) {
      for (const scenario of [{ kind: 'causal' }, { kind: 'sliding-window', window: blockSize }] satisfies Scenario[]) {
        const plan = planFor(tokens, scenario);
        times.push(await time(plan));
        features.push([1, plan.flopsByPhase.attend, plan.flopsByPhase.project + plan.flopsByPhase.outputAndMlp]);
      }
      measured = tokens;
      // More times than rates.
      if (times.length >= fewestTimes && times[times.length - 1] > enoughMs) {
        break;
      }
    }
    const { rates, error } = fitRates(features, times);
    const [layerMs, attend, tokenwise] = rates;
    const { headWidth } = model.shape;
    const only = (value: number): Range => ({ from: value, to: value });
    return {
      layer: {
        layerMs,
        attendNsPerFlop: attend * 1e6,
        tokenwiseNsPerFlop: tokenwise * 1e6,
        fit: { samples: times.length, unknowns: rates.length, error },
      },
      sampled: {
        tokens: { from: shortest, to: measured },
        rows: only(blockSize),
        width: only(width),
        headWidth: only(headWidth),
        layers: only(model.shape.layers),
      },
    };
  } finally {
    await oracle.release();
  }
}
