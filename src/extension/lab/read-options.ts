import { z } from 'zod';
import { constructions } from '../../core/construct/construction';
import type { ScenarioChoice } from '../../core/scenario/scenario';
import { providers, verifications, type SimulationOptions } from '../../core/options/options';
import { maximumTokens } from '../../core/plan/partition';
import { checked, defined, flag, line, whole, word } from '../api/read-options';
import { scenarioFrom, scenarioSchema } from './read-scenario';

const shape = {
  path: line('give a name of up to 1024 characters').max(1024, { error: 'give a name of up to 1024 characters' }).optional(),
  blockSize: whole(2, maximumTokens).optional(),
  construction: word(constructions).optional(),
  oracleLayers: whole(1, 1024).optional(),
  oracleHeads: whole(1, 4096).optional(),
  model: line('give a model that ships with Two Heads or the path of a folder').optional(),
  provider: word(providers).optional(),
  threads: whole(0, 1024).optional(),
  verify: word(verifications).optional(),
  quality: flag.optional(),
  maxTokens: whole(0, maximumTokens).optional(),
};
const labOptions = z.strictObject({ ...shape, scenario: scenarioSchema.optional() }, { error: 'give an object of options' });
const compareOptions = z.strictObject(
  {
    ...shape,
    scenarios: z
      .array(scenarioSchema, { error: 'give a list of scenarios' })
      .min(1, { error: 'give from 1 to 16 scenarios' })
      .max(16, { error: 'give from 1 to 16 scenarios' })
      .optional(),
  },
  { error: 'give an object of options' },
);

/** What is run: the name of the prompt and the options of the simulation. */
export interface ReadOptions {
  readonly path: string;
  readonly options: SimulationOptions;
}

/** Reads `LabOptions` that came from another extension. @param defaults for what they leave out @throws InputError */
export function readLabOptions(given: unknown, defaults: SimulationOptions): ReadOptions {
  const { scenario, ...rest } = checked(labOptions, given ?? {}, 'options');
  return readRest(rest, scenario === undefined ? defaults : { ...defaults, scenario: scenarioFrom(scenario) });
}

/** Reads `CompareOptions`. @returns also the scenarios, undefined where none are named @throws InputError */
export function readCompareOptions(
  given: unknown,
  defaults: SimulationOptions,
): ReadOptions & { readonly scenarios: readonly ScenarioChoice[] | undefined } {
  const { scenarios, ...rest } = checked(compareOptions, given ?? {}, 'options');
  return { ...readRest(rest, defaults), scenarios: scenarios?.map(scenarioFrom) };
}

function readRest({ path = 'text', ...given }: z.infer<z.ZodObject<typeof shape>>, defaults: SimulationOptions): ReadOptions {
  return { path, options: { ...defaults, ...defined(given) } };
}
