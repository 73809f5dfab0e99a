import { CancelledError } from '../../core/errors';
import type { Channel } from './channels';
import {
  type Argument,
  fromErrorData,
  isResponse,
  type CallContext,
  type MethodName,
  type Methods,
  type Request,
  type Response,
  type Result,
} from './rpc';

/** Options of one call. */
export type CallOptions = Partial<Pick<CallContext, 'signal' | 'onProgress' | 'onRun'>>;

/** A call without an answer yet. */
interface PendingCall<M extends Methods<M>> extends Pick<CallOptions, 'onProgress' | 'onRun'> {
  readonly resolve: (result: Result<M, MethodName<M>>) => void;
  readonly reject: (error: Error) => void;
  readonly request: Request<M>;
}

/** What a client needs to know of the process or thread that it calls. */
interface Worker<M extends Methods<M>> {
  /** Its name in the log and in errors, such as `engine process`. */
  readonly name: string;
  /** Starts it. */
  readonly start: () => Channel<Request<M>, Response<M>>;
  /** Time for a cancelled call to stop by itself before its process is killed, in milliseconds. */
  readonly patienceMs: number;
  /** Whether it can read memory that is shared with it while it works. */
  readonly sharesMemory: boolean;
}

/**
 * Calls methods in a separate process or thread, started at the first call.
 *
 * A crash rejects the pending calls and nothing else; the next call starts another.
 */
export class RpcClient<M extends Methods<M>> {
  private channel: Channel<Request<M>, Response<M>> | undefined;
  private readonly pending = new Map<number, PendingCall<M>>();
  private lastId = 0;

  /** @param log receives the worker's output, and a line when it starts or ends */
  constructor(
    private readonly worker: Worker<M>,
    private readonly log: (line: string) => void,
  ) {}

  /**
   * Calls a method.
   *
   * Aborting `signal` stops the call where it looks for that, or kills the worker if it does not respond.
   * @throws InputError, CancelledError, or an Error if the worker ended
   */
  call<Name extends MethodName<M>>(
    method: Name,
    argument: Argument<M, Name>,
    { signal, ...listeners }: CallOptions = {},
  ): Promise<Result<M, Name>> {
    if (signal?.aborted) {
      return Promise.reject(new CancelledError());
    }
    this.lastId += 1;
    const id = this.lastId;
    const channel = this.running();
    const cancelled = this.worker.sharesMemory ? new Uint8Array(new SharedArrayBuffer(1)) : undefined;
    return new Promise<Result<M, Name>>((resolve, reject) => {
      let killTimer: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        cancelled?.fill(1);
        // Another than that of the call where one was killed meanwhile.
        const { channel = this.running(), lastId: last } = this;
        channel.send({ type: 'cancel', id });
        killTimer = setTimeout(() => {
          this.log(`The ${channel.name} did not stop within ${this.worker.patienceMs} ms of a cancel; killing it.`);
          this.settle(id)?.reject(new CancelledError());
          channel.kill();
          // Calls of after the cancel waited for what did not stop: another worker has them.
          const waiting = [...this.pending].filter(([each]) => each > last);
          waiting.forEach(([each]) => this.pending.delete(each));
          this.ended(channel, 'killed');
          for (const [each, call] of waiting) {
            this.pending.set(each, call);
            this.running().send(call.request);
          }
        }, this.worker.patienceMs);
      };
      const finish =
        <T>(act: (value: T) => void): ((value: T) => void) =>
        (value) => {
          clearTimeout(killTimer);
          signal?.removeEventListener('abort', cancel);
          act(value);
        };
      // The answer with an id is the result of the method that was called with that id.
      const resolveAny = resolve as (result: Result<M, MethodName<M>>) => void;
      // `argument` belongs to `method`, but TypeScript cannot narrow the union of requests by a type parameter.
      const request = { type: 'call', id, method, argument, cancelled } as Request<M>;
      this.pending.set(id, { resolve: finish(resolveAny), reject: finish(reject), request, ...listeners });
      signal?.addEventListener('abort', cancel, { once: true });
      channel.send(request);
    });
  }

  /** Ends the worker; pending calls are rejected. */
  dispose(): void {
    const { channel } = this;
    this.channel = undefined;
    channel?.kill();
    this.rejectPending('stopped');
  }

  private running(): Channel<Request<M>, Response<M>> {
    if (this.channel !== undefined) {
      return this.channel;
    }
    const channel = this.worker.start();
    this.channel = channel;
    this.log(`The ${channel.name} started.`);
    // V8 and the runtime's allocator say it in many lines, and end the process with a signal that may mean anything.
    let outOfMemory = false;
    channel.listen({
      onMessage: (response: unknown) => {
        if (isResponse(response)) {
          this.receive(response as Response<M>);
        } else {
          this.log(`The ${channel.name} sent something that is no message; it was dropped.`);
        }
      },
      onOutput: (text) => {
        outOfMemory ||= /heap out of memory|bad_alloc|failed to map segment/.test(text);
        this.log(text.trimEnd());
      },
      onEnd: (how) => this.ended(channel, outOfMemory ? `out of memory, ${how}` : how),
    });
    return channel;
  }

  private receive(response: Response<M>): void {
    switch (response.type) {
      case 'progress':
        this.pending.get(response.id)?.onProgress?.(response.progress);
        break;
      case 'run':
        this.pending.get(response.id)?.onRun?.(response.report);
        break;
      case 'result':
        this.settle(response.id)?.resolve(response.result);
        break;
      case 'error':
        this.settle(response.id)?.reject(fromErrorData(response.error));
        break;
    }
  }

  private ended(channel: Channel<Request<M>, Response<M>>, how: string): void {
    if (this.channel !== channel) {
      return;
    }
    this.channel = undefined;
    this.log(`The ${channel.name} ended (${how}).`);
    this.rejectPending(how);
  }

  private rejectPending(how: string): void {
    for (const id of [...this.pending.keys()]) {
      this.settle(id)?.reject(new Error(`The ${this.worker.name} ended (${how}); run again to start a new one.`));
    }
  }

  private settle(id: number): PendingCall<M> | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }
}
