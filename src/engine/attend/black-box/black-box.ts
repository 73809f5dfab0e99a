import {
  type BlackBoxShape,
  type Columns,
  type Reading,
  resultWidth,
  scoreWidth,
  sliceColumns,
  type SliceColumns,
} from '../../../core/construct/slice';
import { smallTransformerGraph } from '../graphs/small-transformer';
import type { Device } from '../runtime/provider';
import { GraphSession, type Operand } from '../runtime/session';

/**
 * The weights that make a small transformer run H'L' instances side by side (lemma 3.3), as inputs of its graph.
 *
 * Head h of layer l reads and writes only the slice of instance (h, l), so all other slices pass layer l unchanged. Every
 * entry is 0 or 1: weights select columns, and selection does not round.
 */
export function instanceWeights(shape: BlackBoxShape, reading: Reading): Record<string, Operand> {
  const { layers, heads, headWidth } = shape;
  const columns = sliceColumns(shape, reading);
  const width = layers * heads * columns.width;
  const results = resultWidth(headWidth, reading);
  const selected: Readonly<Record<'query' | 'key' | 'value', readonly Columns[]>> = {
    query: [columns.query, columns.score, columns.one, columns.querySeparation],
    key: [columns.key, columns.synthetic, columns.padding, columns.keySeparation],
    value: valueColumns(columns, reading),
  };
  const weights: Record<string, Operand> = {};
  for (let layer = 0; layer < layers; layer += 1) {
    const firstSlice = layer * heads;
    for (const [name, sources] of Object.entries(selected)) {
      const outputs = name === 'value' ? results : scoreWidth(shape);
      const data = new Float32Array(heads * width * outputs);
      for (let head = 0; head < heads; head += 1) {
        select(data.subarray(head * width * outputs, (head + 1) * width * outputs), (firstSlice + head) * columns.width, sources, outputs);
      }
      weights[`${name}.${layer}`] = { data, shape: [heads, width, outputs] };
    }
    const output = new Float32Array(heads * results * width);
    for (let head = 0; head < heads; head += 1) {
      for (let result = 0; result < results; result += 1) {
        output[(head * results + result) * width + (firstSlice + head) * columns.width + columns.result.from + result] = 1;
      }
    }
    weights[`output.${layer}`] = { data: output, shape: [heads * results, width] };
  }
  return weights;
}

/** The columns that a head averages under a reading. */
function valueColumns({ value, key, real, synthetic }: SliceColumns, reading: Reading): readonly Columns[] {
  switch (reading) {
    case 'state':
      return [value, real, synthetic];
    case 'normaliser':
      return [real];
    case 'mean-value':
      return [value];
    case 'mean-key':
      return [key];
  }
}

/**
 * Fills `[W, outputs]` so that a row vector times it gives the source columns of the slice at `base`, one after another.
 */
function select(matrix: Float32Array, base: number, sources: readonly Columns[], outputs: number): void {
  let output = 0;
  for (const { from, width } of sources) {
    for (let column = 0; column < width; column += 1) {
      matrix[(base + from + column) * outputs + output] = 1;
      output += 1;
    }
  }
}

/** A batch of black-box calls. */
export interface BlackBoxBatch {
  readonly causal: boolean;
  readonly reading: Reading;
  /** Whether these are repeated calls whose synthetic token underflowed. */
  readonly retry: boolean;
  readonly calls: number;
  /** `[calls, M, H'L', input width]`. */
  readonly tokens: Float32Array;
}

/** A small transformer that shows its final output only and counts its calls. */
export interface BlackBox {
  readonly shape: BlackBoxShape;
  /** The final output `[calls, M, H'L', output width]`. */
  call(batch: BlackBoxBatch): Promise<Float32Array>;
}

/** The black box on ONNX Runtime. Graphs and weights are created at the first call. */
export class OnnxBlackBox implements BlackBox {
  private readonly loaded = new Map<string, Promise<LoadedTransformer>>();

  /** @param counter counts every call as it is made */
  constructor(
    readonly shape: BlackBoxShape,
    private readonly device: Device,
    private readonly counter: CallCounter,
  ) {}

  async call({ causal, reading, retry, calls, tokens }: BlackBoxBatch): Promise<Float32Array> {
    const { session, weights } = await this.transformer(causal, reading);
    const { rows, layers, heads } = this.shape;
    this.counter.attention += calls;
    this.counter.retries += retry ? calls : 0;
    this.counter.dispatches += 1;
    const shape = [calls, rows, layers * heads, sliceColumns(this.shape, reading).inputWidth];
    const { out } = await session.run<'out'>({ tokens: { data: tokens, shape }, ...weights });
    return out;
  }

  async release(): Promise<void> {
    for (const transformer of this.loaded.values()) {
      await (await transformer).session.release();
    }
    this.loaded.clear();
  }

  private transformer(causal: boolean, reading: Reading): Promise<LoadedTransformer> {
    const name = `${causal ? 'causal' : 'open'}/${reading}`;
    const present = this.loaded.get(name) ?? this.load(causal, reading);
    this.loaded.set(name, present);
    return present;
  }

  private async load(causal: boolean, reading: Reading): Promise<LoadedTransformer> {
    const { shape, device } = this;
    return {
      // Few large intermediates: a block for them would take as much again, and save nothing.
      session: await GraphSession.create(smallTransformerGraph({ shape, causal, reading }), device, false),
      weights: instanceWeights(shape, reading),
    };
  }
}

interface LoadedTransformer {
  readonly session: GraphSession;
  readonly weights: Readonly<Record<string, Operand>>;
}

/** Calls made so far. */
export interface CallCounter {
  attention: number;
  tokenwise: number;
  /** Repeated attention calls among them: a synthetic token underflowed, or a sum overflowed. */
  retries: number;
  /** Native `run()` calls that carried them. */
  dispatches: number;
}
