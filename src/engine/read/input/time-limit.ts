import { createContext, Script } from 'node:vm';

/** The work that runs, one inside another. */
const scope: { work: () => void } = { work: () => undefined };
const context = createContext(scope);
const script = new Script('work()');

/**
 * Does work that a file decides the time of, such as matching its patterns, and gives up after a while: nothing else ends a
 * match.
 *
 * What is given up does not run on, not even to its `finally`; it must leave nothing half done.
 *
 * @param limitMs milliseconds, whole
 * @throws `refusal()` where it takes longer, and whatever the work throws
 */
export function withinTime<T>(limitMs: number, work: () => T, refusal: () => Error): T {
  let result: { readonly value: T } | undefined;
  const outer = scope.work;
  scope.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: limitMs });
  } catch (error) {
    throw isTimeout(error) ? refusal() : error;
  } finally {
    scope.work = outer;
  }
  if (result === undefined) {
    throw new Error('The work ended without a result.');
  }
  return result.value;
}

/** Whether Node threw this for the limit: an error of the script's context, which has a class `Error` of its own. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
