import { createContext, Script } from 'node:vm';

/** The work that runs, one inside another. */
const scope: { work: () => unknown } = { work: () => undefined };
const context = createContext(scope);
const script = new Script('work()');

/** What ends work that never gives way: an interrupt (SIGINT), or so many whole milliseconds. */
type Ending = { readonly breakOnSigint: true } | { readonly timeout: number };

/**
 * Does work that never gives way as a script of its own, which Node can end wherever it is.
 *
 * What is ended does not run on, not even to its `finally`; it must leave nothing half done.
 *
 * @throws `refusal()` where it was ended, and whatever the work throws
 */
export function endedBy<T>(ending: Ending, work: () => T, refusal: () => Error): T {
  const code = 'timeout' in ending ? 'ERR_SCRIPT_EXECUTION_TIMEOUT' : 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
  let result: { readonly value: T } | undefined;
  const outer = scope.work;
  scope.work = () => (result = { value: work() });
  try {
    script.runInContext(context, ending);
  } catch (error) {
    // An error of the script's context, which has a class `Error` of its own.
    throw typeof error === 'object' && error !== null && 'code' in error && error.code === code ? refusal() : error;
  } finally {
    scope.work = outer;
  }
  if (result === undefined) {
    throw new Error('The work ended without a result.');
  }
  return result.value;
}

/**
 * Does work that a file decides the time of, such as matching its patterns, and gives up after a while: nothing else ends a
 * match.
 *
 * @param limitMs milliseconds, whole
 * @throws as `endedBy` does
 */
export function withinTime<T>(limitMs: number, work: () => T, refusal: () => Error): T {
  return endedBy({ timeout: limitMs }, work, refusal);
}
