import type { DenseRate } from '../../core/device/calibration';
import { denseAttentionGraph } from '../graphs/dense-attention';
import { GraphSession } from '../runtime/graph-session';
import type { Device } from '../runtime/provider';
import { medianMs } from './timing';

/** N at which dense attention is timed: its time per pair hardly changes beyond. */
const tokens = 2048;

/** What the plain dense graph takes per pair of one head, causal: the mask hides half of the pairs and saves none. */
export async function denseRate(headWidth: number, device: Device): Promise<DenseRate> {
  const session = await GraphSession.create(denseAttentionGraph(tokens, headWidth), device);
  const operand = { data: new Float32Array(tokens * headWidth).fill(0.1), shape: [1, tokens, headWidth] };
  try {
    const took = await medianMs(() => session.run({ query: operand, key: operand, value: operand }));
    return { headWidth, nsPerPair: (took * 1e6) / tokens ** 2 };
  } finally {
    await session.release();
  }
}
