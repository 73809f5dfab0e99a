import { referenceAttention } from '../../core/attention/reference';
import { maskOf, type Mask } from '../../core/masks';
import type { Verification } from '../../core/options';
import type { Plan } from '../../core/plan/plan';
import type { Fidelity } from '../../core/report/report';
import type { AttendedLayer, LayerTensors } from '../run/layer';
import { throwIfCancelled } from '../run/forward';
import { headView } from '../run/head-tensor';

/** Rows that are checked unless every row is asked for. */
const sampledRows = 64;

/** Rows that are checked between two looks at the signal. */
const rowsPerSlice = 16;

/**
 * Holds simulated attention against exact float64 attention under the same mask.
 *
 * It takes each layer's own queries, keys and values, so what it finds is the error of the decomposition alone.
 */
export class FidelityCheck {
  private readonly mask: Mask;
  /** Query rows that are compared, per head and layer. */
  readonly rows: readonly number[];
  private maxAbsError = 0;
  private maxRelError = 0;
  private logNormaliserError = 0;

  constructor(
    plan: Plan,
    verification: Exclude<Verification, 'none'>,
    private readonly signal: AbortSignal,
  ) {
    this.mask = maskOf(plan.scenario, plan.tokens);
    this.rows = verification === 'dense' ? Array.from({ length: plan.tokens }, (_, row) => row) : spreadRows(plan.tokens, sampledRows);
  }

  /** Compares the checked rows of every head of a layer. */
  async inspect({ query, key, value }: LayerTensors, attended: AttendedLayer): Promise<void> {
    const group = query.heads / key.heads;
    for (let head = 0; head < query.heads; head += 1) {
      const tensors = {
        width: query.width,
        queries: headView(query, head),
        keys: headView(key, Math.floor(head / group)),
        values: headView(value, Math.floor(head / group)),
      };
      for (let from = 0; from < this.rows.length; from += rowsPerSlice) {
        const rows = this.rows.slice(from, from + rowsPerSlice);
        // The queries carry the factor 1/sqrt(m) already, hence scale 1.
        const exact = referenceAttention(tensors, this.mask, 1, rows);
        rows.forEach((row, index) => {
          const at = head * query.tokens + row;
          this.compareRow(headView(attended.out, head), row, exact.out, index, query.width);
          this.logNormaliserError = worst(this.logNormaliserError, attended.logNormaliser[at] - exact.logNormaliser[index]);
        });
        await new Promise((resolve) => setImmediate(resolve));
        throwIfCancelled(this.signal);
      }
    }
  }

  /** The worst of all layers inspected. */
  result(): Fidelity {
    const { maxAbsError, maxRelError, logNormaliserError } = this;
    return {
      reference: 'float64 attention of the same queries, keys and values under the same mask',
      rows: this.rows.length,
      maxAbsError,
      maxRelError,
      logNormaliserError,
    };
  }

  private compareRow(out: ArrayLike<number>, row: number, exact: ArrayLike<number>, index: number, width: number): void {
    let difference = 0;
    let size = 0;
    for (let column = 0; column < width; column += 1) {
      difference = worst(difference, out[row * width + column] - exact[index * width + column]);
      size = Math.max(size, Math.abs(exact[index * width + column]));
    }
    this.maxAbsError = worst(this.maxAbsError, difference);
    this.maxRelError = worst(this.maxRelError, size > 0 ? difference / size : difference);
  }
}

/** The larger of `present` and `|difference|`; NaN counts as infinitely wrong, and must not vanish in a maximum. */
function worst(present: number, difference: number): number {
  return Math.max(present, Number.isNaN(difference) ? Infinity : Math.abs(difference));
}

/** At most `count` rows from the first to the last, evenly spread. */
export function spreadRows(tokens: number, count: number): number[] {
  if (tokens <= count) {
    return Array.from({ length: tokens }, (_, row) => row);
  }
  return Array.from({ length: count }, (_, index) => Math.round((index * (tokens - 1)) / (count - 1)));
}
