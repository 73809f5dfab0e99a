import type { Progress } from '../../core/report/phases';
import type { RunReport } from '../../core/report/report';
import { type CallContext, type MethodName, type Methods, type Request, type Response, type Result, toErrorData } from './rpc';

/**
 * Answers requests with responses, over any channel.
 *
 * Calls may overlap; each can be cancelled where it looks at its signal, or at the byte that a thread shares.
 * @param send delivers a response
 * @returns the function that receives requests
 */
export function handlerOf<M extends Methods<M>>(methods: M, send: (response: Response<M>) => void): (request: Request<M>) => Promise<void> {
  const running = new Map<number, AbortController>();
  return async (request) => {
    if (request.type === 'cancel') {
      running.get(request.id)?.abort();
      return;
    }
    const { id, method, argument, cancelled } = request;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const context: CallContext = {
        signal: controller.signal,
        isCancelled: () => controller.signal.aborted || (cancelled !== undefined && Atomics.load(cancelled, 0) !== 0),
        onProgress: atMostEvery(progressIntervalMs, (progress: Progress) => send({ type: 'progress', id, progress })),
        onRun: (report: RunReport) => send({ type: 'run', id, report }),
      };
      // `argument` belongs to `method`, but TypeScript cannot narrow the union of requests by a type parameter.
      const result = (await methods[method](argument, context)) as Result<M, MethodName<M>>;
      send({ type: 'result', id, result });
    } catch (error) {
      send({ type: 'error', id, error: toErrorData(error) });
    } finally {
      running.delete(id);
    }
  };
}

/** Least interval between progress messages. */
const progressIntervalMs = 50;

/** Drops calls that follow the previous one too soon. */
function atMostEvery<T>(milliseconds: number, act: (value: T) => void): (value: T) => void {
  let next = 0;
  return (value) => {
    if (performance.now() >= next) {
      act(value);
      next = performance.now() + milliseconds;
    }
  };
}
