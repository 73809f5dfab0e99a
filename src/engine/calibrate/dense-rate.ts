import type { DenseRate } from '../../core/predict/calibration';
import { denseAttentionGraph } from '../graphs/dense-attention';
import { GraphSession } from '../attend/runtime/session';
import type { Device } from '../attend/runtime/provider';
import { medianMs } from './timing';

/** N at which dense attention is timed: its time per pair hardly changes beyond the larger, which a slow device is spared. */
const lengths = { short: 512, long: 2048 } as const;
const slowMs = 50;

/** What the plain dense graph takes per pair of one head, causal: the mask hides half of the pairs and saves none. */
export async function denseRate(headWidth: number, device: Device): Promise<DenseRate> {
  const short = await denseMs(lengths.short, headWidth, device);
  const [tokens, took] = short > slowMs ? [lengths.short, short] : [lengths.long, await denseMs(lengths.long, headWidth, device)];
  return { headWidth, nsPerPair: (took * 1e6) / tokens ** 2 };
}

async function denseMs(tokens: number, headWidth: number, device: Device): Promise<number> {
  const session = await GraphSession.create(denseAttentionGraph(tokens, headWidth), device);
  const operand = { data: new Float32Array(tokens * headWidth).fill(0.1), shape: [1, tokens, headWidth] };
  try {
    return await medianMs(() => session.run({ query: operand, key: operand, value: operand }));
  } finally {
    await session.release();
  }
}
