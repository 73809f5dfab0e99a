import type { Difference } from '../../../core/pack/report';

/** The larger of an error so far and a difference in size: NaN counts as infinite, so that a maximum cannot hide it. */
export function worse(error: number, difference: number): number {
  return Number.isNaN(difference) ? Infinity : Math.max(error, Math.abs(difference));
}

/** The largest number in size; 0 of none. */
export function largestOf(numbers: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < numbers.length; index += 1) {
    largest = Math.max(largest, Math.abs(numbers[index]));
  }
  return largest;
}

/** Tracks the largest difference between rows and their exact values. */
export class LargestDifference {
  private maxAbsError = 0;
  private maxRelError = 0;

  /** Compares two rows, component by component. @returns the largest difference of a component */
  addRow(row: ArrayLike<number>, exact: ArrayLike<number>): number {
    let difference = 0;
    let size = 0;
    for (let column = 0; column < exact.length; column += 1) {
      difference = worse(difference, row[column] - exact[column]);
      size = Math.max(size, Math.abs(exact[column]));
    }
    this.add({ maxAbsError: difference, maxRelError: size > 0 ? difference / size : difference });
    return difference;
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
