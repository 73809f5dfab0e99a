/** Rates that were fitted to times. */
export interface Fitted {
  readonly rates: readonly number[];
  /** Root mean square of the times' relative differences from the fit, by degrees of freedom: 0.1 for 10%. */
  readonly error: number;
}

/**
 * Least squares for a handful of unknowns with lower limits: the `x >= least` that minimises the errors of `rows x` relative to
 * `targets`, so that small times count as much as large ones.
 *
 * Tries every subset of unknowns that may be above their limit (there are few) and keeps the best of which none is below.
 * @param rows one per measurement, one entry per unknown
 * @param least what no unknown may be below, such as the time of a product at the machine's best rate; 0 by default
 * @param weights what the square of each difference counts; 1 by default
 */
export function fitRates(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  least: readonly number[] = rows[0].map(() => 0),
  weights: readonly number[] = rows.map(() => 1),
): Fitted {
  const unknowns = rows[0].length;
  const scaled = rows.map((row, index) => row.map((entry) => (Math.sqrt(weights[index]) * entry) / targets[index]));
  // What is left of each time, as a share of it, once every unknown has its lower limit.
  const left = scaled.map((row, index) => Math.sqrt(weights[index]) - product(row, least));
  let best = { above: new Array<number>(unknowns).fill(0), squares: sumOfSquares(left) };
  for (let subset = 1; subset < 2 ** unknowns; subset += 1) {
    const free = Array.from({ length: unknowns }, (_, index) => index).filter((index) => (subset >> index) % 2 === 1);
    const solution = solveNormalEquations(
      scaled.map((row) => free.map((index) => row[index])),
      left,
    );
    if (solution === undefined || solution.some((value) => value < 0)) {
      continue;
    }
    const above = new Array<number>(unknowns).fill(0);
    free.forEach((index, place) => (above[index] = solution[place]));
    const squares = sumOfSquares(scaled.map((row, index) => product(row, above) - left[index]));
    if (squares < best.squares) {
      best = { above, squares };
    }
  }
  return {
    rates: best.above.map((value, index) => value + least[index]),
    error: Math.sqrt(best.squares / Math.max(1, rows.length - unknowns)),
  };
}

function product(row: readonly number[], x: readonly number[]): number {
  return row.reduce((sum, entry, index) => sum + entry * x[index], 0);
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value ** 2, 0);
}

/** Solves `A'A x = A'b` by Gaussian elimination; undefined if the columns are dependent. */
function solveNormalEquations(matrix: readonly (readonly number[])[], b: readonly number[]): number[] | undefined {
  const size = matrix[0].length;
  const system = Array.from({ length: size }, (_, row) => [
    ...Array.from({ length: size }, (_, column) => matrix.reduce((sum, entries) => sum + entries[row] * entries[column], 0)),
    matrix.reduce((sum, entries, index) => sum + entries[row] * b[index], 0),
  ]);
  for (let pivot = 0; pivot < size; pivot += 1) {
    const largest = system
      .slice(pivot)
      .reduce((at, row, index) => (Math.abs(row[pivot]) > Math.abs(system[at][pivot]) ? pivot + index : at), pivot);
    [system[pivot], system[largest]] = [system[largest], system[pivot]];
    const scale = system[pivot][pivot];
    if (Math.abs(scale) < 1e-12) {
      return undefined;
    }
    system[pivot] = system[pivot].map((entry) => entry / scale);
    for (let row = 0; row < size; row += 1) {
      if (row !== pivot) {
        const factor = system[row][pivot];
        system[row] = system[row].map((entry, column) => entry - factor * system[pivot][column]);
      }
    }
  }
  return system.map((row) => row[size]);
}
