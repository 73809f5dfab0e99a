import type { CancellationToken, Event } from 'vscode';
import type { Construction } from '../../core/construct/construction';
import type { Provider, Verification } from '../../core/options/table';
import type { Progress } from '../../core/report/phases';
import type { ComparisonReport, PlanDocument, RunReport } from '../../core/report/report';
import type { ChoiceKind, ScenarioParameters } from '../../core/scenario/scenario';

/**
 * The API of Two Heads for other extensions. This file and the types that it names are the whole contract.
 *
 * ```ts
 * const lab = await vscode.extensions.getExtension<TwoHeadsApi>('two-heads.two-heads')?.activate();
 * const plan = await lab?.plan('Once upon a time', { scenario: { kind: 'sliding-window', window: 512 } });
 * ```
 *
 * Reports are plain data, as `two-heads --json` prints them, and never contain the prompt's text.
 *
 * Every promise may reject with an `Error` whose `name` is
 * - `InputError`: text, options or a plan are refused; the message is one line that names the value and the fix;
 * - `CancelledError`: the caller or the user cancelled the run;
 * - `Error`: the run failed, for instance because its process ended; the next run starts a new one.
 */
export interface TwoHeadsApi {
  /** Increased when a change breaks callers, not for additions. */
  readonly version: 1;

  /** Plans a prompt without running it. Does not wait for runs. */
  plan(text: string, options?: LabOptions, context?: Pick<CallContext, 'token' | 'signal'>): Promise<PlanDocument>;

  /**
   * Runs a prompt on this machine and checks the result against exact attention.
   *
   * Runs execute one at a time: a call waits for earlier calls and for the user's own runs. Up to 16 calls may wait;
   * further calls are refused. The user sees the progress of a run and can cancel it.
   */
  simulate(text: string, options?: LabOptions, context?: CallContext): Promise<RunReport>;

  /** Runs a prompt under several scenarios, one after another. Waits like `simulate`. */
  compare(text: string, options?: CompareOptions, context?: CallContext): Promise<ComparisonReport>;

  /** Fires after every finished run of this window, no matter who started it; for a comparison, after each of its runs. */
  readonly onDidFinishRun: Event<RunReport>;
}

/** How a prompt is planned and run. Omitted fields follow the user's settings and choices. */
export interface LabOptions {
  /** Names the prompt in the report and in messages; `text` by default. The file is not read. */
  readonly path?: string;
  readonly scenario?: LabScenario;
  /** M: tokens that a call of the small transformer reads, at least 2. */
  readonly blockSize?: number;
  readonly construction?: Construction;
  /** L': layers of the small transformer, from 1 to 1024. */
  readonly oracleLayers?: number;
  /** H': heads of the small transformer, from 1 to 4096. */
  readonly oracleHeads?: number;
  /**
   * A model that ships with Two Heads, or the absolute path of a folder; not a folder of the workspace in Restricted Mode.
   */
  readonly model?: string;
  readonly provider?: Provider;
  /** Threads of ONNX Runtime, up to 1024; 0 uses every core. */
  readonly threads?: number;
  readonly verify?: Verification;
  /** Whether to measure perplexity and KL divergence against the model's own attention. */
  readonly quality?: boolean;
  /** Reads only this many tokens; 0 reads all. */
  readonly maxTokens?: number;
}

/** Options of a comparison. */
export interface CompareOptions extends Omit<LabOptions, 'scenario'> {
  /**
   * From 1 to 16 scenarios; the comparison is rejected if one does not fit the prompt. By default, every standard scenario
   * runs, and those that do not fit the prompt are listed in `refused`.
   */
  readonly scenarios?: readonly LabScenario[];
}

/** A masking scenario by kind; omitted parameters have their defaults. A report's scenario is also valid here. */
export type LabScenario = LayerScenarioOption | { readonly kind: 'per-layer' | 'per-head'; readonly cycle: readonly LayerScenarioOption[] };

/** A scenario for all layers, or for one. Parameters that the kind does not take are refused. */
export interface LayerScenarioOption extends Readonly<ScenarioParameters> {
  readonly kind: ChoiceKind;
}

/** Cancellation and progress of a call. */
export interface CallContext {
  /** Cancels the call or removes it from the queue; so does `signal`. */
  readonly token?: CancellationToken;
  readonly signal?: AbortSignal;
  /** Called often during the run, so it must be quick. `fraction` never decreases. */
  readonly onProgress?: (progress: Progress) => void;
}
