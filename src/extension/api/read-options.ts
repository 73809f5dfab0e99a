import { InputError } from '../../core/errors';
import { described } from '../../core/text/printable';
import { readFields, readOptions, readScenario } from '../../core/options/read';
import { optionNames, type SimulationOptions } from '../../core/options/table';
import type { ScenarioChoice } from '../../core/scenario/scenario';

/** A validated request: the prompt's name and the options of the simulation. */
interface ReadOptions {
  readonly path: string;
  readonly options: SimulationOptions;
}

/** Limits: characters of a prompt's name, and scenarios in one comparison. */
const longestPath = 1024;
const mostScenarios = 16;

/** Validates `LabOptions` from another extension. @param defaults for omitted fields @throws InputError */
export function readLabOptions(given: unknown, defaults: SimulationOptions): ReadOptions {
  const fields = readFields(given ?? {}, ['path', 'scenario', ...optionNames], 'options');
  return readRest(
    fields,
    fields.scenario === undefined ? defaults : { ...defaults, scenario: readScenario(fields.scenario, 'options.scenario') },
  );
}

/** Validates `CompareOptions`. @returns also the scenarios, undefined if none are named @throws InputError */
export function readCompareOptions(
  given: unknown,
  defaults: SimulationOptions,
): ReadOptions & { readonly scenarios: readonly ScenarioChoice[] | undefined } {
  const fields = readFields(given ?? {}, ['path', 'scenarios', ...optionNames], 'options');
  return { ...readRest(fields, defaults), scenarios: fields.scenarios === undefined ? undefined : scenariosOf(fields.scenarios) };
}

function scenariosOf(given: unknown): readonly ScenarioChoice[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > mostScenarios) {
    throw new InputError(`options.scenarios of ${described(given)} is not possible; give from 1 to ${mostScenarios} scenarios.`);
  }
  return given.map((scenario, index) => readScenario(scenario, `options.scenarios.${index}`));
}

function readRest(fields: Readonly<Record<string, unknown>>, defaults: SimulationOptions): ReadOptions {
  const { path = 'text' } = fields;
  if (typeof path !== 'string' || path === '' || path.length > longestPath) {
    throw new InputError(`options.path of ${described(path)} is not possible; give a name of up to ${longestPath} characters.`);
  }
  return { path, options: { ...defaults, ...readOptions(fields, 'options') } };
}
