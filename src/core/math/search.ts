/** The last index whose value is at most `target`, of `count` ascending values; 0 if there is none. */
export function lastAtMost(values: ArrayLike<number>, count: number, target: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= target) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Math.max(0, low);
}
