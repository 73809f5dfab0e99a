import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Progress } from '../../core/report/phases';
import type { RunReport } from '../../core/report/report';
import { type CallContext, isRequest, type MethodName, type Methods, type Request, type Response, type Result, toErrorData } from './rpc';

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
    if (!isRequest(request)) {
      return;
    }
    if (request.type === 'cancel') {
      running.get(request.id)?.abort();
      return;
    }
    const { id, method, argument, cancelled } = request;
    const controller = new AbortController();
    running.set(id, controller);
    const progress = atMostEvery(progressIntervalMs, (made: Progress) => send({ type: 'progress', id, progress: made }));
    try {
      const context: CallContext = {
        signal: controller.signal,
        isCancelled: () => controller.signal.aborted || (cancelled !== undefined && Atomics.load(cancelled, 0) !== 0),
        onProgress: progress.tell,
        onRun: (report: RunReport) => send({ type: 'run', id, report }),
      };
      // `argument` belongs to `method`, but TypeScript cannot narrow the union of requests by a type parameter.
      if (!Object.hasOwn(methods, method)) {
        throw new Error(`There is no method ${method}.`);
      }
      const result = (await methods[method](argument, context)) as Result<M, MethodName<M>>;
      send({ type: 'result', id, result });
    } catch (error) {
      send({ type: 'error', id, error: toErrorData(error) });
    } finally {
      progress.end();
      running.delete(id);
    }
  };
}

/** The environment variable by which a process knows who forked it, also where that is gone by the time it starts. */
export const parentVariable = 'TWO_HEADS_PARENT';

/**
 * Answers the process that forked this one, until that is gone: this one then ends within a second, whatever it does.
 *
 * @throws Error without an IPC channel
 */
export function answerParent<M extends Methods<M>>(methods: M): void {
  const send = process.send?.bind(process);
  if (send === undefined) {
    throw new Error('This process must be forked with an IPC channel.');
  }
  const handle = handlerOf(methods, (response: Response<M>) => {
    send(response);
  });
  process.on('message', (request: Request<M>) => void handle(request));
  const parent = Number(process.env[parentVariable] ?? process.ppid);
  const watchdog = new Worker(join(__dirname, 'watchdog.js'), { workerData: parent, resourceLimits: { maxOldGenerationSizeMb: 16 } });
  // Without it, this process hears of its parent's end between two turns.
  watchdog.once('error', () => undefined).unref();
  // The parent is gone, so nobody needs an answer.
  process.on('disconnect', () => process.exit(0));
}

/** Least interval between progress messages. */
const progressIntervalMs = 50;

/** Passes values on with an interval between them: of those in between, the last, once the interval is over. */
function atMostEvery<T>(milliseconds: number, act: (value: T) => void): { readonly tell: (value: T) => void; readonly end: () => void } {
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  const pass = (value: T): void => {
    next = performance.now() + milliseconds;
    act(value);
  };
  const end = (): void => clearTimeout(timer);
  return {
    tell: (value) => {
      end();
      const wait = next - performance.now();
      if (wait <= 0) {
        pass(value);
      } else {
        timer = setTimeout(pass, wait, value);
      }
    },
    end,
  };
}
