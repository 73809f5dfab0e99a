import type { Atlas, AtlasCut } from '../core/atlas/atlas';
import type { TokenCurves } from '../core/atlas/by-token';
import type { ExperimentSummary } from '../core/evaluate/report';
import type { ExperimentOutlook } from '../core/lab/outlook';
import type { DeviceRoof } from '../core/lab/roofline';
import type { Partition } from '../core/plan/partition';
import type { Plan } from '../core/plan/plan';
import type { MemoryEstimate } from '../core/predict/memory';
import type { DevicePrediction } from '../core/predict/prediction';
import type { Progress } from '../core/report/phases';
import type { RunReport } from '../core/report/report';
import type { Range } from '../core/scenario/scenario';
import type { Activity, LabPart } from './panel';

/**
 * Messages between the extension host and the page of the lab editor: one discriminated union per direction, as the side panel has them.
 *
 * The lab of a prompt gets the side panel's messages too, and sends them: it shows what the panel has no room for.
 *
 * The page owns no truth. It sends `ready` and gets everything; what is large comes again only when it changes.
 */
export type LabHostMessage =
  | { readonly type: 'lab'; readonly snapshot: LabSnapshot }
  /** Only on change: an atlas is some megabytes. */
  | { readonly type: 'atlas'; readonly atlas: LabAtlas | null }
  /** Only on change. */
  | { readonly type: 'experiment'; readonly experiment: LabExperiment | null }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** What is selected in the text editor, as tokens; null where nothing is. */
  | { readonly type: 'selected'; readonly range: Range | null }
  /** Unfold a part and scroll to it. */
  | { readonly type: 'show'; readonly part: LabPart };

/** Messages from the page to the host. */
export type LabPageMessage =
  | { readonly type: 'ready' }
  /** Measure where the prompt's attention goes. */
  | { readonly type: 'measure' }
  /** Run the prompt under the chosen scenario, or the experiment. */
  | { readonly type: 'run' }
  /** Run the prompt under every scenario. */
  | { readonly type: 'compare' }
  | { readonly type: 'evaluate' }
  | { readonly type: 'cancel' }
  /** Open the file as the text that it is. */
  | { readonly type: 'open-text' }
  /** Mark tokens in the text, without moving the cursor; null removes the marks. */
  | { readonly type: 'brush'; readonly range: Range | null }
  /** Show tokens in the text: the editor scrolls there. */
  | { readonly type: 'reveal'; readonly range: Range };

/** What a lab is of: the prompt in front, an experiment file or its results, or a file of runs. */
export type LabSubject = 'prompt' | 'experiment' | 'runs';

/** What the page shows at once. */
export interface LabSnapshot {
  readonly subject: LabSubject;
  /** The file's name, or null where no prompt is open. */
  readonly document: string | null;
  /** Why there is nothing to show, or null. */
  readonly error: string | null;
  /** Of the prompt in front; null of files, and where it has no plan. */
  readonly plan: Plan | null;
  readonly prediction: DevicePrediction | null;
  readonly memory: MemoryEstimate | null;
  /** Of the device that the plan is for; null of files, and where it is not calibrated. */
  readonly roof: DeviceRoof | null;
  /** Runs of the prompt, or of the file, newest first, without their atlases. */
  readonly runs: readonly RunReport[];
  /** The run of the headline: of the prompt under its current plan, or the file's newest. */
  readonly current: RunReport | null;
  readonly activity: Activity;
}

/** Where the attention of a prompt goes. */
export interface LabAtlas {
  readonly atlas: Atlas;
  readonly byToken: TokenCurves | null;
  readonly partition: Partition;
  /** The scenario whose cut it has; null where it was not asked about any. */
  readonly cut: AtlasCut | null;
  /** Whether it is of the text and the scenario as they are now. */
  readonly current: boolean;
}

/** An experiment as it is planned, and what came out of it. */
export interface LabExperiment {
  /** Null of a prompt's own evaluation, which no file asked for. */
  readonly outlook: ExperimentOutlook | null;
  readonly evaluation: ExperimentSummary | null;
}
