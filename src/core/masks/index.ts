import { InputError } from '../errors';
import { attentionSink, type AttentionSinkScenario } from './attention-sink';
import { averageCase, type AverageCaseScenario } from './average-case';
import { causal, type CausalScenario } from './causal';
import { full, type FullScenario } from './full';
import type { Mask, MaskDefinition } from './mask';
import { slidingWindow, type SlidingWindowScenario } from './sliding-window';

export type { Mask, MaskDefinition, ScenarioParameter, VisibleKeys } from './mask';

/** A masking scenario as a value: its kind and its parameters, plain data. */
export type Scenario =
  | FullScenario
  | CausalScenario
  | SlidingWindowScenario
  | AttentionSinkScenario
  | AverageCaseScenario;

export type ScenarioKind = Scenario['kind'];
/** Any scenario parameter by name, as a form or a command line collects them before the kind is known. */
export type ScenarioParameters = Partial<Record<'window' | 'sinks' | 'seed', number>>;

/** Every scenario, in the order in which menus show them. */
export const maskDefinitions = [full, causal, slidingWindow, attentionSink, averageCase] as const;

export const scenarioKinds: readonly ScenarioKind[] = maskDefinitions.map((definition) => definition.kind);

/** The definition of a kind. @throws InputError for a kind that does not exist */
export function maskDefinition(kind: string): MaskDefinition<Scenario> {
  const found = maskDefinitions.find((definition) => definition.kind === kind);
  if (found === undefined) {
    throw new InputError(`Scenario "${kind}" is unknown; use one of ${scenarioKinds.join(', ')}.`);
  }
  // Each definition only ever meets scenarios of its own kind: `maskOf` and `makeScenario` look it up by kind.
  return found as unknown as MaskDefinition<Scenario>;
}

/**
 * Builds a scenario of a kind from loose parameters, with defaults for those left out.
 *
 * Parameters of other scenarios are left aside, so one set of parameters can serve a comparison of many.
 * @throws InputError for an unknown kind, or a parameter out of its range
 */
export function makeScenario(kind: string, parameters: ScenarioParameters = {}): Scenario {
  const definition = maskDefinition(kind);
  const values: Record<string, number> = {};
  for (const parameter of definition.parameters as MaskDefinition<AttentionSinkScenario>['parameters']) {
    const value = parameters[parameter.name] ?? parameter.default;
    if (!Number.isInteger(value) || value < parameter.minimum || value > parameter.maximum) {
      throw new InputError(
        `${parameter.title} of ${value} is out of range; use a whole number from ${parameter.minimum} to ${parameter.maximum}.`,
      );
    }
    values[parameter.name] = value;
  }
  const scenario = { kind: definition.kind, ...values } as Scenario;
  const complaint = definition.complaint?.(scenario);
  if (complaint !== undefined) {
    throw new InputError(`${definition.title}: ${complaint}.`);
  }
  return scenario;
}

/** The mask of a scenario over a sequence of `tokens` tokens. */
export function maskOf(scenario: Scenario, tokens: number): Mask {
  return maskDefinition(scenario.kind).mask(scenario, tokens);
}

/** A scenario in words, such as `sliding-window(window 512)`. */
export function scenarioLabel(scenario: Scenario): string {
  const { kind, ...parameters } = scenario;
  const values = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return values.length === 0 ? kind : `${kind}(${values.join(', ')})`;
}
