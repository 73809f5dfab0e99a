import type { ScenarioChoice } from '../scenario/scenario';
import { constructions, type Construction } from '../construct/construction';
import { InputError } from '../errors';

/** Execution providers of ONNX Runtime that a user may name. */
export const providers = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type Provider = (typeof providers)[number];

/** How much of a run is checked against float64: sampled rows, every row, nothing. */
export const verifications = ['rows', 'dense', 'none'] as const;
export type Verification = (typeof verifications)[number];

/** What a user can choose about a simulation; plain data that crosses processes. */
export interface SimulationOptions {
  readonly scenario: ScenarioChoice;
  /** How the calls of `fused` are run: tile by tile in many runs, or a layer at a time as one graph. */
  readonly executor: Executor;
  readonly precision: Precision;
  /** M, or `automaticBlock`. */
  readonly blockSize: number;
  readonly construction: Construction;
  /** L' and H'; the defaults are one layer and the model's own number of heads. */
  readonly oracleLayers?: number | undefined;
  readonly oracleHeads?: number | undefined;
  /** Name of the embedded model or path of a folder. */
  readonly model: string;
  readonly provider: Provider;
  /** Threads of ONNX Runtime; 0 leaves it to the runtime. */
  readonly threads: number;
  readonly verify: Verification;
  /** Samples over which an average-case run is tried; 0 tries none. */
  readonly seeds: number;
  /** Relative error that theorem 4.1 is asked to guarantee. */
  readonly epsilon: number;
  /** Probability with which it may miss that. */
  readonly failureProbability: number;
  /** Whether to run the baseline and score next-token distributions. */
  readonly quality: boolean;
  /** Reads only the first so many tokens; 0 reads all. */
  readonly maxTokens: number;
  /** Refuses plans whose estimated peak memory is above this many bytes; 0 takes what the machine has free. */
  readonly memoryLimit: number;
}

/** The name of the model that ships with Two Heads. */
export const embeddedModel = 'tiny-docs-5m';

/** Ways of running a plan. `auto` compiles on every provider but the CPU, where tile-wise runs fit its caches. */
export const executors = ['auto', 'tiles', 'compiled'] as const;
export type Executor = (typeof executors)[number];

/** Of the small transformer's products. `float16` is for compiled layers, on devices that have it. */
export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];

/** Which device is to be measured. */
export type CalibrationOptions = Pick<SimulationOptions, 'provider' | 'threads'>;

/** A block size that is left to calibration: the one that is predicted to be fastest, or the default where nothing is known. */
export const automaticBlock = 0;

/** The options that hold where a user chooses nothing. */
export const defaultOptions: SimulationOptions = {
  scenario: { kind: 'native' },
  blockSize: 256,
  construction: 'fused',
  executor: 'auto',
  precision: 'float32',
  model: embeddedModel,
  provider: 'auto',
  threads: 0,
  verify: 'rows',
  seeds: 10,
  epsilon: 0.5,
  failureProbability: 0.1,
  quality: true,
  maxTokens: 0,
  memoryLimit: 0,
};

/** The largest prompt file that is read, in bytes. */
export const maximumPromptBytes = 64 * 1024 * 1024;

/** `value` as one of `choices`. @throws InputError that names the value and the choices */
export function oneOf<T extends string>(what: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new InputError(`${what} "${value}" is unknown; use one of ${choices.join(', ')}.`);
  }
  return found;
}

/** The construction of a name. @throws InputError for one that is unknown */
export function constructionOf(name: string): Construction {
  return oneOf('Construction', name, constructions);
}

/**
 * `value` as a number above 0 and up to `maximum`.
 *
 * @throws InputError that names the option, the value and the limits
 */
export function positiveNumber(what: string, value: string, maximum: number): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (!Number.isFinite(number) || number <= 0 || number > maximum) {
    throw new InputError(`${what} of "${value}" is not possible; use a number above 0 and up to ${maximum}.`);
  }
  return number;
}

/**
 * `value` as a whole number within limits.
 *
 * @throws InputError that names the option, the value and the limits
 */
export function wholeNumber(what: string, value: string | number, minimum: number, maximum: number): number {
  const number = typeof value === 'number' ? value : /^[+-]?\d+$/.test(value.trim()) ? Number(value) : NaN;
  if (!Number.isInteger(number) || number < minimum || number > maximum) {
    throw new InputError(`${what} of "${value}" is not possible; use a whole number from ${minimum} to ${maximum}.`);
  }
  return number;
}
