import type { ModelShape } from '../../core/shapes';
import type { LayerWeights, LoadedModel } from '../model/load';

/** A layer as models of this width have them: heads of 32 to 64, keys shared by a few heads, and a feed-forward network of 8/3 d. */
export function layerShape(width: number): ModelShape {
  const headWidth = width >= 512 ? 64 : 32;
  const heads = width / headWidth;
  return { layers: 1, heads, keyValueHeads: heads % 2 === 0 ? heads / 2 : heads / 3, headWidth, width, feedForwardWidth: Math.round((8 * width) / 3 / 32) * 32, vocabulary: 2 };
}

/** A model of one such layer, on which runs are timed. */
export function layerModel(shape: ModelShape): LoadedModel {
  const embedding = new Float32Array(shape.vocabulary * shape.width).fill(0.5);
  return {
    name: 'calibration',
    folder: '',
    shape,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    tiedHead: true,
    embedding,
    head: embedding,
    finalNorm: new Float32Array(shape.width).fill(1),
    layers: Array.from({ length: shape.layers }, () => layerWeights(shape)),
  };
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
