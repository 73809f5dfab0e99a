import type { Phase } from './report';

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
