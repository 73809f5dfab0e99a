/**
 * Non-negative least squares for a handful of unknowns: the `x >= 0` that minimises the errors of `rows x` relative to
 * `targets`, so that small times count as much as large ones.
 *
 * Tries every subset of unknowns that may be above 0 (there are few) and keeps the best without negative entries.
 * @param rows one per measurement, one entry per unknown
 */
export function fitRates(rows: readonly (readonly number[])[], targets: readonly number[]): number[] {
  const unknowns = rows[0].length;
  const scaled = rows.map((row, index) => row.map((entry) => entry / targets[index]));
  let best: { readonly x: number[]; readonly error: number } | undefined;
  for (let subset = 1; subset < 2 ** unknowns; subset += 1) {
    const free = Array.from({ length: unknowns }, (_, index) => index).filter((index) => (subset >> index) % 2 === 1);
    const solution = solveNormalEquations(scaled.map((row) => free.map((index) => row[index])));
    if (solution === undefined || solution.some((value) => value < 0)) {
      continue;
    }
    const x = new Array<number>(unknowns).fill(0);
    free.forEach((index, place) => (x[index] = solution[place]));
    const error = scaled.reduce((sum, row) => sum + (row.reduce((product, entry, index) => product + entry * x[index], 0) - 1) ** 2, 0);
    if (best === undefined || error < best.error) {
      best = { x, error };
    }
  }
  return best?.x ?? new Array<number>(unknowns).fill(0);
}

/** Solves `A'A x = A'1` by Gaussian elimination; undefined if the columns are dependent. */
function solveNormalEquations(matrix: readonly (readonly number[])[]): number[] | undefined {
  const size = matrix[0].length;
  const system = Array.from({ length: size }, (_, row) => [
    ...Array.from({ length: size }, (_, column) => matrix.reduce((sum, entries) => sum + entries[row] * entries[column], 0)),
    matrix.reduce((sum, entries) => sum + entries[row], 0),
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
