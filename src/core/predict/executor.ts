import { isBlackBox } from '../construct/construction';
import { tileRuleOf } from '../scenario/scenario';
import type { Executor, Precision, Provider } from '../options/table';
import type { Plan } from '../plan/plan';
import type { Calibration } from './calibration';

/** How the layers of a plan are run: tile by tile, or each as one graph. */
export type PassExecutor = Exclude<Executor, 'auto'>;

/** The provider of a plan: the one that is named, else that of the calibration that it was made with, else the CPU. */
export function plannedProvider(provider: Provider, calibration: Pick<Calibration, 'provider'> | undefined): Exclude<Provider, 'auto'> {
  return provider === 'auto' ? (calibration?.provider ?? 'cpu') : provider;
}

/**
 * The executor of a plan that names none. A compiled layer has one mask for all heads, known before. Compiled layers keep everything on the device; on the CPU that gains nothing, and
 * runs of a few tiles stay in its caches.
 */
export function preferredExecutor(
  { construction, scenario }: Pick<Plan, 'construction' | 'scenario'>,
  precision: Precision,
  provider: Provider,
): PassExecutor {
  const apart = isBlackBox(construction) || scenario.kind === 'per-head' || tileRuleOf(scenario) !== undefined;
  return (provider === 'cpu' && precision === 'float32') || apart ? 'tiles' : 'compiled';
}
