import { planLayers } from '../../../core/plan/plan';
import { normal } from '../../../core/math/random';
import type { LedgerOptions } from '../../../core/ledger/report';
import type { SamplingReport } from '../../../core/report/sampling';
import { statedFailureProbability } from '../../../core/sampling/guarantee';
import type { ModelShape } from '../../../core/shapes';
import { plainLlama } from '../../read/model/architectures/llama';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { headTensor, type HeadTensor } from '../../run/head-tensor';
import type { Device } from '../../attend/runtime/provider';
import { SamplingCheck } from '../../attend/verify/sampling';

/** One head of two columns over 4,608 tokens, each of which sees a sample of 2,304 keys. */
const shape: ModelShape = { layers: 1, heads: 1, keyValueHeads: 1, headWidth: 2, width: 2, feedForwardWidth: 2, vocabulary: 2 };
const tokens = 4608;
const sample = 2304;

/** The error to be guaranteed: for the data below, the sample is just as large as the theorem asks. */
const epsilon = 0.9;

/**
 * Theorem 4.1 over many seeds, on data that satisfies its assumption: scores within a few hundredths of 0, values within a
 * few hundredths of one another.
 */
export async function samplingTrial(
  { seed, seeds }: LedgerOptions,
  device: Device,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<SamplingReport> {
  const next = normal(seed);
  const filled = (entry: (column: number) => number): HeadTensor => {
    const tensor = headTensor(1, tokens, shape.headWidth);
    tensor.data.forEach((_, index) => (tensor.data[index] = entry(index % shape.headWidth)));
    return tensor;
  };
  const layer = {
    query: filled(() => 0.05 * next()),
    key: filled(() => 0.05 * next()),
    value: filled((column) => (column === 0 ? 1 : 0) + 0.01 * next()),
  };
  const plan = planLayers({
    tokens,
    model: shape,
    scenario: { kind: 'average-case', seed },
    construction: 'tight',
    oracle: { inputLength: sample + 1, layers: 1, heads: 1, causal: false },
  });
  const oracle = new OnnxOracle(plainLlama(shape), sample + 1, device);
  try {
    const rows = Array.from({ length: tokens }, (_, row) => row);
    const data = 'synthetic: scores near 0, values much alike, so that the assumption holds';
    const check = new SamplingCheck(
      plan,
      { epsilon, failureProbability: statedFailureProbability, seeds, rows, data },
      oracle,
      signal,
      onProgress,
    );
    await check.inspect(0, layer);
    return check.result();
  } finally {
    await oracle.release();
  }
}
