import { InputError, messageOf } from '../../core/errors';
import type { CallContext } from '../api/api';
import type { Step } from '../tasks/single-task';

/**
 * Calls `act` with one signal for both ways of cancelling, and lets go of the caller's token when it has ended.
 *
 * @param log takes what a caller's listener throws, which is not the run's fault
 * @throws InputError for a context that is none, and what `act` throws
 */
export async function inContext<T>(context: CallContext, log: (line: string) => void, act: (step: Step) => Promise<T>): Promise<T> {
  const { token, signal, onProgress } = checkedContext(context);
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (token?.isCancellationRequested === true || signal?.aborted === true) {
    abort();
  }
  const listener = token?.onCancellationRequested(abort);
  signal?.addEventListener('abort', abort);
  try {
    return await act({
      signal: controller.signal,
      onProgress: (progress) => {
        try {
          onProgress?.(progress);
        } catch (error) {
          log(`A listener to progress failed: ${messageOf(error)}`);
        }
      },
    });
  } finally {
    listener?.dispose();
    signal?.removeEventListener('abort', abort);
  }
}

/** JavaScript callers are held to no types. */
function checkedContext(context: unknown): CallContext {
  if (typeof context !== 'object' || context === null) {
    throw new InputError(
      `A context of ${String(context)} is not possible; give an object with token, signal or onProgress, or leave it out.`,
    );
  }
  const { token, signal, onProgress }: { token?: unknown; signal?: unknown; onProgress?: unknown } = context;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InputError('context.signal is no AbortSignal; give that of an AbortController, or leave it out.');
  }
  if (token !== undefined && !(typeof token === 'object' && token !== null && 'onCancellationRequested' in token)) {
    throw new InputError('context.token is no CancellationToken; give that of a CancellationTokenSource, or leave it out.');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InputError('context.onProgress is no function; give one that takes a Progress, or leave it out.');
  }
  return context;
}
