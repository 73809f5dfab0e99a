import type { AttentionBatch, AttentionResult } from '../oracle/oracle';

/** Which rows of the large attention a slot's result belongs to. */
export interface SlotTarget {
  readonly head: number;
  readonly queryBlock: number;
}

/** Writes a slot's operands: views `[M, m]`, zeroed, and the slot's mask `[M, M]` where it has one of its own. */
export type FillSlot = (query: Float32Array, key: Float32Array, value: Float32Array, mask: Float32Array | undefined) => void;

/** Shape of a lane's calls. */
export interface LaneShape {
  /** Calls that one dispatch takes at most. */
  readonly calls: number;
  /** H'L'. */
  readonly instances: number;
  /** M. */
  readonly rows: number;
  /** m. */
  readonly width: number;
  /** Masks per call: none, one for all instances, or one each. */
  readonly masks: 'none' | 'shared' | 'each';
}

/**
 * Collects tiles of one shape into batches for the oracle.
 *
 * The buffers are allocated once; a slot is one single-head instance, and `instances` slots are one call.
 */
export class TileLane {
  private readonly query: Float32Array;
  private readonly key: Float32Array;
  private readonly value: Float32Array;
  private readonly mask: Float32Array | undefined;
  private readonly targets: SlotTarget[] = [];

  constructor(
    private readonly shape: LaneShape,
    private readonly attend: (batch: AttentionBatch) => Promise<AttentionResult>,
    private readonly deliver: (targets: readonly SlotTarget[], result: AttentionResult) => void,
  ) {
    const { calls, instances, rows, width, masks } = shape;
    const operand = calls * instances * rows * width;
    this.query = new Float32Array(operand);
    this.key = new Float32Array(operand);
    this.value = new Float32Array(operand);
    this.mask = masks === 'none' ? undefined : new Float32Array(calls * this.masksPerCall * rows * rows);
  }

  /** Adds one instance. Returns whether the lane is full and must be flushed. */
  add(target: SlotTarget, fill: FillSlot): boolean {
    const { instances, rows, width, calls, masks } = this.shape;
    const slot = this.targets.length;
    const view = (buffer: Float32Array): Float32Array => buffer.subarray(slot * rows * width, (slot + 1) * rows * width).fill(0);
    const ownsMask = masks === 'each' || (masks === 'shared' && slot % instances === 0);
    const index = masks === 'each' ? slot : slot / instances;
    const mask = ownsMask ? this.mask?.subarray(index * rows * rows, (index + 1) * rows * rows) : undefined;
    fill(view(this.query), view(this.key), view(this.value), mask);
    this.targets.push(target);
    return this.targets.length === calls * instances;
  }

  /** Runs what was collected, if anything, and delivers the results. Slots that nobody filled repeat old operands; their results are dropped. */
  async flush(): Promise<void> {
    if (this.targets.length === 0) {
      return;
    }
    const { instances, rows, width } = this.shape;
    const calls = Math.ceil(this.targets.length / instances);
    const operand = calls * instances * rows * width;
    const result = await this.attend({
      calls,
      instances,
      rows,
      query: this.query.subarray(0, operand),
      key: this.key.subarray(0, operand),
      value: this.value.subarray(0, operand),
      ...(this.mask && { mask: this.mask.subarray(0, calls * this.masksPerCall * rows * rows) }),
    });
    this.deliver(this.targets, result);
    this.targets.length = 0;
  }

  private get masksPerCall(): number {
    return this.shape.masks === 'each' ? this.shape.instances : 1;
  }
}
