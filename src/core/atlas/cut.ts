import { InputError } from '../errors';
import { isSampled, layerGroups, maskOf, type Scenario, scenarioLabel, StepBudget } from '../scenario/scenario';
import { hidesShown } from '../scenario/touched';
import { type ModelShape, nativeScenario } from '../shapes';
import type { CutRequest } from './gatherer';

/**
 * Which layers a scenario cuts something off in.
 *
 * @param tokens N
 * @throws InputError for a scenario whose cut is not a part of the model's own attention: one that samples keys, or that hides some pairs and
 * shows others that the model itself hides
 */
export function cutRequest(scenario: Scenario, shape: ModelShape, tokens: number): CutRequest {
  if (isSampled(scenario)) {
    throw new InputError(
      `Scenario ${scenarioLabel(scenario)} samples keys, so that no mask says which are cut off; choose one that hides keys, such as sliding-window.`,
    );
  }
  const hides = new Array<boolean>(shape.layers).fill(false);
  const budget = new StepBudget();
  for (const own of layerGroups(scenario, shape.layers)) {
    for (const native of layerGroups(nativeScenario(shape), shape.layers)) {
      const layers = own.layers.filter((layer) => native.layers.includes(layer));
      if (layers.length === 0 || scenarioLabel(own.scenario) === scenarioLabel(native.scenario)) {
        continue;
      }
      const [mask, shown] = [own.scenario, native.scenario].map((each) => maskOf(each, tokens, budget));
      const cuts = hidesShown(mask, shown, tokens);
      if (cuts && hidesShown(shown, mask, tokens)) {
        throw new InputError(
          `Scenario ${scenarioLabel(own.scenario)} hides some pairs of layer ${layers[0] + 1} and shows others that the model's own ${scenarioLabel(native.scenario)} attention hides, so what it cuts off is no part of that; choose one that only hides, such as sliding-window.`,
        );
      }
      layers.forEach((layer) => (hides[layer] = cuts));
    }
  }
  return { scenario, hides };
}
