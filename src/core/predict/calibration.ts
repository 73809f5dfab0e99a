import type { Provider } from '../options/table';

/**
 * Version of the calibration document: 2 has residuals, dense operators, the range of samples, and how busy the machine was; 3 has rates of
 * runs that read all tiles of several query blocks.
 */
export const calibrationSchemaVersion = 3;

/** How well rates fit the times that they were fitted to. */
export interface FitQuality {
  /** Times. */
  readonly samples: number;
  /** Rates that were fitted to them: fewer. */
  readonly unknowns: number;
  /** The residual: root mean square of relative differences, by degrees of freedom. */
  readonly error: number;
}

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
  readonly project: RunRate & Fit;
  readonly outputAndMlp: RunRate & Fit;
}

/** A run takes `runMs` plus `nsPerFlop` for every floating-point operation. */
export interface RunRate {
  readonly runMs: number;
  readonly nsPerFlop: number;
}

/** What has its residual with it. */
export interface Fit {
  readonly fit: FitQuality;
}

/** ONNX Runtime's ways to compute dense attention: two operators of its own, and plain products with a softmax between. */
export const denseOperators = ['GroupQueryAttention', 'MultiHeadAttention', 'MatMul-Softmax-MatMul'] as const;
export type DenseOperator = (typeof denseOperators)[number];

/** Time of one head of a dense operator, causal, over N: `callMs + nsPerToken N + nsPerPair N^2`. */
export interface DenseRate extends Fit {
  readonly operator: DenseOperator;
  readonly headWidth: number;
  readonly callMs: number;
  readonly nsPerToken: number;
  readonly nsPerPair: number;
  /** The lengths that were measured. */
  readonly tokens: Range;
}

/** The smallest and the largest value that was measured. */
export interface Range {
  readonly from: number;
  readonly to: number;
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
 * Whole passes compared with the sums of their parts, which were timed in repetition: a start-up time, and a factor each on
 * attention and on the rest. Every pass is timed as a run is, so that its residual is what predictions of runs are off by.
 */
export interface PassRate {
  readonly startMs: number;
  readonly attendFactor: number;
  readonly tokenwiseFactor: number;
}

/** What the passes or layers had whose residual is known: a plan outside of it is extrapolated. */
export interface Sampled {
  /** N. */
  readonly tokens: Range;
  /** M. */
  readonly rows: Range;
  /** d. */
  readonly width: Range;
  /** m. */
  readonly headWidth: Range;
  readonly layers: Range;
}

/** What else the machine did. */
export interface MachineLoad {
  /** Processor cores. */
  readonly cores: number;
  /** Cores that other programs want, on average: 0 on a quiet machine, more than there are where they queue. */
  readonly others: number;
}

/** How quiet the machine was while it was calibrated. */
export interface CalibrationLoad extends MachineLoad {
  /** Spread of one product, timed between all others: its median absolute deviation, scaled to a standard deviation, relative to its median. */
  readonly spread: number;
  /** Whether the calibration should be repeated. */
  readonly busy: boolean;
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
  readonly load: CalibrationLoad;
  /** Floating-point operations a second of the best large matrix product: no rate is faster. */
  readonly peakFlops: number;
  /** Times that were refused, because they would need a faster device than `peakFlops` says. */
  readonly refused: number;
  /** Measurements that were left out because time was up; absent where none was. */
  readonly leftOut?: number;
  readonly sampled: Sampled;
  /** Memory of one run's scores that was fastest, in bytes. */
  readonly scoreBytes: number;
  /** Tile-wise runs. */
  readonly tiles: readonly (TileRate & Fit)[];
  /** Copying sampled keys and values for the attention calls, in nanoseconds per float32. */
  readonly gatherNsPerFloat: number;
  /** Ascending by width. */
  readonly tokenwise: readonly TokenwiseRate[];
  readonly pass: PassRate & Fit;
  readonly dense: readonly DenseRate[];
  /** Layers as compiled graphs; null on the CPU, where tiles are preferred. */
  readonly layer: (LayerRate & Fit) | null;
  /** Copy bandwidth of the device's memory, in bytes per second. */
  readonly bandwidth: number;
  /** Resident memory of an engine process that has loaded ONNX Runtime and no model, in bytes. */
  readonly idleBytes: number;
  /** How busy the machine is now, where that was looked at: not part of the document. */
  readonly now?: MachineLoad | undefined;
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
