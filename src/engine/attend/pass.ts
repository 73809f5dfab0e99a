import { isBlackBox } from '../../core/construct/construction';
import { InputError } from '../../core/errors';
import type { Executor, Precision, SimulationOptions } from '../../core/options/table';
import type { Plan } from '../../core/plan/plan';
import { compiledForward, type CompiledPass } from './compiled/forward';
import { forward } from './forward';
import type { Device } from './runtime/provider';

/**
 * The executor of a plan on a device. Compiled layers keep everything on the device; on the CPU that gains nothing, and
 * runs of a few tiles stay in its caches.
 *
 * @throws InputError if compiled layers, or float16, were requested for a black-box construction
 */
export function executorOf(
  { executor, precision }: Pick<SimulationOptions, 'executor' | 'precision'>,
  { construction }: Plan,
  { provider }: Device,
): Exclude<Executor, 'auto'> {
  if (precision === 'float16' && (executor === 'tiles' || isBlackBox(construction))) {
    throw new InputError(
      'Precision "float16" is for compiled layers of construction fused; leave --executor and --construction out, or use --precision float32.',
    );
  }
  if (executor === 'compiled' && isBlackBox(construction)) {
    throw new InputError(`Executor "compiled" runs construction fused only, not ${construction}; use --executor tiles.`);
  }
  const preferred = (provider === 'cpu' && precision === 'float32') || isBlackBox(construction) ? 'tiles' : 'compiled';
  return executor === 'auto' ? preferred : executor;
}

/** Runs a prompt through the layers of a model, with one of the executors. */
export type Pass = (given: Omit<CompiledPass, 'precision'>) => Promise<Float32Array>;

/** The pass of an executor. */
export function passOf(executor: Exclude<Executor, 'auto'>, precision: Precision): Pass {
  return executor === 'compiled' ? (given) => compiledForward({ ...given, precision }) : forward;
}
