/**
 * The suite's only limits. A wait ends at the event it waits for; these only say when to give up, and a machine may be
 * many times slower than usual: two busy cores, or a CI that shares them. No test measures time; `test/bench` does.
 */

/** How long nothing may change before a wait gives up: a step of a calibration may take long, and is one change. */
export const WAIT_LIMIT_MS = 300_000;

/** How long a test or a hook may last: several waits, each slow. */
export const TEST_LIMIT_MS = 1_800_000;

/** How long a whole look may hang before the next one: a frame that VS Code replaced meanwhile never answers. */
export const HANG_LIMIT_MS = 60_000;

/**
 * How long a look at the page may hang before `eventually` looks again: frames and rows come and go while VS Code draws,
 * and what was found a moment ago may never answer.
 */
export const LOOK_LIMIT_MS = 10_000;
