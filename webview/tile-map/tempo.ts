/** Time that one step has where there are few, and the least and most that all steps take together, in milliseconds. */
const stepMs = 250;
const leastMs = 5000;
const mostMs = 10_000;

/** How long playing `steps` steps takes: long enough to follow, and short however many there are. */
export function playingMs(steps: number): number {
  return Math.min(mostMs, Math.max(leastMs, steps * stepMs));
}

/** The step that is shown `elapsedMs` after `first` was: 0-based, the last one at the end. */
export function stepAfter(elapsedMs: number, first: number, steps: number): number {
  return Math.min(steps - 1, first + Math.floor((elapsedMs * steps) / playingMs(steps)));
}
