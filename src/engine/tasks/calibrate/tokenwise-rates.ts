import { tokenwiseRows } from '../../../core/plan/cost';
import { makePlan } from '../../../core/plan/plan';
import type { RunRate, TokenwiseRate } from '../../../core/predict/calibration';
import type { Phases } from '../../../core/report/phases';
import { outputAndMlpParameters, projectionParameters } from '../../../core/shapes';
import { forward } from '../../attend/forward';
import { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { layerModel, layerShape } from './layer-rate';
import { medianOf } from './timing';

/** M of the passes that are timed, with a window so short that attention hardly counts. */
const blockSize = 256;
const window = 16;

/** Tokens of a pass in which what a run costs by itself shows, and of one in which the work does. */
const shortPass = 64;
const longPass = 2 * tokenwiseRows(blockSize);

/** Layers of a pass, and passes of which the median is taken. */
const layers = 3;
const passes = 3;

/** Measures the token-wise runs of a layer of width d as they come in a pass: between attention, from memory that others used. */
export async function tokenwiseRate(width: number, device: Device): Promise<TokenwiseRate> {
  const model = layerModel({ ...layerShape(width), layers });
  const oracle = new OnnxOracle(model, blockSize, device);
  const pass = async (tokens: number): Promise<Phases> => {
    const clock = new PhaseClock();
    const plan = makePlan({
      tokens,
      model: model.shape,
      scenario: { kind: 'sliding-window', window },
      construction: 'fused',
      oracle: { inputLength: blockSize, layers: 1, heads: model.shape.heads, causal: false },
    });
    await forward({
      model,
      plan,
      tokens: new Int32Array(tokens),
      oracle,
      clock,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    return clock.phases;
  };
  const times = async (tokens: number): Promise<Record<'project' | 'mlp', number>> => {
    const taken: Phases[] = [await pass(tokens)];
    for (let index = 0; index < passes; index += 1) {
      taken.push(await pass(tokens));
    }
    const perLayer = (phase: 'project' | 'mlp'): number => medianOf(taken.slice(1).map((phases) => phases[phase])) / layers;
    return { project: perLayer('project'), mlp: perLayer('mlp') };
  };
  try {
    const [short, long] = [await times(shortPass), await times(longPass)];
    const runs = longPass / tokenwiseRows(blockSize);
    const rate = (phase: 'project' | 'mlp', parameters: number): RunRate => {
      // long = runs * runMs + longPass * perToken, short = runMs + shortPass * perToken
      const perToken = Math.max(0, (long[phase] - runs * short[phase]) / (longPass - runs * shortPass));
      return { runMs: Math.max(0, short[phase] - perToken * shortPass), nsPerFlop: (perToken * 1e6) / (2 * parameters) };
    };
    return {
      width,
      project: rate('project', projectionParameters(model.shape)),
      outputAndMlp: rate('mlp', outputAndMlpParameters(model.shape)),
    };
  } finally {
    await oracle.release();
  }
}
