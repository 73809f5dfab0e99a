import type { Precision, Executor } from '../../core/options/options';
import { forward } from '../attend/forward';
import { compiledForward, type CompiledPass } from '../attend/compiled/forward';

/** Runs a prompt through the layers of a model, in one of the ways there are. */
export type Pass = (given: Omit<CompiledPass, 'precision'>) => Promise<Float32Array>;

/** The pass of an executor. */
export function passOf(executor: Exclude<Executor, 'auto'>, precision: Precision): Pass {
  return executor === 'compiled' ? (given) => compiledForward({ ...given, precision }) : forward;
}
