/** Fewest runs that a median is taken of, and the time after which there are no more. */
const fewestRuns = 3;
const enoughMs = 40;
const mostRuns = 9;

/** Median time of `act` in milliseconds, after one run that warms up. */
export async function medianMs(act: () => Promise<unknown>): Promise<number> {
  await act();
  const times: number[] = [];
  let spent = 0;
  while (times.length < fewestRuns || (spent < enoughMs && times.length < mostRuns)) {
    const start = performance.now();
    await act();
    const took = performance.now() - start;
    times.push(took);
    spent += took;
  }
  return medianOf(times);
}

/** The median of a list that is not empty, of its two middle values the larger. */
export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
