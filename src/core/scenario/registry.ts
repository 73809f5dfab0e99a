import { InputError } from '../errors';
import { quoted } from '../text/printable';
import { adaptive } from './adaptive';
import { attentionSink } from './attention-sink';
import { averageCase } from './average-case';
import { causal } from './causal';
import { custom } from './custom';
import type { NumberParameter, ScenarioDefinition, TextParameter } from './definition';
import { full } from './full';
import { localWindow } from './local-window';
import { slidingWindow } from './sliding-window';
import { topK } from './top-k';

/** Every scenario of a layer, in menu order. A new one needs its own file and a line here. */
const definitions = [full, causal, slidingWindow, attentionSink, localWindow, averageCase, topK, adaptive, custom] as const;

type ScenarioOf<D> = D extends ScenarioDefinition<infer S extends { readonly kind: string }> ? S : never;

/** A masking scenario of one layer, or of all layers alike: its kind and its parameters, plain data. */
export type LayerScenario = ScenarioOf<(typeof definitions)[number]>;
export type ScenarioKind = LayerScenario['kind'];

type FieldsOf<S, Value> = S extends unknown
  ? { [K in Exclude<keyof S, 'kind'>]: S[K] extends Value ? K : never }[Exclude<keyof S, 'kind'>]
  : never;

/** The name of a numeric parameter of any scenario. */
export type NumberName = FieldsOf<LayerScenario, number>;
/** The name of a text parameter of any scenario: a mask's expression, or the cycle of layers. */
export type TextName = FieldsOf<LayerScenario, string> | 'cycle';
/** Scenario parameters by name, as a form or a command line collects them before the kind is known. */
export type ScenarioParameters = { -readonly [K in NumberName]?: number } & { -readonly [K in TextName]?: string };

/** The definition of any layer's scenario. */
export type LayerDefinition = Omit<ScenarioDefinition<LayerScenario>, 'parameters' | 'text'> & {
  readonly parameters: readonly NumberParameter<NumberName>[];
  readonly text?: TextParameter<TextName>;
};

// Safe: definitions are looked up by a scenario's kind, so each receives only its own.
export const layerDefinitions = definitions as unknown as readonly LayerDefinition[];

export const scenarioKinds: readonly ScenarioKind[] = layerDefinitions.map(({ kind }) => kind);

/** The scenarios that comparisons run by default: all except custom masks. */
export const standardKinds: readonly ScenarioKind[] = layerDefinitions.filter(({ written }) => written !== true).map(({ kind }) => kind);

/** The kinds that are compared where `chosen` is the choice in force: the standard ones, and a mask that the user wrote. */
export function comparedKinds(chosen: string): readonly ScenarioKind[] {
  return layerDefinitions.filter(({ kind, written }) => written !== true || kind === chosen).map(({ kind }) => kind);
}

/** The scenarios that sample keys. */
export const sampledKinds: readonly ScenarioKind[] = layerDefinitions
  .filter(({ sampleSeed }) => sampleSeed !== undefined)
  .map(({ kind }) => kind);

/** Every numeric parameter of the scenarios, without duplicates. */
export const numberParameters: readonly NumberParameter<NumberName>[] = [
  ...new Map(layerDefinitions.flatMap(({ parameters }) => parameters).map((parameter) => [parameter.name, parameter])).values(),
];

/** The definition of a kind. @throws InputError for a kind that does not exist */
export function definitionOf(kind: string): LayerDefinition {
  const found = layerDefinitions.find((definition) => definition.kind === kind);
  if (found === undefined) {
    throw new InputError(`Scenario ${quoted(kind)} is unknown; use one of ${scenarioKinds.join(', ')}.`);
  }
  return found;
}

/**
 * Builds a scenario of a kind from loose parameters, with defaults for omitted ones.
 *
 * Parameters of other scenarios are ignored, so that one set of parameters can serve a comparison of many.
 * @throws InputError for an unknown kind, or a parameter out of its range
 */
export function makeScenario(kind: string, given: ScenarioParameters = {}): LayerScenario {
  const definition = definitionOf(kind);
  const values: Record<string, number | string> = {};
  if (definition.text !== undefined) {
    values[definition.text.name] = (given[definition.text.name] ?? definition.text.default).trim();
  }
  for (const { name, title, minimum, maximum, default: standard } of definition.parameters) {
    const value = given[name] ?? standard;
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new InputError(`${title} of ${value} is out of range; use a whole number from ${minimum} to ${maximum}.`);
    }
    values[name] = value;
  }
  const scenario = { kind: definition.kind, ...values } as LayerScenario;
  const complaint = definition.complaint?.(scenario);
  if (complaint !== undefined) {
    throw new InputError(`${definition.title}: ${complaint}.`);
  }
  return scenario;
}
