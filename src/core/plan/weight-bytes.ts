import { type ModelShape, outputAndMlpParameters, parameterCount, projectionParameters } from '../shapes';

/** Bytes of a float32. */
const floatBytes = 4;

/**
 * The most bytes that weights in float32 take in memory together. Those of larger models stay in the files, of whatever type they are,
 * and are read when their layer's turn comes: reading a layer again costs less than the layer does from some hundred tokens on, but
 * small models are often run on few.
 */
const mostFloatBytes = 256 * 1024 * 1024;

/**
 * Bytes in memory of a model's weights that are not packed.
 *
 * @param weights how many there are
 * @param largestLayer how many of them a layer has, which are in memory when its turn comes
 */
export function keptFloatBytes(weights: number, largestLayer = 0): number {
  const bytes = floatBytes * weights;
  return bytes <= mostFloatBytes ? bytes : floatBytes * Math.min(weights, largestLayer);
}

/**
 * Bytes that a model's weights take in memory in a run: as they stay packed, or in float32, all or those of a layer.
 *
 * @param again whether the layers' turns come again at once, as where tokens are read one by one: all weights are kept then
 */
export function weightBytes(model: ModelShape, again = false): number {
  const { bytesPerWeight, layers, vocabulary, width } = model;
  const parameters = parameterCount(model);
  if (bytesPerWeight !== undefined) {
    return bytesPerWeight * parameters;
  }
  // Of a mixture of experts, a layer has more weights than a token goes through.
  const ofLayer = Math.max(projectionParameters(model) + outputAndMlpParameters(model), (parameters - vocabulary * width) / layers);
  return again ? floatBytes * parameters : keptFloatBytes(parameters, Math.ceil(ofLayer));
}
