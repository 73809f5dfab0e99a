/** At most `count` rows from the first to the last, evenly spread. */
export function spreadRows(tokens: number, count: number): number[] {
  if (tokens <= count) {
    return Array.from({ length: tokens }, (_, row) => row);
  }
  return Array.from({ length: count }, (_, index) => Math.round((index * (tokens - 1)) / (count - 1)));
}
