import type { Provider } from '../options/table';

/** Version of the calibration document. */
export const calibrationSchemaVersion = 1;

/** Times of an attention run of one head for one size of tiles, in milliseconds. */
export interface TileRate {
  /** M. */
  readonly rows: number;
  /** m. */
  readonly headWidth: number;
  /** Overhead of a native run: passing operands, starting threads, returning results. */
  readonly runMs: number;
  /** The first tile of a query block, which gives its reference, and the block's results. */
  readonly firstMs: number;
  /** Another tile without a mask. */
  readonly openMs: number;
  /** Another tile with a mask. */
  readonly maskedMs: number;
}

/** Times of token-wise runs at one width of the residual stream. */
export interface TokenwiseRate {
  /** d. */
  readonly width: number;
  readonly project: RunRate;
  readonly outputAndMlp: RunRate;
}

/** A run takes `runMs` plus `nsPerFlop` for every floating-point operation. */
export interface RunRate {
  readonly runMs: number;
  readonly nsPerFlop: number;
}

/** ONNX Runtime's own operator for dense attention, for comparison: one head of one layer, causal. */
export interface DenseRate {
  readonly headWidth: number;
  /** Nanoseconds per pair (query, key), including masked pairs. */
  readonly nsPerPair: number;
}

/**
 * Time of a compiled layer: a fixed part, which includes copying its weights to the device, and a part per floating-point
 * operation.
 */
export interface LayerRate {
  readonly layerMs: number;
  readonly attendNsPerFlop: number;
  readonly tokenwiseNsPerFlop: number;
}

/**
 * A whole pass compared with the sum of its parts, which were timed in repetition: a start-up time, and a factor on
 * everything.
 */
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
  /** Memory of one run's scores that was fastest, in bytes. */
  readonly scoreBytes: number;
  /** Tile-wise runs. */
  readonly tiles: readonly TileRate[];
  /** Copying keys for the attention calls, in nanoseconds per float32. */
  readonly gatherNsPerFloat: number;
  /** Ascending by width. */
  readonly tokenwise: readonly TokenwiseRate[];
  readonly pass: PassRate;
  readonly dense: readonly DenseRate[];
  /** Layers as compiled graphs; null on the CPU, where tiles are preferred. */
  readonly layer: LayerRate | null;
  /** Copy bandwidth of the device's memory, in bytes per second. */
  readonly bandwidth: number;
  /** Resident memory of an engine process that has loaded ONNX Runtime and no model, in bytes. */
  readonly idleBytes: number;
}

/**
 * Interpolates a rate linearly in the logarithm of `at`; constant outside the measured range.
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

/** Linear between measured points, and extrapolated from the last two: work per pair grows linearly with the head width. */
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
