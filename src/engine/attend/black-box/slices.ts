import { type Pattern, referenceTokens } from '../../../core/construct/arrangement';
import { separationStrength } from '../../../core/construct/separation';
import { type BlackBoxShape, type Reading, sliceColumns } from '../../../core/construct/slice';
import { hiddenScore } from '../graphs/attend';
import { partWidths, type SlicePart, sliceParts } from '../graphs/small-transformer';
import { type HeadTensor, keyHeadOf, type LayerTensors, rowsView } from '../tiles/layer';
import type { BlackBox, BlackBoxOutput, SliceTensors } from './black-box';

/** A pattern with what is the same for every head. */
export interface PreparedPattern {
  readonly pattern: Pattern;
  /** `[M]`: for each row with a query, a token whose key it sees, or `noToken`. */
  readonly references: Int32Array;
  /** `[M, width]`: the columns that no token fills, with row 0 still padding. */
  readonly marks: Float32Array;
}

/** One single-head instance: a pattern for one head of the large transformer. */
export interface Instance extends PreparedPattern {
  readonly head: number;
}

/** What a pattern has in common for all heads. */
export function prepare(pattern: Pattern, shape: BlackBoxShape): PreparedPattern {
  const columns = sliceColumns(shape, 'state');
  const width = columns.inputWidth - columns.one.from;
  const marks = new Float32Array(shape.rows * width);
  const { keys, separation } = pattern;
  for (let row = 0; row < shape.rows; row += 1) {
    // Where the marks' columns would be if the slice had nothing before them.
    const at = row * width - columns.one.from;
    marks[at + columns.one.from] = 1;
    marks[at + columns.real.from] = keys[row] >= 0 ? 1 : 0;
    marks[at + columns.padding.from] = keys[row] >= 0 ? 0 : hiddenScore;
    for (let column = 0; separation !== undefined && column < separation.width; column += 1) {
      const mark = row * separation.width + column;
      marks[at + columns.querySeparation.from + column] = -separationStrength * separation.queries[mark];
      marks[at + columns.keySeparation.from + column] = separationStrength * separation.keys[mark];
    }
  }
  return { pattern, references: referenceTokens(pattern), marks };
}

/**
 * Collects instances into batches of black-box calls. The tensors are allocated once, at first use; H'L' instances make one call.
 *
 * It can only copy rows of the layer's tensors and set constants: 0, 1, the separation strength and the padding score.
 */
export class PatternLane<I extends Instance> {
  readonly waiting: I[] = [];
  private buffers: SliceTensors | undefined;
  private readonly perCall: number;
  private readonly widths: Readonly<Record<SlicePart, number>>;

  /** @param calls most calls in a batch */
  constructor(
    private readonly blackBox: BlackBox,
    private readonly causal: boolean,
    private readonly retry: boolean,
    private readonly calls: number,
  ) {
    this.perCall = blackBox.shape.layers * blackBox.shape.heads;
    this.widths = partWidths(blackBox.shape);
  }

  private get tokens(): SliceTensors {
    return (this.buffers ??= this.partsOf((part) => new Float32Array(this.calls * this.perCall * this.sizeOf(part))));
  }

  /** Adds an instance. Returns whether the lane is full and must be read before the next one. */
  add(instance: I, layer: LayerTensors): boolean {
    const { pattern, references, marks, head } = instance;
    const { query, reference, key, value } = this.tokens;
    const slot = this.waiting.push(instance) - 1;
    const keyHead = keyHeadOf(layer, head);
    copyRows(layer.query, head, pattern.queries, query, slot * this.sizeOf('query'));
    copyRows(layer.key, keyHead, references, reference, slot * this.sizeOf('reference'));
    copyRows(layer.key, keyHead, pattern.keys, key, slot * this.sizeOf('key'));
    copyRows(layer.value, keyHead, pattern.keys, value, slot * this.sizeOf('value'));
    this.tokens.marks.set(marks, slot * this.sizeOf('marks'));
    return this.waiting.length === this.calls * this.perCall;
  }

  /** Calls the black box on the waiting instances; slots that are not filled contain old rows, which are never read. */
  read(reading: Reading): Promise<BlackBoxOutput> {
    const calls = Math.ceil(this.waiting.length / this.perCall);
    const withSynthetic = reading === 'state' || reading === 'normaliser';
    this.waiting.forEach((_, slot) => this.setSynthetic(slot, withSynthetic));
    const tokens = this.partsOf((part) => this.tokens[part].subarray(0, calls * this.perCall * this.sizeOf(part)));
    return this.blackBox.call({ causal: this.causal, reading, retry: this.retry, calls, tokens });
  }

  /** Replaces the reference of a waiting instance's row: `reference` is `[m]`. */
  setReference(slot: number, row: number, reference: Float32Array): void {
    this.tokens.reference.set(reference, slot * this.sizeOf('reference') + row * this.widths.reference);
  }

  /** Makes row 0 of a slot the synthetic token, or padding. */
  private setSynthetic(slot: number, present: boolean): void {
    const { one, synthetic, padding } = sliceColumns(this.blackBox.shape, 'state');
    const at = slot * this.sizeOf('marks') - one.from;
    this.tokens.marks[at + synthetic.from] = present ? 1 : 0;
    this.tokens.marks[at + padding.from] = present ? 0 : hiddenScore;
  }

  /** Floats of one instance's part. */
  private sizeOf(part: SlicePart): number {
    return this.blackBox.shape.rows * this.widths[part];
  }

  private partsOf(of: (part: SlicePart) => Float32Array): SliceTensors {
    return Object.fromEntries(sliceParts.map((part) => [part, of(part)])) as SliceTensors;
  }
}

/** Copies the rows of one head that `tokens` names, consecutive ones together; a row that carries no token is 0. */
function copyRows(tensor: HeadTensor, head: number, tokens: Int32Array, target: Float32Array, at: number): void {
  const { width } = tensor;
  for (let row = 0; row < tokens.length;) {
    const first = tokens[row];
    let end = row + 1;
    while (end < tokens.length && (first < 0 ? tokens[end] < 0 : tokens[end] === first + end - row)) {
      end += 1;
    }
    if (first < 0) {
      target.fill(0, at + row * width, at + end * width);
    } else {
      target.set(rowsView(tensor, head, first, first + end - row), at + row * width);
    }
    row = end;
  }
}
