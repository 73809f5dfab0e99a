import { shortestCycle } from './cycle';
import type { LayerScenario } from './registry';

/** A scenario for each query head, in every layer: head h has the one at `h mod cycle.length`. */
export interface PerHeadScenario {
  readonly kind: 'per-head';
  /** At least two, not all alike, none sampled, and as short as it can be. */
  readonly cycle: readonly LayerScenario[];
}

/** Which heads of a layer share a scenario of a cycle: those whose number modulo `of` is one of `places`. */
export interface HeadShare {
  readonly places: readonly number[];
  readonly of: number;
}

/**
 * A scenario for the heads of every layer from a cycle, as short as it can be; if all heads are alike, their common scenario.
 *
 * @throws InputError for a cycle that is empty, too long, or samples keys in some heads
 */
export function perHead(cycle: readonly LayerScenario[]): LayerScenario | PerHeadScenario {
  const shortest = shortestCycle(cycle, 'heads');
  return shortest.length === 1 ? shortest[0] : { kind: 'per-head', cycle: shortest };
}

/** The query heads of a share, 0-based and ascending; all of them where there is no share. */
export function headsOf(share: HeadShare | undefined, heads: number): readonly number[] {
  const all = Array.from({ length: heads }, (_, head) => head);
  return share === undefined ? all : all.filter((head) => share.places.includes(head % share.of));
}
