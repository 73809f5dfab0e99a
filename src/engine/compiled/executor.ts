import { isBlackBox } from '../../core/constructions';
import { InputError } from '../../core/errors';
import type { Executor } from '../../core/options';
import type { Plan } from '../../core/plan/plan';
import type { Device } from '../runtime/provider';

/**
 * How a plan is run on a device. Compiled layers keep everything on the device; on the CPU nothing is gained by that, and
 * runs of a few tiles stay in its caches.
 *
 * @throws InputError where compiled layers were asked of a black-box construction
 */
export function executorOf(executor: Executor, { construction }: Plan, { provider }: Device): Exclude<Executor, 'auto'> {
  if (executor === 'compiled' && isBlackBox(construction)) {
    throw new InputError(`Executor "compiled" runs construction fused only, not ${construction}; use --executor tiles.`);
  }
  const preferred = provider === 'cpu' || isBlackBox(construction) ? 'tiles' : 'compiled';
  return executor === 'auto' ? preferred : executor;
}
