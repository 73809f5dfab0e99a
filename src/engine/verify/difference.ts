import type { Difference } from '../../core/pack/report';

/** An error: NaN counts as infinitely wrong, and must not vanish in a maximum. */
export function infinityForNaN(error: number): number {
  return Number.isNaN(error) ? Infinity : error;
}

/** Collects the largest difference between rows and the rows they are held against. */
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

  /** Takes in what was found elsewhere. */
  add({ maxAbsError, maxRelError }: Difference): void {
    this.maxAbsError = Math.max(this.maxAbsError, maxAbsError);
    this.maxRelError = Math.max(this.maxRelError, maxRelError);
  }

  /** The worst of all that was added. */
  result(): Difference {
    const { maxAbsError, maxRelError } = this;
    return { maxAbsError, maxRelError };
  }
}
