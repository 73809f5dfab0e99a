import { createContext, Script } from 'node:vm';
import { CancelledError } from '../core/errors';

/** The work that runs, one inside another. */
const scope: { work: () => unknown } = { work: () => undefined };
const context = createContext(scope);
const script = new Script('work()');

/**
 * Does work that never gives way, so that an interrupt (SIGINT) ends it wherever it is: no handler of the process runs
 * before such work is over, and a tokenizer's pattern may never be.
 *
 * What is interrupted does not run on, not even to its `finally`; it must leave nothing half done.
 * @throws CancelledError where it was interrupted, and whatever the work throws
 */
export function interruptible<T>(work: () => T): T {
  let result: { readonly value: T } | undefined;
  const outer = scope.work;
  scope.work = () => (result = { value: work() });
  try {
    script.runInContext(context, { breakOnSigint: true });
  } catch (error) {
    throw isInterrupt(error) ? new CancelledError() : error;
  } finally {
    scope.work = outer;
  }
  if (result === undefined) {
    throw new Error('The work ended without a result.');
  }
  return result.value;
}

/** Whether Node threw this for an interrupt: an error of the script's context, which has a class `Error` of its own. */
function isInterrupt(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}
