import type { ModelShape } from '../../core/shapes';
import { plainLlama } from '../read/model/architectures/llama';
import { elementsOf } from '../model/checkpoint';
import type { LoadedModel } from '../read/model/load';
import { fillModel } from '../read/model/random-model';

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
