import { referenceAttention } from '../../../core/math/reference-attention';
import type { Verification } from '../../../core/options/table';
import type { Difference } from '../../../core/pack/report';
import { layerParts, partOfLayers, type Plan } from '../../../core/plan/plan';
import type { Fidelity } from '../../../core/report/report';
import { type Mask, maskOf, type Range } from '../../../core/scenario/scenario';
import { throwIfCancelled } from '../runtime/clock';
import { type AttendedLayer, headTensors, type LayerTensors, rowsView } from '../tiles/layer';

/** An error: NaN counts as infinite, so that a maximum cannot hide it. */
function infinityForNaN(error: number): number {
  return Number.isNaN(error) ? Infinity : error;
}

/** Tracks the largest difference between rows and their exact values. */
export class LargestDifference {
  private maxAbsError = 0;
  private maxRelError = 0;

  /** Compares two rows, component by component. */
  addRow(row: ArrayLike<number>, exact: ArrayLike<number>): void {
    let difference = 0;
    let size = 0;
    for (let column = 0; column < exact.length; column += 1) {
      difference = Math.max(difference, infinityForNaN(Math.abs(row[column] - exact[column])));
      size = Math.max(size, Math.abs(exact[column]));
    }
    this.add({ maxAbsError: difference, maxRelError: size > 0 ? difference / size : difference });
  }

  /** Includes a difference found elsewhere. */
  add({ maxAbsError, maxRelError }: Difference): void {
    this.maxAbsError = Math.max(this.maxAbsError, maxAbsError);
    this.maxRelError = Math.max(this.maxRelError, maxRelError);
  }

  /** The largest difference so far. */
  result(): Difference {
    const { maxAbsError, maxRelError } = this;
    return { maxAbsError, maxRelError };
  }
}

/** Rows checked, unless all are requested. */
const sampledRows = 64;

/** Rows checked between two checks of the abort signal. */
const rowsPerSlice = 16;

/**
 * Compares simulated attention with exact float64 attention under the same mask.
 *
 * It uses each layer's own queries, keys and values, so it measures the error of the decomposition alone.
 */
export class FidelityCheck {
  /** By layer. */
  private readonly masks: readonly Mask[];
  /** Query rows to compare, per head and layer. */
  readonly rows: readonly number[];
  private readonly found = new LargestDifference();
  private logNormaliserError = 0;

  /** @param own the rows to choose from; all by default */
  constructor(
    plan: Plan,
    verification: Exclude<Verification, 'none'>,
    private readonly signal: AbortSignal,
    own: Range = { from: 0, to: plan.tokens },
  ) {
    const masks = layerParts(plan).map((part) => maskOf(part.plan.scenario, plan.tokens));
    this.masks = partOfLayers(plan).map((part) => masks[part]);
    const rows = own.to - own.from;
    this.rows = spreadRows(rows, verification === 'dense' ? rows : sampledRows).map((row) => own.from + row);
  }

  /** Compares these rows in every head of a layer. */
  async inspect(layer: number, tensors: LayerTensors, attended: AttendedLayer): Promise<void> {
    const { heads, tokens } = tensors.query;
    for (let head = 0; head < heads; head += 1) {
      const own = headTensors(tensors, head);
      for (let from = 0; from < this.rows.length; from += rowsPerSlice) {
        const rows = this.rows.slice(from, from + rowsPerSlice);
        // The queries carry the factor 1/sqrt(m) already, hence scale 1.
        const exact = referenceAttention(own, this.masks[layer], 1, rows);
        rows.forEach((row, index) => {
          this.found.addRow(rowsView(attended.out, head, row, row + 1), exact.out.subarray(index * exact.width, (index + 1) * exact.width));
          const difference = Math.abs(attended.logNormaliser[head * tokens + row] - exact.logNormaliser[index]);
          this.logNormaliserError = Math.max(this.logNormaliserError, infinityForNaN(difference));
        });
        await new Promise((resolve) => setImmediate(resolve));
        throwIfCancelled(this.signal);
      }
    }
  }

  /** The largest difference over all inspected layers. */
  result(): Fidelity {
    return {
      reference: 'float64 attention of the same queries, keys and values under the same mask',
      rows: this.rows.length,
      ...this.found.result(),
      logNormaliserError: this.logNormaliserError,
    };
  }
}

/** At most `count` rows from the first to the last, evenly spread. */
export function spreadRows(tokens: number, count: number): number[] {
  if (tokens <= count) {
    return Array.from({ length: tokens }, (_, row) => row);
  }
  return Array.from({ length: count }, (_, index) => Math.round((index * (tokens - 1)) / (count - 1)));
}
