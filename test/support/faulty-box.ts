import { vi } from 'vitest';
import { type BlackBoxBatch, type BlackBoxOutput, OnnxBlackBox } from '../../src/engine/attend/black-box/black-box';

/**
 * Does something while every black box returns means that are `size` times as large as they are, and log-normalisers of sums that are
 * `scale` times as large.
 */
export async function withFaultyBox<T>(
  { scale, size }: { readonly scale: number; readonly size: number },
  work: () => Promise<T>,
): Promise<T> {
  const honest: (this: OnnxBlackBox, batch: BlackBoxBatch) => Promise<BlackBoxOutput> = Reflect.get(OnnxBlackBox.prototype, 'call');
  const call = vi.spyOn(OnnxBlackBox.prototype, 'call').mockImplementation(async function (this: OnnxBlackBox, batch) {
    const output = await honest.call(this, batch);
    const { mean, logNormaliser } = output;
    mean?.forEach((each, index) => (mean[index] = size * each));
    logNormaliser?.forEach((each, index) => (logNormaliser[index] = each + Math.log(scale)));
    return output;
  });
  try {
    return await work();
  } finally {
    call.mockRestore();
  }
}
