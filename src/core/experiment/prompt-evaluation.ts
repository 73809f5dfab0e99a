import { scenarioLabel, type LayerScenario, type NativeScenario, type Scenario, type ScenarioChoice } from '../scenario/scenario';
import { scenarioText } from '../scenario/parse';
import type { SimulationOptions } from '../options/options';
import { defaultExperiment, defaultNeedleGrid, windowsOf, type Experiment, type ScenarioText } from '../evaluate/experiment';

/** What an evaluation of one prompt takes from the options in force. */
export type EvaluationOptions = Pick<
  SimulationOptions,
  'model' | 'construction' | 'provider' | 'threads' | 'executor' | 'precision' | 'blockSize'
>;

/**
 * The experiment that evaluates the prompt in front: the scenario in force first, then others to hold it against.
 *
 * @param others scenarios that the prompt can have under these options
 * @param tokens N, which limits the contexts of needles
 */
export function promptEvaluation(
  path: string,
  chosen: ScenarioChoice,
  others: readonly Scenario[],
  { blockSize, ...options }: EvaluationOptions,
  needle: { readonly tokens: number } | null,
): Experiment {
  const scenarios = new Map([chosen, ...others].map((scenario): [string, ScenarioText] => [scenarioLabel(scenario), textOf(scenario)]));
  return {
    ...defaultExperiment,
    ...options,
    prompts: [path],
    scenarios: [...scenarios.values()],
    blocks: [blockSize],
    needle: needle === null ? null : defaultNeedleGrid(Math.min(windowsOf(defaultExperiment).context, needle.tokens)),
  };
}

function textOf(scenario: ScenarioChoice): ScenarioText {
  const single = (layer: LayerScenario | NativeScenario): string => scenarioText(layer);
  return scenario.kind === 'per-layer' ? scenario.cycle.map(single) : single(scenario);
}
