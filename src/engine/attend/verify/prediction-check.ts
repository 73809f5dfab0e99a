import { uniform } from '../../../core/math/random';
import { predictionBound, type RoundingUse, worseRounding } from '../../../core/math/rounding';
import type { Fidelity } from '../../../core/report/report';
import { largestOf, worse } from './difference';
import type { OutputHead } from './predictions';

/** What was measured at one position. */
interface MeasuredPrediction {
  /** Absent where the model predicts no next token. */
  readonly loss?: number;
  /** Where it was compared with a baseline. */
  readonly baselineLoss?: number | undefined;
  readonly divergence?: number | undefined;
}

/** Checks what quality is summed up from: at one position at random, losses and divergence in float64 from the logits. */
export class PredictionCheck {
  private readonly next: () => number;
  private use: RoundingUse | undefined;
  private position: number | undefined;
  private asked = 0;
  private compared = 0;

  /** @param tokens ids of the whole prompt `[N]` */
  constructor(
    private readonly tokens: Int32Array,
    seed: number,
  ) {
    this.next = uniform(seed ^ 0x6c6f6773);
  }

  /** Draws one of so many positions, if there are any. */
  draw(count: number): number | undefined {
    this.asked += count > 0 ? 1 : 0;
    return count > 0 ? Math.floor(this.next() * count) : undefined;
  }

  /**
   * Compares what was measured at a position of the prompt.
   *
   * @param hidden @param baseline its last residual streams `[d]`
   * @param target the token whose loss it is, where the prompt may have none there
   */
  async inspect(
    head: OutputHead,
    position: number,
    hidden: Float32Array,
    baseline: Float32Array | undefined,
    measured: MeasuredPrediction,
    target = this.tokens[position + 1],
  ): Promise<void> {
    const logits = await head.logits(hidden);
    const ofBaseline = baseline && (await head.logits(baseline));
    const [predicted, expected] = [logits, ofBaseline].map((own) => own && logProbabilities(own));
    const largest = Math.max(largestOf(logits), ofBaseline === undefined ? 0 : largestOf(ofBaseline));
    const allowed = predictionBound(hidden.length, logits.length, largest);
    const compare = (found: number | undefined, exact: number, bound: number): void => {
      const use = { error: worse(0, (found ?? NaN) - exact), bound, largestBound: bound };
      this.use = this.use === undefined ? use : worseRounding(this.use, use);
    };
    if (predicted !== undefined && measured.loss !== undefined) {
      compare(measured.loss, -predicted[target], allowed);
    }
    if (predicted !== undefined && expected !== undefined) {
      if (measured.loss !== undefined) {
        compare(measured.baselineLoss, -expected[target], allowed);
      }
      const differences = expected.map((log, token) => Math.exp(log) * (log - predicted[token]));
      const size = differences.reduce((sum, x) => sum + Math.abs(x), 0);
      compare(
        measured.divergence,
        differences.reduce((sum, x) => sum + x, 0),
        2 * allowed * (1 + size),
      );
    }
    this.position = position;
    this.compared += 1;
  }

  /** The fidelity of a run with that of its predictions, as far as they were looked at. */
  joinedTo(run: Fidelity): Fidelity {
    const { use, position, asked, compared } = this;
    const { coverage, ...rest } = run;
    // In the order of a report that was read, so that both are written alike.
    return {
      ...rest,
      ...(use && position !== undefined && { prediction: { position, ...use } }),
      ...(coverage && { coverage: { ...coverage, predictions: { asked, compared } } }),
    };
  }
}

/** Natural logarithms of probabilities. */
function logProbabilities(logits: Float32Array): Float64Array {
  const high = logits.reduce((most, x) => Math.max(most, x), -Infinity);
  const total = logits.reduce((sum, x) => sum + Math.exp(x - high), 0);
  return Float64Array.from(logits, (x) => x - high - Math.log(total));
}

/** The largest finite float32, about. */
const largestFloat32 = 3.4e38;

/**
 * Counts rows that overflowed in a last residual stream `[rows, d]`, to which every layer adds: every run is looked at, whatever else
 * of it is checked. A sum of squares beyond float32 makes a norm 0, and predictions that are numbers but mean nothing.
 *
 * @param width d
 */
export function lostRowsOf(stream: Float32Array, width: number): number {
  let lost = 0;
  for (let row = 0; row < stream.length; row += width) {
    let squares = 0;
    for (let at = row; at < row + width; at += 1) {
      squares += stream[at] * stream[at];
    }
    lost += squares < largestFloat32 ? 0 : 1;
  }
  return lost;
}
