import { type ChildProcess, fork } from 'node:child_process';
import { CancelledError } from '../../core/errors';
import type { OnProgress } from '../../core/report/phases';
import type { RunReport } from '../../core/report/report';
import { type Argument, type EngineRequest, type EngineResponse, fromErrorData, type MethodName, type Result } from './rpc';

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Takes each run that the call finishes on its way to the result. */
  readonly onRun?: (report: RunReport) => void;
}

/** A call without an answer yet. */
interface PendingCall extends Pick<CallOptions, 'onProgress' | 'onRun'> {
  readonly resolve: (result: Result<MethodName>) => void;
  readonly reject: (error: Error) => void;
}

/** Time for a cancelled call to stop by itself before its process is killed, in milliseconds. */
const cancelPatienceMs = 3000;

/**
 * Calls the engine in a separate process, forked at the first call.
 *
 * A native crash rejects the pending calls and nothing else; the next call forks a new process.
 */
export class EngineClient {
  private child: ChildProcess | undefined;
  private readonly pending = new Map<number, PendingCall>();
  private lastId = 0;

  /**
   * @param entry path of the bundled engine process
   * @param storage folder for the engine's files, such as calibrations
   * @param log receives the process's output, and a line when it starts or ends
   */
  constructor(
    private readonly entry: string,
    private readonly storage: string | undefined,
    private readonly log: (line: string) => void,
  ) {}

  /**
   * Calls a method.
   *
   * Aborting `signal` stops the call between two calls of the oracle, or kills the process if it does not respond.
   * @throws InputError, CancelledError, or an Error if the process ended
   */
  call<M extends MethodName>(method: M, argument: Argument<M>, { signal, ...listeners }: CallOptions = {}): Promise<Result<M>> {
    if (signal?.aborted) {
      return Promise.reject(new CancelledError());
    }
    this.lastId += 1;
    const id = this.lastId;
    const child = this.running();
    return new Promise<Result<M>>((resolve, reject) => {
      let killTimer: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        this.send(child, { type: 'cancel', id });
        killTimer = setTimeout(() => {
          this.log(`Engine process ${child.pid} did not stop within ${cancelPatienceMs} ms of a cancel; killing it.`);
          this.settle(id)?.reject(new CancelledError());
          child.kill('SIGKILL');
          this.ended(child, 'killed');
        }, cancelPatienceMs);
      };
      const finish =
        <T>(act: (value: T) => void): ((value: T) => void) =>
        (value) => {
          clearTimeout(killTimer);
          signal?.removeEventListener('abort', cancel);
          act(value);
        };
      // The answer with an id is the result of the method that was called with that id.
      const resolveAny = resolve as (result: Result<MethodName>) => void;
      this.pending.set(id, { resolve: finish(resolveAny), reject: finish(reject), ...listeners });
      signal?.addEventListener('abort', cancel, { once: true });
      // `argument` belongs to `method`, but TypeScript cannot narrow the union of requests by a type parameter.
      this.send(child, { type: 'call', id, method, argument } as EngineRequest);
    });
  }

  /** Ends the process; pending calls are rejected. */
  dispose(): void {
    this.child?.kill('SIGKILL');
  }

  private running(): ChildProcess {
    if (this.child !== undefined) {
      return this.child;
    }
    // With the host's inspector flags, the child would try to use the same debug port.
    const child = fork(this.entry, this.storage === undefined ? [] : [this.storage], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.child = child;
    this.log(`Engine process ${child.pid} started.`);
    child.on('message', (response: EngineResponse) => this.receive(response));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.log(text.trimEnd()));
    }
    child.once('error', (error) => this.ended(child, error.message));
    child.once('exit', (code, signal) => this.ended(child, signal ?? `code ${code}`));
    return child;
  }

  private send(child: ChildProcess, request: EngineRequest): void {
    // A failed send is followed by an exit event, which rejects the pending calls.
    child.send(request, (error) => error && this.log(`Engine process ${child.pid}: ${error.message}`));
  }

  private receive(response: EngineResponse): void {
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

  private ended(child: ChildProcess, how: string): void {
    if (this.child !== child) {
      return;
    }
    this.child = undefined;
    this.log(`Engine process ${child.pid} ended (${how}).`);
    for (const id of [...this.pending.keys()]) {
      this.settle(id)?.reject(new Error(`The engine process ended (${how}); run again to start a new one.`));
    }
  }

  private settle(id: number): PendingCall | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }
}
