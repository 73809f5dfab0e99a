import { formatDuration } from '../format';
import { t } from '../l10n';

/** One increment of a run's progress. */
export interface Progress {
  /** What is being done, in a few words. */
  readonly message: string;
  readonly phase: Phase | 'generate';
  /** Share of the whole run that is done, from 0 to 1, never falling. */
  readonly fraction: number;
}

/** Receives progress; called often, so it must be cheap. */
export type OnProgress = (progress: Progress) => void;

/** Least time that is said to be left, and least time after which it is said, in milliseconds. */
const saidFromMs = 1000;

/**
 * Reports progress with the time that is left, once it can be said: by the clock from the first report on.
 *
 * @param clock milliseconds since any moment
 */
export function withTimeLeft(onProgress: OnProgress, clock: () => number): OnProgress {
  let start: { readonly fraction: number; readonly at: number } | undefined;
  return (progress) => {
    const now = clock();
    start ??= { fraction: progress.fraction, at: now };
    const elapsed = now - start.at;
    const { fraction, message } = progress;
    // If it goes on as it did since.
    const left = fraction > start.fraction ? (elapsed * (1 - fraction)) / (fraction - start.fraction) : 0;
    onProgress(
      Math.min(elapsed, left) < saidFromMs ? progress : { ...progress, message: t('{0}, about {1} left', message, formatDuration(left)) },
    );
  };
}

/** Wall time of the phases in milliseconds. */
export interface Phases {
  readonly tokenize: number;
  readonly project: number;
  /** Handing operands to the attention calls: copies outside the runs. */
  readonly gather: number;
  /** The runs that carry attention calls; the merge of their states is in them where the construction is `fused`. */
  readonly attend: number;
  /** What is left of the merge outside the runs. */
  readonly merge: number;
  /** Whole layers, where each is one compiled graph. */
  readonly layer: number;
  readonly mlp: number;
  readonly verify: number;
  /** The baseline run and the comparison of next-token distributions. */
  readonly quality: number;
}

export type Phase = keyof Phases;

/** The phases that make up a layer. */
export const layerPhases = ['project', 'gather', 'attend', 'merge', 'layer', 'mlp'] as const satisfies readonly Phase[];

/** A phase's time, or what no phase measures. */
type PhaseTime = readonly [phase: Phase | 'other', milliseconds: number];

/**
 * Where a run's time went: the phases that add up to its wall time, with what none of them measures as `other`, and those before
 * and after it, which are no part of it.
 */
export function timesOf({ wallMs, phases }: { readonly wallMs: number; readonly phases: Phases }): {
  readonly within: readonly PhaseTime[];
  readonly beside: readonly PhaseTime[];
} {
  const measured = layerPhases.reduce((sum, phase) => sum + phases[phase], 0);
  return {
    within: [...layerPhases.map((phase): PhaseTime => [phase, phases[phase]]), ['other', Math.max(0, wallMs - measured)]],
    beside: (['tokenize', 'verify', 'quality'] as const).map((phase): PhaseTime => [phase, phases[phase]]),
  };
}

/**
 * Wall time of one layer's phases in milliseconds; the layers add up to the run's phases.
 *
 * The first layer starts the sessions that all share. On a device that works on after a call has returned, a part of a layer's time may show in the next.
 */
export type LayerTimes = Readonly<Record<(typeof layerPhases)[number], number>>;
