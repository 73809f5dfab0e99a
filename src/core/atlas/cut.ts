import { InputError } from '../errors';
import {
  bothOf,
  isSampled,
  layerGroups,
  type LayerScenario,
  maskOf,
  ofLayers,
  type Scenario,
  scenarioLabel,
  StepBudget,
  tileRuleOf,
} from '../scenario/scenario';
import { hidesShown } from '../scenario/touched';
import { type ModelShape, nativeScenario } from '../shapes';

/** What a scenario leaves of a model's own attention. */
export interface CutRequest {
  readonly scenario: Scenario;
  /** By layer, whether it hides anything that the layer's own attention shows. */
  readonly hides: readonly boolean[];
  /** The pairs that both show: what is cut off is all else. */
  readonly left: Scenario;
}

/**
 * What a scenario cuts off, layer by layer. Where it hides some pairs and shows others that the model itself hides, what is left is a mask
 * written from both.
 *
 * @param tokens N
 * @throws InputError for a scenario that samples keys or chooses tiles, for masks by head, and for masks that cost too much to look at
 */
export function cutRequest(scenario: Scenario, shape: ModelShape, tokens: number): CutRequest {
  if (isSampled(scenario)) {
    throw new InputError(
      `Scenario ${scenarioLabel(scenario)} samples keys, so that no mask says which are cut off; choose one that hides keys, such as sliding-window.`,
    );
  }
  if (tileRuleOf(scenario) !== undefined) {
    throw new InputError(
      `Scenario ${scenarioLabel(scenario)} chooses its tiles in the run, so that no mask says what it cuts off; choose one that hides keys, such as sliding-window.`,
    );
  }
  if (scenario.kind === 'per-head') {
    throw new InputError(
      `Scenario ${scenarioLabel(scenario)} has a mask for each head, and an atlas tells what the mask of a layer cuts off; choose one of its cycle.`,
    );
  }
  const hides = new Array<boolean>(shape.layers).fill(false);
  const left: LayerScenario[] = [];
  const budget = new StepBudget();
  for (const own of layerGroups(scenario, shape.layers)) {
    for (const native of layerGroups(nativeScenario(shape), shape.layers)) {
      const layers = own.layers.filter((layer) => native.layers.includes(layer));
      const both = layers.length === 0 ? undefined : leftOf(own.scenario, native.scenario, tokens, budget);
      for (const layer of layers) {
        hides[layer] = both !== undefined;
        left[layer] = both ?? native.scenario;
      }
    }
  }
  return { scenario, hides, left: ofLayers(left) };
}

/** What both show, where the scenario hides something. */
function leftOf(scenario: LayerScenario, native: LayerScenario, tokens: number, budget: StepBudget): LayerScenario | undefined {
  if (scenarioLabel(scenario) === scenarioLabel(native)) {
    return undefined;
  }
  const [mask, shown] = [scenario, native].map((each) => maskOf(each, tokens, budget));
  if (!hidesShown(mask, shown, tokens)) {
    return undefined;
  }
  return hidesShown(shown, mask, tokens) ? bothOf(scenario, native) : scenario;
}
