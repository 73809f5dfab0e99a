import type { Provider } from '../options/options';

/** Version of the calibration document. */
export const calibrationSchemaVersion = 1;

/** What an attention run of one head costs for tiles of one size, in milliseconds. */
export interface TileRate {
  /** M. */
  readonly rows: number;
  /** m. */
  readonly headWidth: number;
  /** A native run: handing over operands, starting threads, taking results. */
  readonly runMs: number;
  /** The tile that gives a query block its reference, and the block's results. */
  readonly firstMs: number;
  /** Another tile without a mask. */
  readonly openMs: number;
  /** Another tile with a mask. */
  readonly maskedMs: number;
}

/** What token-wise runs cost at one width of the residual stream. */
export interface TokenwiseRate {
  /** d. */
  readonly width: number;
  readonly project: RunRate;
  readonly outputAndMlp: RunRate;
}

/** A run that takes `runMs` and `nsPerFlop` for every floating-point operation. */
export interface RunRate {
  readonly runMs: number;
  readonly nsPerFlop: number;
}

/** Dense attention of ONNX Runtime's own operator, for comparison: one head of one layer, causal. */
export interface DenseRate {
  readonly headWidth: number;
  /** Nanoseconds per pair (query, key), masked ones included. */
  readonly nsPerPair: number;
}

/** What a compiled layer takes: by itself, its weights' way to the device included, and for every floating-point operation. */
export interface LayerRate {
  readonly layerMs: number;
  readonly attendNsPerFlop: number;
  readonly tokenwiseNsPerFlop: number;
}

/** A whole pass against the sum of its parts, which were timed again and again: a start, and what everything takes longer. */
export interface PassRate {
  readonly startMs: number;
  readonly factor: number;
}

/** Measured rates of a device: plain data, cached per device and version of ONNX Runtime. */
export interface Calibration {
  readonly schemaVersion: number;
  readonly provider: Exclude<Provider, 'auto'>;
  readonly device: string;
  readonly threads: number;
  readonly onnxruntime: string;
  /** ISO 8601. */
  readonly date: string;
  /** Milliseconds that the calibration took. */
  readonly tookMs: number;
  /** Memory of the scores of one run that was fastest, in bytes. */
  readonly scoreBytes: number;
  /** Tile-wise runs. */
  readonly tiles: readonly TileRate[];
  /** Copying keys for the attention calls, nanoseconds per float32. */
  readonly gatherNsPerFloat: number;
  /** Ascending by width. */
  readonly tokenwise: readonly TokenwiseRate[];
  readonly pass: PassRate;
  readonly dense: readonly DenseRate[];
  /** Layers as compiled graphs; null on the CPU, where they are not preferred. */
  readonly layer: LayerRate | null;
  /** Memory of copying inside the device, bytes per second. */
  readonly bandwidth: number;
  /** Resident memory of an engine process that has loaded ONNX Runtime and no model, in bytes. */
  readonly idleBytes: number;
}

/**
 * A rate between measured ones, linear in the logarithm of what it depends on, and constant outside of what was measured.
 *
 * @param points measured `[at, rate]`, ascending by `at`, at least one
 */
export function interpolate(points: readonly (readonly [number, number])[], at: number): number {
  const next = points.findIndex(([place]) => place >= at);
  if (next <= 0) {
    return (next === 0 ? points[0] : points[points.length - 1])[1];
  }
  const [lowAt, low] = points[next - 1];
  const [highAt, high] = points[next];
  const share = Math.log(at / lowAt) / Math.log(highAt / lowAt);
  return low + share * (high - low);
}

/** Linear between measured points, and along the last two beyond them: work per pair grows so with the head width. */
export function linearBetween(points: readonly (readonly [number, number])[], at: number): number {
  if (points.length === 1) {
    return points[0][1];
  }
  const next = Math.min(
    points.length - 1,
    Math.max(
      1,
      points.findIndex(([place]) => place >= at),
    ),
  );
  const upper = points.at(-1)?.[0] ?? 0;
  const [[lowAt, low], [highAt, high]] = at > upper ? points.slice(-2) : [points[next - 1], points[next]];
  return Math.max(0, low + ((at - lowAt) / (highAt - lowAt)) * (high - low));
}
