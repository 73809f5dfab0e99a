import type { AttentionBatch, AttentionResult, CallCounter, Oracle } from '../../src/engine/oracle/oracle';
import { denseAttention, toRows } from './dense-attention';

/** An oracle in plain float64 that only attends: executors are tested against it without ONNX Runtime. */
export class Float64Oracle implements Pick<Oracle, 'attend' | 'calls'> {
  readonly calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };

  attend({ calls, instances, rows, query, key, value, mask }: AttentionBatch): Promise<AttentionResult> {
    this.calls.attention += calls;
    this.calls.dispatches += 1;
    const slots = calls * instances;
    const width = query.length / (slots * rows);
    const out = new Float32Array(query.length);
    const logNormaliser = new Float32Array(slots * rows);
    const masksPerCall = mask === undefined ? 0 : mask.length / (calls * rows * rows);
    for (let slot = 0; slot < slots; slot += 1) {
      const part = (buffer: Float32Array): number[][] => toRows(buffer.subarray(slot * rows * width, (slot + 1) * rows * width), width);
      const maskIndex = masksPerCall === 1 ? Math.floor(slot / instances) : slot;
      const added = (q: number, k: number): number => mask?.[(maskIndex * rows + q) * rows + k] ?? 0;
      // Hidden pairs carry a huge negative score: the same contract as the ONNX graph's.
      const state = denseAttention(part(query), part(key), part(value), (q, k) => added(q, k) > -1e29);
      state.out.forEach((row, r) => out.set(row, (slot * rows + r) * width));
      logNormaliser.set(state.logNormaliser.map((x) => (x === -Infinity ? -1e30 : x)), slot * rows);
    }
    return Promise.resolve({ out, logNormaliser });
  }
}
