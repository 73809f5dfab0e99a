import type { RunRate, TokenwiseRate } from '../../core/device/calibration';
import { tokenwiseRows } from '../../core/plan/cost';
import { outputAndMlpParameters, projectionParameters, type ModelShape } from '../../core/shapes';
import type { ModelConfig } from '../model/config';
import type { LayerWeights, LoadedModel } from '../model/load';
import { OnnxOracle } from '../oracle/onnx-oracle';
import { headTensor } from '../run/head-tensor';
import { outputAndMlp, project, stretches } from '../run/tokenwise';
import type { Device } from '../runtime/provider';
import { medianMs } from './timing';

/** Tokens of a short run, in which what a run costs by itself shows. */
const shortRun = 64;

/** Measures the token-wise runs of a layer of width d on a device, copies around them included. */
export async function tokenwiseRate(width: number, device: Device): Promise<TokenwiseRate> {
  const shape = layerShape(width);
  const config: ModelConfig = { shape, normEpsilon: 1e-5, ropeTheta: 10_000, tiedHead: true };
  const oracle = await OnnxOracle.create(config, 256, device);
  const weights = layerWeights(shape);
  const nothing = new Float32Array();
  const model: LoadedModel = { ...config, name: 'calibration', folder: '', embedding: nothing, head: nothing, finalNorm: nothing, layers: [weights] };
  const pass = { model, oracle, signal: new AbortController().signal };
  const longRun = tokenwiseRows(256);
  const timesOf = async (tokens: number): Promise<Record<'project' | 'outputAndMlp', number>> => {
    const hidden = new Float32Array(tokens * width).fill(0.5);
    const out = headTensor(shape.heads, tokens, shape.headWidth);
    return {
      project: await medianMs(() => project(pass, hidden, weights, stretches(0, tokens, longRun))),
      outputAndMlp: await medianMs(() => outputAndMlp(pass, hidden.fill(0.5), out, weights, stretches(0, tokens, longRun))),
    };
  };
  try {
    const short = await timesOf(shortRun);
    const long = await timesOf(longRun);
    const rate = (part: 'project' | 'outputAndMlp', parameters: number): RunRate => {
      const perToken = Math.max(0, (long[part] - short[part]) / (longRun - shortRun));
      return { runMs: Math.max(0, short[part] - perToken * shortRun), nsPerFlop: (perToken * 1e6) / (2 * parameters) };
    };
    return { width, project: rate('project', projectionParameters(shape)), outputAndMlp: rate('outputAndMlp', outputAndMlpParameters(shape)) };
  } finally {
    await oracle.release();
  }
}

/** A layer as models of this width have them: heads of 32 to 64, keys shared by a few heads, and a feed-forward network of 8/3 d. */
function layerShape(width: number): ModelShape {
  const headWidth = width >= 512 ? 64 : 32;
  const heads = width / headWidth;
  return { layers: 1, heads, keyValueHeads: Math.max(1, heads / 2), headWidth, width, feedForwardWidth: Math.round((8 * width) / 3 / 32) * 32, vocabulary: 2 };
}

/** Weights of one size: what a product takes does not go by what is in it. */
function layerWeights({ width, heads, keyValueHeads, headWidth, feedForwardWidth }: ModelShape): LayerWeights {
  const matrix = (outputs: number, inputs: number): Float32Array => new Float32Array(outputs * inputs).fill(1 / inputs);
  return {
    attentionNorm: matrix(width, 1),
    query: matrix(heads * headWidth, width),
    key: matrix(keyValueHeads * headWidth, width),
    value: matrix(keyValueHeads * headWidth, width),
    output: matrix(width, heads * headWidth),
    mlpNorm: matrix(width, 1),
    gate: matrix(feedForwardWidth, width),
    up: matrix(feedForwardWidth, width),
    down: matrix(width, feedForwardWidth),
  };
}
