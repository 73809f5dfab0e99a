import type { Calibration, CalibrationLoad, MachineLoad } from './calibration';

/** Processor time over a stretch of wall time: what `os.cpus()` and `process.cpuUsage()` gained. */
export interface ProcessorTime {
  readonly cores: number;
  readonly wallMs: number;
  /** Milliseconds in which a core was not idle, all cores together. */
  readonly busyMs: number;
  /** Those of this process. */
  readonly ownMs: number;
}

/** Cores that others may want before a machine counts as busy: an editor and a browser at rest want less. */
const quietCores = 0.3;

/** Spread of one product from which a machine is not quiet: two threads of a quiet one vary by a few per cent. */
const quietSpread = 0.2;

/** Most that others can be said to want, in times of the cores: beyond it, next to nothing is left to measure by. */
const mostWanted = 4;

/** Cores that others took. */
function othersBusy({ cores, wallMs, busyMs, ownMs }: ProcessorTime): number {
  return wallMs <= 0 ? 0 : Math.min(cores, Math.max(0, (busyMs - ownMs) / wallMs));
}

/**
 * What others want, seen by a process that itself waits. Where no core is left, more may queue.
 *
 * @param queues numbers of others' threads that run or wait, at several moments, at least one; their median counts, since programs
 *   start and end between
 */
export function idleLoad(time: ProcessorTime, queues: readonly number[]): MachineLoad {
  const taken = othersBusy(time);
  const queued = medianOf(queues);
  // Whether cores are left is seen by all that is taken, this process's part too: what it takes of a full machine others want.
  const isFull = time.busyMs >= 0.9 * time.cores * time.wallMs;
  return { cores: time.cores, others: !isFull ? taken : Math.max(taken, Math.min(queued, mostWanted * time.cores)) };
}

/**
 * What others wanted, seen by a process that kept `threads` cores busy, and whether that is too much.
 *
 * A scheduler shares c cores fairly: others that want d get `c d / (d + threads)`, or all that they want where it is free.
 * @param paces times of the same product between the measurements
 */
export function calibrationLoad(time: ProcessorTime, threads: number, paces: readonly number[]): CalibrationLoad {
  const { cores } = time;
  const taken = othersBusy(time);
  const free = Math.max(0, cores - threads);
  const contended = taken <= free ? taken : Math.min(mostWanted * cores, (taken * threads) / Math.max(1e-3, cores - taken));
  const others = Math.max(taken, contended);
  const spread = relativeSpread(paces);
  return { cores, others, spread, busy: others > quietCores || spread > quietSpread };
}

/** Median absolute deviation, scaled to the standard deviation of a normal distribution, relative to the median: outliers hardly count. */
function relativeSpread(values: readonly number[]): number {
  if (values.length === 0) {
    return 0;
  }
  const middle = medianOf(values);
  return middle > 0 ? (1.4826 * medianOf(values.map((value) => Math.abs(value - middle)))) / middle : 0;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Whether others want so much that times differ from those of a quiet machine. */
export function isBusy({ others }: MachineLoad): boolean {
  return others > quietCores;
}

/**
 * By how much a run of some threads takes longer beside others: 1 where there are cores for all.
 *
 * Steps of a run are shorter than a scheduler's turns, and each waits for its slowest thread: the one that shares its core with a
 * whole program, even while other cores are shared by less.
 */
function slowdown(load: MachineLoad, threads: number): number {
  const crowd = isBusy(load) ? Math.max(0, threads + load.others - load.cores) : 0;
  return 1 + Math.max(Math.min(crowd, 1), crowd / Math.min(threads, load.cores));
}

/** What the load of a machine does to its times. */
export interface LoadEffect {
  /** Factor from the calibration's times to those of now. */
  readonly factor: number;
  /** How far that may be off either way, as a natural logarithm. */
  readonly doubt: number;
}

/**
 * The effect of the load now and then on a device's times.
 *
 * Where a scheduler moves threads about, less is waited for; where it gives others their turns first, more. Hence the doubt: half
 * of the slowdown either way, on a logarithmic scale. On devices other than processors there is none.
 */
export function loadEffect({ provider, threads, load, now }: Pick<Calibration, 'provider' | 'threads' | 'load' | 'now'>): LoadEffect {
  if (provider !== 'cpu') {
    return { factor: 1, doubt: 0 };
  }
  const [today, then] = [now === undefined ? 1 : slowdown(now, threads), slowdown(load, threads)];
  // Where it was as busy then as it is now, the times are those of a busy machine already.
  return { factor: today / then, doubt: Math.hypot(Math.log(today), Math.log(then)) / 2 };
}
