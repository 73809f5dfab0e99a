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

/**
 * Time until a run ends, in milliseconds, if it goes on as it did; null while that cannot be said.
 *
 * @param since where the clock began: the share of the run that was done then
 * @param elapsedMs since then
 */
export function timeLeft(fraction: number, since: number, elapsedMs: number): number | null {
  return fraction > since ? (elapsedMs * (1 - fraction)) / (fraction - since) : null;
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
