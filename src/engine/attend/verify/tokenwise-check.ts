import { permutation, uniform } from '../../../core/math/random';
import type { Activations } from '../../../core/options/table';
import type { TokenwiseFidelity } from '../../../core/report/around-attention';
import type { LayerStep } from '../../../core/plan/segments';
import type { Range } from '../../../core/scenario/scenario';
import { lengthOf, modelPosition, placeOf, type Positions, positionOf } from '../../../core/shards/cut';
import type { LoadedModel } from '../../read/model/load';
import { embed } from '../tiles/embed';
import { type AttendedLayer, type HeadTensor, type LayerTensors, rowsView } from '../tiles/layer';
import { largestOf, worse } from './difference';
import { exactNext, exactProducts, exactProjection } from './exact-tokenwise';

/** What token-wise work is checked with. */
export interface TokenwiseRun {
  /** What packed weights are multiplied with; float32 where nothing is said. */
  readonly activations?: Activations | undefined;
  readonly model: LoadedModel;
  /** Ids of the whole prompt `[N]`, and where in it the run's rows lie. */
  readonly tokens: Int32Array;
  readonly positions: Positions;
  /** Whether the residual stream before every layer can be read; otherwise only that before the first is. */
  readonly streams: boolean;
}

/**
 * By how much a row may be off, relative to its largest number: chosen, not derived. On the golden models rows are off by up to
 * 6e-7; TF32, in which CUDA multiplies, rounds to 5e-4.
 */
export const tokenwiseTolerance: Readonly<Record<Activations, number>> = { float32: 2e-3, int8: 5e-2 };

/** Products in float64 that cost nothing beside any run: a few milliseconds. */
const freeProducts = 2 ** 21;

/**
 * Products in float64, for each that a token takes in the run, that are below 1% of it: JavaScript makes about one in a nanosecond, ONNX
 * Runtime some 50 in that time on a core or two.
 */
const affordableShare = 2e-4;

/** Wrong rows that are named at most. */
const mostWrong = 16;

/**
 * Checks work token by token: at one row at random of a layer, its projections and what the layer makes of its attention, against
 * float64 from the weights. Layers are drawn as well where all of them would cost more than 1% of the run; the first always is one of
 * them, and begins from the token that the prompt has at the row's position.
 */
export class TokenwiseCheck {
  /** The row of each layer that is checked. */
  private readonly rows: ReadonlyMap<number, number>;
  /** By layer, the row that the next one has not given yet. */
  private readonly pending = new Map<number, { readonly row: number; readonly exact: Float64Array; readonly before: Float32Array }>();
  private error = 0;
  private readonly wrong: { readonly layer: number; readonly row: number }[] = [];
  private compared = 0;

  /** @param own rows of the run that are checked: any row in the first layer, where those of a halo begin as well */
  constructor(
    private readonly run: TokenwiseRun,
    own: Range,
    seed: number,
  ) {
    const { model, positions, streams } = run;
    const next = uniform(seed ^ 0x746f6b65);
    const total = model.layers.reduce((sum, layer) => sum + exactProducts(layer), 0);
    const rows = lengthOf(positions.ranges);
    const affordable = Math.max(freeProducts, affordableShare * rows * total);
    const count = Math.min(model.layers.length, Math.max(1, Math.floor((affordable / Math.max(1, total)) * model.layers.length)));
    const others = [...permutation(model.layers.length - 1, seed)].map((layer) => layer + 1);
    const layers = streams ? [0, ...others.slice(0, count - 1)] : [0];
    this.rows = new Map(
      layers.map((layer) => [layer, layer === 0 ? Math.floor(next() * rows) : own.from + Math.floor(next() * (own.to - own.from))]),
    );
  }

  /** Layers that are to be looked at, and that were. */
  get coverage(): { readonly asked: number; readonly compared: number } {
    return { asked: this.rows.size, compared: this.compared };
  }

  /**
   * Looks at a layer, in the step that has its row.
   *
   * @param stream residual stream before it, of the step's queries, which the layer before it gave; undefined where it cannot be read
   */
  inspect(layer: number, tensors: LayerTensors, { out }: AttendedLayer, stream: Float32Array | undefined, step: LayerStep): void {
    const { model, tokens, positions, streams } = this.run;
    const { from, to } = step.queries;
    this.inspectNext(layer, stream, step.queries);
    const row = this.rows.get(layer);
    if (row === undefined || stream === undefined || row < from || row >= to) {
      return;
    }
    const { width } = model.shape;
    const token = positionOf(positions, row);
    const position = modelPosition(positions, row);
    const [place, held] = [row - from, placeOf(step.keys, row) ?? NaN];
    const before = stream.slice(place * width, (place + 1) * width);
    if (layer === 0) {
      const embedded = embed(model, tokens.subarray(token, token + 1), () => position);
      this.compare(layer, row, before, embedded, largestOf(embedded), 0);
    }
    const weights = model.layers[layer];
    const exact = exactProjection(model, weights, before, { position, tokens: positions.tokens });
    for (const name of ['query', 'key', 'value'] as const) {
      this.compare(layer, row, rowOf(tensors[name], name === 'query' ? place : held), exact[name], largestOf(exact[name]));
    }
    const after = streams ? exactNext(model, weights, before, rowOf(out, place)) : undefined;
    if (after !== undefined) {
      this.pending.set(layer, { row, exact: after, before });
    }
    this.compared += after === undefined ? 1 : 0;
  }

  /** Takes rows of the residual stream after the last layer. */
  end(stream: Float32Array, rows: Range): void {
    this.inspectNext(this.run.model.layers.length, stream, rows);
  }

  /** Takes rows of the residual stream before a layer, which the one before it gave. */
  private inspectNext(next: number, stream: Float32Array | undefined, rows: Range): void {
    const layer = next - 1;
    const pending = this.pending.get(layer);
    if (pending === undefined || stream === undefined || pending.row < rows.from || pending.row >= rows.to) {
      return;
    }
    this.pending.delete(layer);
    const { row, exact, before } = pending;
    const { width } = this.run.model.shape;
    // What a layer adds may be small beside the stream, whose own rounding then counts.
    const added = largestOf(exact.map((x, column) => x - before[column]));
    const size = Math.max(added, 1e-4 * largestOf(exact));
    const place = row - rows.from;
    this.compare(layer, row, stream.subarray(place * width, (place + 1) * width), exact, size);
    this.compared += 1;
  }

  result(): TokenwiseFidelity {
    const { activations = 'float32' } = this.run;
    return {
      layers: this.compared,
      maxRelError: this.error,
      bound: tokenwiseTolerance[activations],
      ...(activations !== 'float32' && { activations }),
      wrongRows: this.wrong,
    };
  }

  private compare(layer: number, row: number, found: ArrayLike<number>, exact: ArrayLike<number>, size: number, allowed?: number): void {
    let difference = 0;
    for (let at = 0; at < exact.length; at += 1) {
      difference = worse(difference, found[at] - exact[at]);
    }
    const error = difference === 0 ? 0 : difference / size;
    this.error = worse(this.error, error);
    const known = this.wrong.some((one) => one.layer === layer);
    if (!(error <= (allowed ?? tokenwiseTolerance[this.run.activations ?? 'float32'])) && !known && this.wrong.length < mostWrong) {
      this.wrong.push({ layer, row: positionOf(this.run.positions, row) });
    }
  }
}

/** A row of every head `[heads, m]`. */
function rowOf(tensor: HeadTensor, row: number): Float32Array {
  const joined = new Float32Array(tensor.heads * tensor.width);
  for (let head = 0; head < tensor.heads; head += 1) {
    joined.set(rowsView(tensor, head, row, row + 1), head * tensor.width);
  }
  return joined;
}
