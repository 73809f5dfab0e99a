import { CancelledError, InputError, messageOf } from '../../core/errors';
import type { OnProgress, Progress } from '../../core/report/phases';
import type { RunReport } from '../../core/report/report';

/**
 * Calls between the process of an editor or a command and a process or a thread that works for it: requests, progress,
 * finished runs, results, cancellation. Both sides derive their types from one interface of methods.
 */

/** Cancellation of a call, its progress, and the runs that it has finished. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** Whether the call was cancelled, also while work without a pause keeps the signal from hearing of it. */
  readonly isCancelled: () => boolean;
  readonly onProgress: OnProgress;
  readonly onRun: (report: RunReport) => void;
}

/** Every method takes plain data and a context. */
export type Methods<M> = { readonly [Name in keyof M]: (argument: never, context: CallContext) => Promise<unknown> };
export type MethodName<M> = keyof M & string;
export type Argument<M extends Methods<M>, Name extends MethodName<M>> = Parameters<M[Name]>[0];
export type Result<M extends Methods<M>, Name extends MethodName<M>> = Awaited<ReturnType<M[Name]>>;

/** Messages to the one that works. */
export type Request<M extends Methods<M>> =
  | {
      [Name in MethodName<M>]: {
        readonly type: 'call';
        readonly id: number;
        readonly method: Name;
        readonly argument: Argument<M, Name>;
        /** One byte of shared memory, not 0 once the call is cancelled; only threads have it. */
        readonly cancelled?: Uint8Array | undefined;
      };
    }[MethodName<M>]
  | { readonly type: 'cancel'; readonly id: number };

/** Messages back. Errors cross as data. */
export type Response<M extends Methods<M>> =
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'run'; readonly id: number; readonly report: RunReport }
  | { readonly type: 'result'; readonly id: number; readonly result: Result<M, MethodName<M>> }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorData };

/** An error as data. `kind` names the class to restore. */
interface ErrorData {
  readonly kind: 'input' | 'cancelled' | 'failure';
  readonly message: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** What the messages back must hold, by type; results and reports are those of the same build's methods. */
const responses: Readonly<Record<string, (fields: Readonly<Record<string, unknown>>) => boolean>> = {
  progress: ({ progress }) =>
    isRecord(progress) &&
    Number.isFinite(progress['fraction']) &&
    typeof progress['message'] === 'string' &&
    typeof progress['phase'] === 'string',
  run: ({ report }) => isRecord(report),
  result: (fields) => 'result' in fields,
  error: ({ error }) =>
    isRecord(error) && ['input', 'cancelled', 'failure'].some((kind) => kind === error['kind']) && typeof error['message'] === 'string',
};

/** Whether what came over a channel has the shape of a message back: the other side may be another version, or out of order. */
export function isResponse(given: unknown): given is { readonly type: string; readonly id: number } {
  return (
    isRecord(given) &&
    Number.isInteger(given['id']) &&
    typeof given['type'] === 'string' &&
    Object.hasOwn(responses, given['type']) &&
    responses[given['type']](given)
  );
}

/** Whether what came over a channel has the shape of a request. */
export function isRequest(given: unknown): boolean {
  return (
    isRecord(given) &&
    Number.isInteger(given['id']) &&
    (given['type'] === 'cancel' || (given['type'] === 'call' && typeof given['method'] === 'string'))
  );
}

/** An error as data, for crossing the boundary. */
export function toErrorData(error: unknown): ErrorData {
  const kind = error instanceof InputError ? 'input' : error instanceof CancelledError ? 'cancelled' : 'failure';
  return { kind, message: messageOf(error) };
}

/** The error that `toErrorData` serialised. */
export function fromErrorData({ kind, message }: ErrorData): Error {
  switch (kind) {
    case 'input':
      return new InputError(message);
    case 'cancelled':
      return new CancelledError(message);
    case 'failure':
      return new Error(message);
  }
}
