import { noToken, type Pattern } from '../../../core/construct/arrangement';
import { separationVectors, type SeparationVector } from '../../../core/construct/separation';
import { sliceColumns, type BlackBoxShape, type SliceColumns } from '../../../core/construct/slice';
import { hiddenScore } from '../graphs/attend';
import { rowsView, type HeadTensor } from '../../run/head-tensor';
import { keyHeadOf, type LayerTensors } from '../tiles/layer';

/** One single-head instance: a pattern, for one head of the large transformer. */
export interface Instance {
  readonly pattern: Pattern;
  /** `[M]`: for each row with a query, a token whose key it sees, or `noToken`. */
  readonly references: Int32Array;
  readonly head: number;
}

/**
 * Writes instances into the tokens of black-box calls, `[calls, M, H'L', input width]`.
 *
 * All it can do is copy rows of the layer's tensors and set constants: 0, 1, separation vectors and the padding score.
 */
export class SliceWriter {
  private readonly columns: SliceColumns;
  private readonly separation: readonly SeparationVector[];

  /** @param chunks how many chunks a pattern keeps apart */
  constructor(
    private readonly shape: BlackBoxShape,
    chunks: number,
  ) {
    // The columns that come in are the same for every reading.
    this.columns = sliceColumns(shape, 'state');
    this.separation = separationVectors(chunks);
  }

  /** Floats of one call. */
  get callSize(): number {
    return this.shape.rows * this.shape.layers * this.shape.heads * this.columns.inputWidth;
  }

  /** Writes an instance into a slot, but for the synthetic token in row 0. */
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
 * Where a slot's row begins in a tensor `[calls, M, H'L', width]`: slot `i` is instance `i mod H'L'` of call
 * `floor(i / H'L')`.
 */
export function rowOffset({ rows, layers, heads }: BlackBoxShape, slot: number, row: number, width: number): number {
  const instances = layers * heads;
  const call = Math.floor(slot / instances);
  return ((call * rows + row) * instances + (slot % instances)) * width;
}

/** Copies one token's row of a head, or nothing for a row that carries no token. */
function copyRow(tensor: HeadTensor, head: number, token: number, target: Float32Array, at: number): void {
  if (token >= 0) {
    target.set(rowsView(tensor, head, token, token + 1), at);
  }
}
