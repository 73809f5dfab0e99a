import { outputWidth, type Reading } from '../../core/construct/slice';
import type { LayerTensors } from '../attend/tiles/layer';
import type { BlackBox } from '../attend/black-box/black-box';
import { rowOffset, type Instance, type SliceWriter } from '../attend/black-box/slices';

/** Reads a row of a slot from a final output: a view, `[output width]`. */
export type OutputRow = (slot: number, row: number) => Float32Array;

/** Collects instances into batches of black-box calls. The buffer is made once, at first use; H'L' instances are one call. */
export class PatternLane<I extends Instance> {
  readonly waiting: I[] = [];
  private buffer: Float32Array | undefined;
  private readonly perCall: number;

  /** @param calls how many calls a batch has at most */
  constructor(
    private readonly blackBox: BlackBox,
    private readonly writer: SliceWriter,
    private readonly causal: boolean,
    private readonly retry: boolean,
    private readonly calls: number,
  ) {
    this.perCall = blackBox.shape.layers * blackBox.shape.heads;
  }

  /** `[calls, M, H'L', input width]`. */
  private get tokens(): Float32Array {
    return (this.buffer ??= new Float32Array(this.calls * this.writer.callSize));
  }

  /** Adds an instance. Returns whether the lane is full and must be read before the next. */
  add(instance: I, layer: LayerTensors): boolean {
    this.writer.write(this.tokens, this.waiting.length, instance, layer);
    this.waiting.push(instance);
    return this.waiting.length === this.calls * this.perCall;
  }

  /** Calls the black box on what waits; which slots are not filled repeat old rows, and nobody reads them. */
  async read(reading: Reading): Promise<OutputRow> {
    const { shape } = this.blackBox;
    const calls = Math.ceil(this.waiting.length / this.perCall);
    const withSynthetic = reading === 'state' || reading === 'normaliser';
    this.waiting.forEach((_, slot) => this.writer.setSynthetic(this.tokens, slot, withSynthetic));
    const tokens = this.tokens.subarray(0, calls * this.writer.callSize);
    const out = await this.blackBox.call({ causal: this.causal, reading, retry: this.retry, calls, tokens });
    const width = outputWidth(shape.headWidth, reading);
    return (slot, row) => {
      const at = rowOffset(shape, slot, row, width);
      return out.subarray(at, at + width);
    };
  }

  /** Replaces the reference of a waiting instance's row. */
  setReference(slot: number, row: number, reference: Float32Array): void {
    this.writer.setReference(this.tokens, slot, row, reference);
  }
}
