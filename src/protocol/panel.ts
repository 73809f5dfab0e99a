import type { CostCurves } from '../core/compare/cost-curves';
import type { ScenarioCost } from '../core/compare/scenario-costs';
import type { LedgerReport } from '../core/ledger/report';
import type { CacheReport } from '../core/plan/cache';
import type { Plan } from '../core/plan/plan';
import type { MemoryEstimate } from '../core/predict/memory';
import type { DevicePrediction } from '../core/predict/prediction';
import type { Progress } from '../core/report/phases';
import type { RunReport } from '../core/report/report';
import type { ChoiceKind, ScenarioParameters } from '../core/scenario/scenario';

/**
 * Messages between the extension host and a page that shows the prompt in front, the side panel or its lab: one discriminated union per direction.
 *
 * The page owns no truth. It sends `ready`, gets a `snapshot`, and then increments; everything it shows comes from them.
 */
export type HostMessage =
  | { readonly type: 'snapshot'; readonly snapshot: PanelSnapshot }
  /** Cost over N, sent only on change: typing changes N, not the curves. Null if no prompt is planned. */
  | { readonly type: 'cost-curves'; readonly curves: CostCurves | null }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'place'; readonly place: EditorPlace }
  /**
   * The answer to `read-tile`: excerpts of the queries' text and of the keys', null if the keys are not in one range of
   * tokens.
   */
  | { readonly type: 'tile-text'; readonly request: number; readonly queries: string; readonly keys: string | null };

/** Messages from the page to the host. */
export type PageMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'choose'; readonly choice: FormChoice }
  | { readonly type: 'simulate' }
  | { readonly type: 'compare' }
  | { readonly type: 'run-ledger' }
  /** Open the lab of the prompt beside it, with a part unfolded and in view. */
  | { readonly type: 'open-lab'; readonly part: LabPart | null }
  | { readonly type: 'calibrate' }
  /** Open the settings, which have every option that the form has not. */
  | { readonly type: 'open-settings' }
  | { readonly type: 'cancel' }
  /** Select the token ranges of a tile in the editor; blocks are 0-based. */
  | { readonly type: 'select-tile'; readonly queryBlock: number; readonly keyBlock: number }
  /** Write a picture of the map to a file that the user chooses. */
  | { readonly type: 'save-picture'; readonly format: 'svg' | 'png'; readonly data: Uint8Array }
  /** Send the text of a tile's token ranges. The answer names the `request`; there is none if the prompt has changed. */
  | { readonly type: 'read-tile'; readonly request: number; readonly queryBlock: number; readonly keyBlock: number };

/** Parts of the prompt's lab that the panel leads to, by the names of their sections. */
export const labParts = ['plan', 'tiles', 'costs', 'last-run', 'history', 'ledger', 'lab-quality'] as const;
export type LabPart = (typeof labParts)[number];

/** The scenario form's state. */
export interface FormChoice {
  readonly kind: ChoiceKind;
  readonly parameters: ScenarioParameters;
  /** M. */
  readonly blockSize: number;
}

/** The kind of a task, which decides where the page shows its progress. */
export type Task = 'prompt' | 'ledger' | 'evaluate';

/** The extension's current activity; titles are in the editor's language. */
export type Activity =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly task: Task; readonly title: string; readonly progress: Progress | null }
  | { readonly state: 'failed'; readonly message: string };

/** The editor's position in the prompt, in 0-based blocks. */
export interface EditorPlace {
  readonly cursor: number | null;
  /** The visible blocks, `to` excluded. */
  readonly visible: { readonly from: number; readonly to: number } | null;
}

/** Everything the page shows. */
export interface PanelSnapshot {
  /** File name of the prompt, or null where no prompt is open. */
  readonly document: string | null;
  readonly form: FormChoice;
  /** What is wrong with the form, or null. */
  readonly formError: string | null;
  /** The plan of the prompt under the form, or null if there is none. */
  readonly plan: Plan | null;
  /** Resident memory that a run is expected to take, by parts; null if there is no plan. */
  readonly memory: MemoryEstimate | null;
  /** Expected time and memory on the calibrated device; null if it is not calibrated. */
  readonly prediction: DevicePrediction | null;
  /** What the model keeps of the prompt to continue it; null if there is no plan, or its mask looks ahead. */
  readonly cache: CacheReport | null;
  /** Bytes of the model's files; null if there is no plan, or no files. */
  readonly storedBytes: number | null;
  /** The cost of the same prompt and M under each scenario. */
  readonly scenarioCosts: readonly PanelCost[];
  /** Why other scenarios have no cost: the form's parameters do not fit them. */
  readonly impossibleScenarios: readonly string[];
  readonly activity: Activity;
  readonly place: EditorPlace;
  /** The newest finished runs, newest first, including those of other prompts. */
  readonly runs: readonly PanelRun[];
  /** How many runs are kept. */
  readonly keptRuns: number;
  /** The latest ledger, or null before the first. */
  readonly ledger: LedgerReport | null;
}

/** The cost of a scenario, expected and measured. */
export interface PanelCost extends ScenarioCost {
  /** Wall time of the newest run of this prompt under the scenario, in milliseconds; null if there is none. */
  readonly measuredMs: number | null;
  /** Whether that run failed. */
  readonly measuredFailed: boolean;
}

/** A finished run, and whether it is one of the current prompt and options. */
export interface PanelRun {
  readonly id: string;
  readonly current: boolean;
  readonly report: RunReport;
}
