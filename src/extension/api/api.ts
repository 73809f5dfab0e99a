import type { CancellationToken, Event } from 'vscode';
import type { Construction } from '../../core/construct/construction';
import type { Provider, Verification } from '../../core/options/options';
import type { Progress } from '../../core/report/phases';
import type { ComparisonReport, PlanDocument, RunReport } from '../../core/report/report';
import type { ChoiceKind, ScenarioParameters } from '../../core/scenario/scenario';

/**
 * What Two Heads offers to other extensions. This file and the types that it names are the whole contract.
 *
 * ```ts
 * const lab = await vscode.extensions.getExtension<TwoHeadsApi>('two-heads.two-heads')?.activate();
 * const plan = await lab?.plan('Once upon a time', { scenario: { kind: 'sliding-window', window: 512 } });
 * ```
 *
 * Reports are plain data, as `two-heads --json` prints them, and never hold the prompt's text.
 *
 * Every promise may reject with an `Error` whose `name` is
 * - `InputError`: text, options or a plan are refused; the message is one line that names the value and the fix;
 * - `CancelledError`: the caller or the user cancelled the run;
 * - `Error`: the run failed, for instance because its process ended; the next run starts a new one.
 */
export interface TwoHeadsApi {
  /** Rises where something changes its meaning; what is added leaves it as it is. */
  readonly version: 1;

  /** What a prompt costs, without running anything. It waits for no run. */
  plan(text: string, options?: LabOptions, context?: Pick<CallContext, 'token' | 'signal'>): Promise<PlanDocument>;

  /**
   * Runs a prompt on this machine and checks the result against exact attention.
   *
   * One run takes place at a time: a call waits for the runs that were asked for before it, the user's own among them. 16
   * may wait; one more is refused. The user sees the progress of a run and can cancel it.
   */
  simulate(text: string, options?: LabOptions, context?: CallContext): Promise<RunReport>;

  /** Runs a prompt under several scenarios, one after another, and waits as `simulate` does. */
  compare(text: string, options?: CompareOptions, context?: CallContext): Promise<ComparisonReport>;

  /** Fires after every finished run of this window, whoever asked for it; for a comparison, after each of its runs. */
  readonly onDidFinishRun: Event<RunReport>;
}

/** How a prompt is planned and run. What is left out is as the user's settings and choices have it. */
export interface LabOptions {
  /** Names the prompt in the report and in messages; `text` where left out. It is not read. */
  readonly path?: string;
  readonly scenario?: LabScenario;
  /** M: tokens that a call of the small transformer reads, from 2. */
  readonly blockSize?: number;
  readonly construction?: Construction;
  /** L': layers of the small transformer, from 1 to 1024. */
  readonly oracleLayers?: number;
  /** H': heads of the small transformer, from 1 to 4096. */
  readonly oracleHeads?: number;
  /** A model that ships with Two Heads, or the absolute path of a folder. In Restricted Mode, no folder of the workspace. */
  readonly model?: string;
  readonly provider?: Provider;
  /** Threads of ONNX Runtime, up to 1024; 0 takes every core. */
  readonly threads?: number;
  readonly verify?: Verification;
  /** Whether to measure perplexity and KL divergence against the model's own attention. */
  readonly quality?: boolean;
  /** Reads only the first so many tokens; 0 reads all. */
  readonly maxTokens?: number;
}

/** How a prompt is compared. */
export interface CompareOptions extends Omit<LabOptions, 'scenario'> {
  /**
   * From 1 to 16 scenarios; one that the prompt cannot have rejects the comparison. Where left out, every scenario that
   * Two Heads compares unasked, and those that the prompt cannot have are named in `refused`.
   */
  readonly scenarios?: readonly LabScenario[];
}

/** A masking scenario by its kind; parameters that are left out have their defaults. The scenario of a report is one, too. */
export type LabScenario = LayerScenarioOption | { readonly kind: 'per-layer'; readonly cycle: readonly LayerScenarioOption[] };

/** A scenario for all layers, or for one. A parameter that the kind does not take is refused. */
export interface LayerScenarioOption extends Readonly<ScenarioParameters> {
  readonly kind: ChoiceKind;
}

/** What surrounds a call. */
export interface CallContext {
  /** Cancels the call, or takes it out of the queue; so does `signal`. */
  readonly token?: CancellationToken;
  readonly signal?: AbortSignal;
  /** Called often while the run is on, so it must be quick. `fraction` never falls. */
  readonly onProgress?: (progress: Progress) => void;
}
