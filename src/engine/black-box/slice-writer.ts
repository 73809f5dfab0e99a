import { noToken, referenceTokens, syntheticToken, type Pattern } from '../../core/constructions/pattern';
import { separationVectors, type SeparationVector } from '../../core/constructions/separation';
import { sliceColumns, type BlackBoxShape, type SliceColumns } from '../../core/constructions/slice';
import { hiddenScore } from '../graphs/attend';
import { rowsView, type HeadTensor } from '../run/head-tensor';
import { keyHeadOf, type LayerTensors } from '../run/layer';

/** One single-head instance: a pattern, for one head of the large transformer. */
export interface Instance {
  readonly pattern: Pattern;
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
  private readonly instances: number;

  /** @param chunks how many chunks a pattern keeps apart */
  constructor(
    private readonly shape: BlackBoxShape,
    chunks: number,
  ) {
    // The columns that come in are the same for every reading.
    this.columns = sliceColumns(shape, 'state');
    this.separation = separationVectors(chunks);
    this.instances = shape.layers * shape.heads;
  }

  /** Floats of one call. */
  get callSize(): number {
    return this.shape.rows * this.instances * this.columns.inputWidth;
  }

  /** Writes an instance into a slot: slot `i` is instance `i mod H'L'` of call `floor(i / H'L')`. */
  write(tokens: Float32Array, slot: number, { pattern, head }: Instance, layer: LayerTensors): void {
    const { columns } = this;
    const keyHead = keyHeadOf(layer, head);
    const references = referenceTokens(pattern);
    for (let row = 0; row < this.shape.rows; row += 1) {
      const at = this.offset(slot, row);
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
    this.setSynthetic(tokens, slot, pattern, true);
  }

  /** Makes row 0 of a slot the synthetic token, or padding. */
  setSynthetic(tokens: Float32Array, slot: number, { keys }: Pattern, present: boolean): void {
    const row = keys.indexOf(syntheticToken);
    const at = this.offset(slot, row);
    tokens[at + this.columns.synthetic.from] = present ? 1 : 0;
    tokens[at + this.columns.padding.from] = present ? 0 : hiddenScore;
  }

  /** Replaces the reference of a row: `reference` is `[m]`. */
  setReference(tokens: Float32Array, slot: number, row: number, reference: Float32Array): void {
    tokens.set(reference, this.offset(slot, row) + this.columns.reference.from);
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

  private offset(slot: number, row: number): number {
    const call = Math.floor(slot / this.instances);
    return ((call * this.shape.rows + row) * this.instances + (slot % this.instances)) * this.columns.inputWidth;
  }
}

/** Copies one token's row of a head, or nothing for a row that carries no token. */
function copyRow(tensor: HeadTensor, head: number, token: number, target: Float32Array, at: number): void {
  if (token >= 0) {
    target.set(rowsView(tensor, head, token, token + 1), at);
  }
}
