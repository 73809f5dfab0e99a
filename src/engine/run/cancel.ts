import { CancelledError } from '../../core/errors';

/** Throws once a run is cancelled. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new CancelledError();
  }
}
