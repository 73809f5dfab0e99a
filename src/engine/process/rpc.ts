import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { CancelledError, InputError, messageOf } from '../../core/errors';
import type { ExperimentSummary } from '../../core/evaluate/report';
import type { GenerationOptions, GenerationReport } from '../../core/generate/report';
import type { LedgerOptions, LedgerReport } from '../../core/ledger/report';
import type { CalibrationOptions, SimulationOptions } from '../../core/options/table';
import type { Calibration } from '../../core/predict/calibration';
import type { OnProgress, Progress } from '../../core/report/phases';
import type { ComparisonReport, RunReport } from '../../core/report/report';
import type { EvaluateRequest } from '../tasks/evaluate/run-experiment';

/** An error as data, for crossing a process boundary. */
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

/** The methods of the engine process: messages and the client's calls are derived from this interface. */
export interface EngineMethods {
  /** Runs a prompt and reports. @throws InputError, CancelledError */
  simulate(request: SimulateRequest, context: CallContext): Promise<RunReport>;
  /** Runs a prompt under each of several scenarios that it can have, hands over each run when it ends, and reports on all. @throws InputError, CancelledError */
  compare(request: CompareRequest, context: CallContext): Promise<ComparisonReport>;
  /** Continues a prompt by a few tokens. @throws InputError, CancelledError */
  generate(request: GenerateRequest, context: CallContext): Promise<GenerationReport>;
  /** Plans an experiment's scenarios and measures their quality. @throws InputError, CancelledError */
  evaluate(request: EvaluateRequest, context: CallContext): Promise<ExperimentSummary>;
  /** Runs every statement of the paper on a random model. @throws InputError, CancelledError */
  ledger(options: LedgerOptions, context: CallContext): Promise<LedgerReport>;
  /** Measures a device and stores the result. @throws InputError if the provider is not available, CancelledError */
  calibrate(options: CalibrationOptions, context: CallContext): Promise<Calibration>;
}

/** A prompt's text and options; plain data. */
interface SimulateRequest {
  readonly path: string;
  readonly text: string;
  readonly options: SimulationOptions;
}

/** A prompt to run under several scenarios; plain data. The scenario among the options does not matter. */
interface CompareRequest extends SimulateRequest, WantedScenarios {}

/** A prompt to continue; plain data. */
interface GenerateRequest extends SimulateRequest {
  readonly generation: GenerationOptions;
}

/** Cancellation of a call, its progress, and the runs that it has finished. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly onRun: (report: RunReport) => void;
}

export type MethodName = keyof EngineMethods;
export type Argument<M extends MethodName> = Parameters<EngineMethods[M]>[0];
export type Result<M extends MethodName> = Awaited<ReturnType<EngineMethods[M]>>;

/** Messages to the engine process. */
export type EngineRequest =
  | { [M in MethodName]: { readonly type: 'call'; readonly id: number; readonly method: M; readonly argument: Argument<M> } }[MethodName]
  | { readonly type: 'cancel'; readonly id: number };

/** Messages from the engine process. Errors cross as data. */
export type EngineResponse =
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'run'; readonly id: number; readonly report: RunReport }
  | { readonly type: 'result'; readonly id: number; readonly result: Result<MethodName> }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorData };

/** An error as data. `kind` names the class to restore. */
interface ErrorData {
  readonly kind: 'input' | 'cancelled' | 'failure';
  readonly message: string;
}
