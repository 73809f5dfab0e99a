import { text } from '../l10n';
import { InputError } from '../errors';
import { nativeScenario, type ModelShape } from '../shapes';
import { type Mask, visibleRanges } from './mask';
import { headsOf } from './per-head';
import { layerGroups } from './per-layer';
import { isSampled, maskOf, type Scenario, scenarioLabel, StepBudget, tileRuleOf } from './scenario';

/** `[N]`, 1 where a scenario touches the position; a sentence where that cannot be said. */
export type Touched = Uint8Array | string;

/** Why there is no quality at touched positions where none was scored. */
export const nothingTouched = text("The mask hides no key that the model's own attention shows at a scored position.");

/**
 * Which positions a scenario touches: those at which, in at least one head of a layer that attends, it hides a key that the model's own
 * attention shows.
 *
 * Only the mask at the position itself counts. Under windows and sinks a position that is not touched is computed as by the
 * model's own attention, because no position before it is touched either. Under a written mask it may read positions that are,
 * and a scenario that shows more than the model's own attention changes predictions without hiding anything.
 * @param tokens N; the work is O(N) under windows and sinks, and limited by a step budget under written masks
 */
export function touchedPositions(scenario: Scenario, shape: ModelShape, tokens: number): Touched {
  if (isSampled(scenario)) {
    return text('Keys are sampled, so that no mask says which are hidden.');
  }
  if (tileRuleOf(scenario) !== undefined) {
    return text('Tiles are chosen in each head of each layer, so that no mask says which keys are hidden.');
  }
  try {
    const budget = new StepBudget();
    const pairs = layerPairs(scenario, shape).map(([own, native]): [Mask, Mask] => [
      maskOf(own, tokens, budget),
      maskOf(native, tokens, budget),
    ]);
    return Uint8Array.from({ length: tokens }, (_, query) => Number(pairs.some(([own, native]) => hides(own, native, query))));
  } catch (error) {
    // A mask that could be planned by blocks may be too costly to see row by row.
    if (error instanceof InputError) {
      return error.message;
    }
    throw error;
  }
}

/** The scenarios that meet in a layer that attends, its own and the model's, each pair once; equal ones hide nothing. */
function layerPairs(scenario: Scenario, shape: ModelShape): [Scenario, Scenario][] {
  const { layers, kinds } = shape;
  const attends = (layer: number): boolean => kinds?.every((kind) => kind.heads > 0 || !kind.layers.includes(layer)) ?? true;
  const natives = layerGroups(nativeScenario(shape), layers);
  const groups = layerGroups(scenario, layers).filter(({ share }) => headsOf(share, shape.heads).length > 0);
  return groups.flatMap((own) =>
    natives
      .filter((native) => scenarioLabel(native.scenario) !== scenarioLabel(own.scenario))
      .filter((native) => native.layers.some((layer) => attends(layer) && own.layers.includes(layer)))
      .map((native): [Scenario, Scenario] => [own.scenario, native.scenario]),
  );
}

/** Whether one mask hides a key that another shows, to any of `tokens` queries. */
export function hidesShown(hiding: Mask, showing: Mask, tokens: number): boolean {
  for (let query = 0; query < tokens; query += 1) {
    if (hides(hiding, showing, query)) {
      return true;
    }
  }
  return false;
}

/** Whether `own` hides a key that `native` shows to the query. */
function hides(own: Mask, native: Mask, query: number): boolean {
  return visibleRanges(native, query).some((shown) => shown.to > shown.from && !showsAll(own, query, shown.from, shown.to));
}

/** Whether the query sees all keys `[from, to)`. */
function showsAll(mask: Mask, query: number, from: number, to: number): boolean {
  if ('sight' in mask) {
    return mask.sight({ from: query, to: query + 1 }, { from, to }) === 'all';
  }
  const { prefixEnd, start, end } = mask.visible(query);
  return to <= end && (from >= start || prefixEnd >= start || to <= prefixEnd);
}
