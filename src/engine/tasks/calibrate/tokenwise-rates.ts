import { fitRates } from '../../../core/math/least-squares';
import { makePlan } from '../../../core/plan/plan';
import type { Fit, RunRate, TokenwiseRate } from '../../../core/predict/calibration';
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

/**
 * Tokens of the passes, all of one token-wise run: in the shortest, what a run costs by itself shows, and in the longest the work
 * does. Wide layers take long enough in fewer.
 */
const lengthsOf = (width: number): readonly number[] => (width > 512 ? [64, 256, 512, 1024] : [64, 512, 1024, 2048]);

/** Layers of a pass, and passes of which the median is taken. */
const layers = 2;
const passes = 3;

/**
 * Measures the token-wise runs of a layer of width d as they come in a pass: between attention, from memory that others used.
 *
 * @param limit floating-point operations a second that no run exceeds
 */
export async function tokenwiseRate(width: number, device: Device, limit: number): Promise<TokenwiseRate> {
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
    const lengths = lengthsOf(width);
    const taken: Record<'project' | 'mlp', number>[] = [];
    for (const tokens of lengths) {
      taken.push(await times(tokens));
    }
    const rate = (phase: 'project' | 'mlp', parameters: number): RunRate & Fit => {
      const features = lengths.map((tokens) => [1, 2 * parameters * tokens]);
      const { rates, error } = fitRates(
        features,
        taken.map((each) => each[phase]),
        [0, 1000 / limit],
      );
      const [runMs, msPerFlop] = rates;
      return { runMs, nsPerFlop: msPerFlop * 1e6, fit: { samples: features.length, unknowns: rates.length, error } };
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
