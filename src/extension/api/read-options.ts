import { z } from 'zod';
import { constructions } from '../../core/construct/construction';
import { InputError } from '../../core/errors';
import { providers, type SimulationOptions, verifications } from '../../core/options/options';
import { maximumTokens } from '../../core/plan/partition';
import { choiceDefinition, choiceDefinitions, makeChoice, perLayer, type ScenarioChoice } from '../../core/scenario/scenario';

/** A whole number within limits; a refusal names them. */
export function whole(minimum: number, maximum: number): z.ZodInt {
  const error = `use a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** One of a few words; a refusal lists them. */
export function word<const T extends readonly string[]>(words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: `use one of ${words.join(', ')}` });
}

/** Text of at least one character. @param fix what a refusal says to do */
export function line(fix: string): z.ZodString {
  return z.string({ error: fix }).min(1, { error: fix });
}

/** A switch. */
export const flag = z.boolean({ error: 'use true or false' });

/**
 * A value from outside, held to a schema whose messages say what to do.
 *
 * @param what names the value in a refusal
 * @throws InputError: one line with the place, the value and the fix
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const place = [what, ...issue.path.map(String)].join('.');
  if (issue.code === 'unrecognized_keys') {
    throw new InputError(`${place} has no ${issue.keys.map((key) => `"${key}"`).join(' and no ')}; leave it out.`);
  }
  throw new InputError(`${place} of ${shown(valueAt(value, issue.path))} is not possible; ${issue.message}.`);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

/** A value in a few words: anything may come from outside, of any size. */
function shown(value: unknown): string {
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? 'a list'
        : typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** `T` without undefined in what may be left out. */
export type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An object without the keys that hold undefined: left out and undefined mean the same from outside. */
export function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
}

const number = whole(0, 100_000_000).optional();

/** Parameters of scenarios by name, as an option or a tool may give them. */
export const parameterShape = {
  window: number,
  sinks: number,
  seed: whole(0, 2 ** 32 - 1).optional(),
  expression: line('give an expression in q, k and n').max(10_000).optional(),
};

const kinds = choiceDefinitions.map(({ kind }) => kind);
const layer = z.strictObject({ kind: word(kinds), ...parameterShape });
const cycle = z.strictObject({
  kind: z.literal('per-layer'),
  cycle: z.array(layer).min(1, { error: 'give from 1 to 1024 scenarios' }).max(1024, { error: 'give from 1 to 1024 scenarios' }),
});

/** A scenario as `LabScenario` has it. */
export const scenarioSchema = z.discriminatedUnion('kind', [layer, cycle], { error: `use one of ${[...kinds, 'per-layer'].join(', ')}` });

/** @throws InputError for a parameter that the kind does not take, or out of its range */
export function scenarioFrom(scenario: z.infer<typeof scenarioSchema>): ScenarioChoice {
  if (scenario.kind !== 'per-layer') {
    return layerFrom(scenario);
  }
  return perLayer(
    scenario.cycle.map((each) => {
      const made = layerFrom(each);
      if (made.kind === 'native') {
        throw new InputError('A cycle of layers names native, which is a scenario of all layers; name one for each layer.');
      }
      return made;
    }),
  );
}

function layerFrom({ kind, ...parts }: z.infer<typeof layer>): Exclude<ScenarioChoice, { kind: 'per-layer' }> {
  const given = defined(parts);
  const { parameters, text } = choiceDefinition(kind);
  const taken: readonly string[] = [...parameters.map(({ name }) => name), ...(text === undefined ? [] : [text.name])];
  for (const [name, value] of Object.entries(given)) {
    if (!taken.includes(name)) {
      throw new InputError(`${name} of ${JSON.stringify(value)} does nothing under scenario ${kind}; leave it out.`);
    }
  }
  return makeChoice(kind, given);
}

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
