import { noToken, type Pattern } from '../../../core/construct/arrangement';
import { type SeparationVector, separationVectors } from '../../../core/construct/separation';
import { type BlackBoxShape, outputWidth, type Reading, sliceColumns, type SliceColumns } from '../../../core/construct/slice';
import { hiddenScore } from '../graphs/attend';
import { type HeadTensor, keyHeadOf, type LayerTensors, rowsView } from '../tiles/layer';
import type { BlackBox } from './black-box';

/** One single-head instance: a pattern for one head of the large transformer. */
export interface Instance {
  readonly pattern: Pattern;
  /** `[M]`: for each row with a query, a token whose key it sees, or `noToken`. */
  readonly references: Int32Array;
  readonly head: number;
}

/**
 * Writes instances into the tokens of black-box calls, `[calls, M, H'L', input width]`.
 *
 * It can only copy rows of the layer's tensors and set constants: 0, 1, separation vectors and the padding score.
 */
export class SliceWriter {
  private readonly columns: SliceColumns;
  private readonly separation: readonly SeparationVector[];

  /** @param chunks number of chunks that a pattern keeps apart */
  constructor(
    private readonly shape: BlackBoxShape,
    chunks: number,
  ) {
    // The input columns are the same for every reading.
    this.columns = sliceColumns(shape, 'state');
    this.separation = separationVectors(chunks);
  }

  /** Floats of one call. */
  get callSize(): number {
    return this.shape.rows * this.shape.layers * this.shape.heads * this.columns.inputWidth;
  }

  /** Writes an instance into a slot, except for the synthetic token in row 0. */
  write(tokens: Float32Array, slot: number, { pattern, references, head }: Instance, layer: LayerTensors): void {
    const { columns } = this;
    const keyHead = keyHeadOf(layer, head);
    for (let row = 0; row < this.shape.rows; row += 1) {
      const at = rowOffset(this.shape, slot, row, columns.inputWidth);
      tokens.fill(0, at, at + columns.inputWidth);
      tokens[at + columns.one.from] = 1;
      copyRow(layer.query, head, pattern.queries[row], tokens, at + columns.query.from);
      copyRow(layer.key, keyHead, references[row], tokens, at + columns.reference.from);
      const key = pattern.keys[row];
      copyRow(layer.key, keyHead, key, tokens, at + columns.key.from);
      copyRow(layer.value, keyHead, key, tokens, at + columns.value.from);
      tokens[at + columns.real.from] = key >= 0 ? 1 : 0;
      tokens[at + columns.padding.from] = key === noToken ? hiddenScore : 0;
      this.writeSeparation(tokens, at, pattern, row);
    }
  }

  /** Makes row 0 of a slot the synthetic token, or padding. */
  setSynthetic(tokens: Float32Array, slot: number, present: boolean): void {
    const at = rowOffset(this.shape, slot, 0, this.columns.inputWidth);
    tokens[at + this.columns.synthetic.from] = present ? 1 : 0;
    tokens[at + this.columns.padding.from] = present ? 0 : hiddenScore;
  }

  /** Replaces the reference of a row: `reference` is `[m]`. */
  setReference(tokens: Float32Array, slot: number, row: number, reference: Float32Array): void {
    tokens.set(reference, rowOffset(this.shape, slot, row, this.columns.inputWidth) + this.columns.reference.from);
  }

  private writeSeparation(tokens: Float32Array, at: number, { chunks, sharedRows }: Pattern, row: number): void {
    const chunk = chunks?.[row] ?? noToken;
    if (chunk === noToken || this.shape.separation === 0) {
      return;
    }
    tokens.set(this.separation[chunk].query, at + this.columns.querySeparation.from);
    if (row >= sharedRows) {
      tokens.set(this.separation[chunk].key, at + this.columns.keySeparation.from);
    }
  }
}

/**
 * Offset of a slot's row in a tensor `[calls, M, H'L', width]`: slot `i` is instance `i mod H'L'` of call `floor(i /
 * H'L')`.
 */
function rowOffset({ rows, layers, heads }: BlackBoxShape, slot: number, row: number, width: number): number {
  const instances = layers * heads;
  const call = Math.floor(slot / instances);
  return ((call * rows + row) * instances + (slot % instances)) * width;
}

/** Copies one token's row of a head; copies nothing if the row carries no token. */
function copyRow(tensor: HeadTensor, head: number, token: number, target: Float32Array, at: number): void {
  if (token >= 0) {
    target.set(rowsView(tensor, head, token, token + 1), at);
  }
}

/** Reads a row of a slot from a final output: a view, `[output width]`. */
export type OutputRow = (slot: number, row: number) => Float32Array;

/**
 * Collects instances into batches of black-box calls. The buffer is allocated once, at first use; H'L' instances make one
 * call.
 */
export class PatternLane<I extends Instance> {
  readonly waiting: I[] = [];
  private buffer: Float32Array | undefined;
  private readonly perCall: number;

  /** @param calls most calls in a batch */
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

  /** Adds an instance. Returns whether the lane is full and must be read before the next one. */
  add(instance: I, layer: LayerTensors): boolean {
    this.writer.write(this.tokens, this.waiting.length, instance, layer);
    this.waiting.push(instance);
    return this.waiting.length === this.calls * this.perCall;
  }

  /** Calls the black box on the waiting instances; slots that are not filled contain old rows, which are never read. */
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
