import type { LedgerOptions } from '../../../core/ledger/report';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import { logNeededLength, type SamplingReport, statedFailureProbability } from '../../../core/report/sampling';
import type { ModelShape } from '../../../core/shapes';
import type { Device } from '../../attend/runtime/provider';
import { headTensor, type HeadTensor, type LayerTensors } from '../../attend/tiles/layer';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { SamplingCheck } from '../../attend/verify/sampling';
import { plainLlama } from '../../read/model/architectures/llama';

/** One head over 4,096 tokens, each of which sees a sample of half of the keys: then the two query blocks see all of them. */
const shape: ModelShape = { layers: 1, heads: 1, keyValueHeads: 1, headWidth: 8, width: 8, feedForwardWidth: 8, vocabulary: 2 };
const tokens = 4096;
const sample = tokens / 2;

/** The error to be guaranteed. Even for equal values, D = 1, the theorem guarantees no less than 0.94 for this sample. */
const epsilon = 0.99;

/**
 * Share of the sample that the theorem asks for on the data below. It is not 1, as scores are rounded to float32, and so is the
 * constant that is measured on them.
 */
const edge = 0.999;

/** How far the values of two keys differ from their mean in each component, whose first is 1. */
const valueSpread = 0.02;

/** +1 or -1: a wave over the tokens, half of them each. Products of different waves are as even: none predicts another. */
function wave(index: number, token: number): number {
  return (token >> index) % 2 === 0 ? 1 : -1;
}

/**
 * Queries, keys and values at the edge of theorem 4.1's assumption: every weight is C or 1/C, and the sample is as large as the
 * theorem asks for (`edge`), by its condition on outputs. Query i compares one of m waves, and the components of the values are
 * products of two waves; so the m normalisers of a sample are independent but for its size, and so are the components of an output.
 */
export function edgeOfTheTheorem(): LayerTensors {
  const { headWidth: width } = shape;
  // The D of which the theorem asks for that sample: it asks for 1/D^2 times what it does where D is 1.
  const atOne = logNeededLength({ logC: 0, d: 1 }, tokens, width, { epsilon, failureProbability: statedFailureProbability });
  const d = Math.sqrt(Math.exp(atOne) / (edge * sample));
  // D = (C + 1/C) / (2 C |largest value|), as the waves of a query and of the values sum up to nothing.
  const largest = Math.hypot(1 + valueSpread, valueSpread * Math.sqrt(width - 1));
  const logC = -Math.log(2 * largest * d - 1) / 2;
  const filled = (entry: (token: number, column: number) => number): HeadTensor => {
    const tensor = headTensor(1, tokens, width);
    tensor.data.forEach((_, index) => (tensor.data[index] = entry(Math.floor(index / width), index % width)));
    return tensor;
  };
  return {
    query: filled((token, column) => (token % width === column ? logC : 0)),
    key: filled((token, column) => wave(column, token)),
    value: filled((token, column) => (column === 0 ? 1 : 0) + valueSpread * wave(8 + (column % 3), token) * wave(column, token)),
  };
}

/** The plan of the trial, whose permutations begin with a ledger's seed. */
export function trialPlan({ seed }: Pick<LedgerOptions, 'seed'>): LayerPlan {
  return planLayers({
    tokens,
    model: shape,
    scenario: { kind: 'average-case', seed },
    construction: 'tight',
    oracle: { inputLength: sample + 1, layers: 1, heads: 1, causal: false },
  });
}

/**
 * Theorem 4.1 over many seeds, on data for which its assumption just holds. The theorem's own constants are so large that no trial
 * misses them: what can fail is that the errors are those of samples of this size, neither larger nor smaller.
 *
 * @param plan that of the trial: another finds other errors than it expects
 */
export async function samplingTrial(
  options: Pick<LedgerOptions, 'seed' | 'seeds'>,
  device: Device,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
  plan = trialPlan(options),
): Promise<SamplingReport> {
  const oracle = new OnnxOracle(plainLlama(shape), sample + 1, device);
  try {
    // The queries of a block that compare the same wave see the same.
    const rows = [0, sample].flatMap((first) => Array.from({ length: shape.headWidth }, (_, row) => first + row));
    const data = 'synthetic: every weight is C or 1/C, and the sample is just what the theorem asks for';
    const { seeds } = options;
    const check = new SamplingCheck(
      plan,
      { epsilon, failureProbability: statedFailureProbability, seeds, rows, data, independent: shape.headWidth },
      oracle,
      signal,
      onProgress,
    );
    await check.inspect(0, edgeOfTheTheorem());
    return check.result();
  } finally {
    await oracle.release();
  }
}
