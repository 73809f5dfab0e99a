import type { Activations, Executor, Precision } from '../options/table';
import type { Plan } from '../plan/plan';
import type { Calibration, MachineLoad, Sampled } from './calibration';
import { isBusy, loadEffect } from './load';

/** Bounds of a time in milliseconds between which about nine of ten runs end. */
export interface TimeInterval {
  readonly lowMs: number;
  readonly highMs: number;
  /**
   * Why the bounds say too little to be relied on: the calibration's own times differ too much, or the plan or the machine's load
   * is too far from what it measured. Absent where they may be relied on. The bounds then end where they stop being of use.
   */
  readonly doubtful?: 'calibration' | 'plan';
}

/** Why a prediction goes beyond what its calibration measured. */
export interface Extrapolation {
  readonly what: keyof Sampled | 'executor' | 'precision' | 'activations';
  /** What the plan or the run has. */
  readonly value: number | string;
  /** What was measured: the smallest and the largest value, or a word. */
  readonly sampled: readonly [number, number] | readonly [string];
}

/** How a plan is run, which it does not say itself. */
export interface RunWay {
  readonly executor: Executor;
  readonly precision: Precision;
  readonly activations: Activations;
}

/** How the machine's load bears on a prediction. */
export interface PredictionLoad {
  /** Cores of the machine. */
  readonly cores: number;
  /** Cores that others wanted during the calibration; 0 where it counts as quiet. */
  readonly calibration: number;
  /** Whether the calibration should be repeated, for that or because its times varied. */
  readonly repeat: boolean;
  /** Cores that others want now; 0 where that is quiet, null where nobody looked. */
  readonly now: number | null;
}

/**
 * The least relative standard deviation of a run from its prediction. A calibration sees half a minute; from one minute to the
 * next the clock, the neighbours of a virtual machine and the placement of memory change what it cannot see.
 */
const leastSpread = 0.08;

/**
 * By how much more a run may be slower than faster, as a natural logarithm: what comes between (another program, cold memory, a
 * lower clock) only takes time. Of 80 runs on a quiet machine, each after a rest, as a run is, half took 13% longer than expected, and 21% when they were tried again.
 */
const heldUp = 0.2;

/** What a calibration that should be repeated, or that had no time for all, is trusted less, as a standard deviation. */
const unsteadySpread = 0.2;

/** Doubt for each doubling beyond what was measured, and for a way of running that was not measured, as natural logarithms. */
const doublingDoubt = 0.1;
const unmeasuredDoubt = Math.log(2);

/** As far as an interval may reach either way and still be of use, as a natural logarithm: a factor of four. */
const mostDoubt = Math.log(4);

/** The interval of a predicted time, on a logarithmic scale, further upwards than downwards. */
export function timeInterval(wallMs: number, calibration: Calibration, extrapolates: readonly Extrapolation[]): TimeInterval {
  const { pass, layer, load, leftOut = 0 } = calibration;
  const { error, samples, unknowns } = (layer ?? pass).fit;
  const degrees = Math.max(1, samples - unknowns);
  const spread = Math.hypot(Math.max(error, leastSpread), load.busy || leftOut > 0 ? Math.max(unsteadySpread, load.spread) : 0);
  // The rates are themselves estimates, whose variance adds to that of a single run.
  const reach = studentQuantile(degrees) * spread * Math.sqrt(1 + unknowns / Math.max(1, samples));
  const beyond = extrapolates.reduce((sum, each) => sum + doubtOf(each), 0);
  const down = reach + beyond + loadEffect(calibration).doubt;
  const up = down + heldUp;
  const bounds = { lowMs: wallMs * Math.exp(-Math.min(down, mostDoubt)), highMs: wallMs * Math.exp(Math.min(up, mostDoubt)) };
  return down <= mostDoubt ? bounds : { ...bounds, doubtful: reach > mostDoubt ? 'calibration' : 'plan' };
}

/** The normal distribution's 95% quantile. */
const normalQuantile = 1.6449;

/** The 95% quantiles of Student's t with 1 and 2 degrees of freedom, where the expansion is poor. */
const fewDegrees: readonly (number | undefined)[] = [6.314, 2.92];

/**
 * The 95% quantile of Student's t: half an interval that holds 90%, in standard deviations; within 1% from 3 degrees on. The
 * expansion is Abramowitz and Stegun's 26.7.5.
 */
function studentQuantile(degrees: number): number {
  const z = normalQuantile;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return fewDegrees[degrees - 1] ?? z + first / degrees + second / degrees ** 2;
}

function doubtOf({ value, sampled }: Extrapolation): number {
  const [from, to] = sampled;
  if (typeof value !== 'number' || typeof from !== 'number' || to === undefined) {
    return unmeasuredDoubt;
  }
  return doublingDoubt * Math.max(1, Math.log2(value > to ? value / to : from / value));
}

/** In what a plan goes beyond what its device's calibration measured; nothing in all that it covers. */
export function extrapolations(plan: Plan, { sampled, layer }: Calibration, way?: RunWay): Extrapolation[] {
  const { tokens, model, oracle } = plan;
  const own: Readonly<Record<keyof Sampled, number>> = {
    tokens,
    // A call reads no more than the prompt has.
    rows: Math.min(tokens, oracle.inputLength),
    width: model.width,
    headWidth: model.headWidth,
    layers: model.layers,
  };
  const beyond = (Object.keys(own) as (keyof Sampled)[])
    .filter((what) => what !== 'headWidth' || model.heads > 0)
    .filter((what) => own[what] < sampled[what].from || own[what] > sampled[what].to)
    .map((what): Extrapolation => ({ what, value: own[what], sampled: [sampled[what].from, sampled[what].to] }));
  const executor: Executor = layer === null ? 'tiles' : 'compiled';
  if (way !== undefined && way.executor !== 'auto' && way.executor !== executor) {
    beyond.push({ what: 'executor', value: way.executor, sampled: [executor] });
  }
  if (way !== undefined && way.precision !== 'float32') {
    beyond.push({ what: 'precision', value: way.precision, sampled: ['float32'] });
  }
  if (way !== undefined && way.activations !== 'float32') {
    beyond.push({ what: 'activations', value: way.activations, sampled: ['float32'] });
  }
  return beyond;
}

/** What a prediction says of the machine's load. */
export function predictionLoad({ load, now }: Pick<Calibration, 'load' | 'now'>): PredictionLoad {
  const wanted = (each: MachineLoad): number => (isBusy(each) ? each.others : 0);
  return { cores: load.cores, calibration: wanted(load), repeat: load.busy, now: now === undefined ? null : wanted(now) };
}
