import { CancelledError } from '../core/errors';
import { endedBy } from './read/input/time-limit';

/**
 * Does work that never gives way, so that an interrupt (SIGINT) ends it wherever it is: no handler of the process runs
 * before such work is over, and a tokenizer's pattern may never be.
 *
 * @throws CancelledError where it was interrupted, and whatever the work throws
 */
export function interruptible<T>(work: () => T): T {
  return endedBy({ breakOnSigint: true }, work, () => new CancelledError());
}
