import { InputError, messageOf } from '../errors';
import { choiceDefinition, makeChoice, scenarioLabel, type NumberName, type ScenarioParameters } from '../scenario/scenario';
import { parseScenario, scenarioText } from '../scenario/parse';
import type { ScenarioText } from '../evaluate/experiment';

/** Values of scenario parameters that are tried, by name. A parameter that is left out has its default. */
export type ParameterLists = Partial<Record<NumberName, readonly number[]>>;

/** The scenarios of a grid, and those that cannot be, each with why. */
export interface ScenarioGrid {
  readonly scenarios: readonly ScenarioText[];
  readonly impossible: readonly { readonly scenario: string; readonly reason: string }[];
}

/**
 * Every scenario with every combination of the parameters that it takes, each once, in order.
 *
 * @param names kinds such as `sliding-window`, or scenarios with their numbers, such as `sliding-window:512`, which stay as they are
 * @throws InputError for a kind that does not exist, numbers that do not fit it, and values that no scenario here takes
 */
export function scenarioGrid(names: readonly string[], lists: ParameterLists): ScenarioGrid {
  const scenarios = new Map<string, ScenarioText>();
  const impossible: { scenario: string; reason: string }[] = [];
  const used = new Set<string>();
  for (const name of names.map((each) => each.trim())) {
    if (name.includes(':')) {
      const scenario = parseScenario(name);
      scenarios.set(scenarioLabel(scenario), scenarioText(scenario));
      continue;
    }
    const parameters = choiceDefinition(name).parameters.map((parameter) => parameter.name);
    parameters.forEach((parameter) => used.add(parameter));
    for (const values of combinations(parameters, lists)) {
      try {
        const scenario = makeChoice(name, values);
        scenarios.set(scenarioLabel(scenario), scenarioText(scenario));
      } catch (error) {
        impossible.push({ scenario: [name, ...Object.values(values)].join(':'), reason: messageOf(error) });
      }
    }
  }
  for (const [name, values] of Object.entries(lists)) {
    if (values.length > 0 && !used.has(name)) {
      throw new InputError(
        `--${name} ${values.join()} does nothing under ${names.join(', ')}; leave it out or name a scenario that takes it, without numbers of its own.`,
      );
    }
  }
  return { scenarios: [...scenarios.values()], impossible };
}

/** Every choice of one value for each parameter that has values. */
function combinations(names: readonly NumberName[], lists: ParameterLists): ScenarioParameters[] {
  return names.reduce<ScenarioParameters[]>(
    (chosen, name) => {
      const values = lists[name] ?? [];
      return values.length === 0 ? chosen : chosen.flatMap((each) => values.map((value) => ({ ...each, [name]: value })));
    },
    [{}],
  );
}
