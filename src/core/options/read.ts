import { InputError } from '../errors';
import { said } from '../l10n';
import { described } from '../text/printable';
import {
  choiceDefinition,
  choiceDefinitions,
  type ChoiceKind,
  isCycle,
  isCycleKind,
  makeChoice,
  numberParameters,
  perHead,
  perLayer,
  type ScenarioChoice,
  type ScenarioParameters,
  textParameters,
} from '../scenario/scenario';
import { type Option, type OptionValue, wordsOf } from './option';
import { optionNames, optionOf, optionTable, type SimulationOptions } from './table';

/** A single value of an option. */
type Single = string | number | boolean;

/**
 * An option's value as text, such as a flag's.
 *
 * @param what names the option in a refusal, such as `--block`
 * @throws InputError that names the option, the value and what is possible
 */
export function readText(option: { readonly value: OptionValue }, text: string, what: string): Single;
export function readText(option: Pick<Option, 'value'>, text: string, what: string): Single | readonly Single[];
export function readText({ value }: Pick<Option, 'value'>, text: string, what: string): Single | readonly Single[] {
  switch (value.type) {
    case 'list':
      return [...new Set(text.split(',').map((part) => readText({ value: value.of }, part, what)))];
    case 'choice':
      return oneOf(value.noun, text, wordsOf({ value }));
    case 'whole':
      return text === value.zero?.word ? 0 : wholeNumber(what, text, value.minimum, value.maximum, value.zero?.word) * (value.scale ?? 1);
    case 'number':
      return text === value.zero?.word ? 0 : realNumber(what, text, value);
    case 'switch':
      return oneOf(what, text, ['true', 'false']) === 'true';
    case 'text':
      if (!isOfForm(value, text)) {
        throw new InputError(`${what} of "${text}" is not possible; use ${value.form ?? 'another text'}.`);
      }
      return text;
  }
}

/**
 * An option's value as JSON has it, such as a setting's: 0 stands for what the command line has a word for.
 *
 * @param what names the option in a refusal
 * @throws InputError that names the option, the value and what is possible: a settings file may hold anything
 */
export function readValue({ value }: { readonly value: OptionValue }, given: unknown, what: string): Single {
  const refused = (fix: string): InputError => new InputError(`${what} of ${described(given)} is not possible; ${fix}.`);
  switch (value.type) {
    case 'choice': {
      const words = value.choices.map((choice) => choice.value);
      if (!words.some((word) => word === given)) {
        throw refused(said`use one of ${words.join(', ')}`);
      }
      return given as string;
    }
    case 'whole': {
      const { minimum, maximum, zero, scale = 1 } = value;
      if (given === 0 && zero !== undefined) {
        return 0;
      }
      if (typeof given !== 'number' || !Number.isInteger(given) || given < minimum || given > maximum) {
        throw refused(
          zero === undefined
            ? said`use a whole number from ${minimum} to ${maximum}`
            : said`use a whole number from ${minimum} to ${maximum}, or 0 for ${zero.meaning}`,
        );
      }
      return given * scale;
    }
    case 'number': {
      const { zero } = value;
      if (given === 0 && zero !== undefined) {
        return 0;
      }
      if (typeof given !== 'number' || !isWithin(given, value)) {
        throw refused(
          zero === undefined ? said`use a number ${rangeText(value)}` : said`use a number ${rangeText(value)}, or 0 for ${zero.meaning}`,
        );
      }
      return given;
    }
    case 'switch':
      if (typeof given !== 'boolean') {
        throw refused(said`use true or false`);
      }
      return given;
    case 'text':
      if (typeof given !== 'string' || given === '') {
        throw refused(said`give a text`);
      }
      if (!isOfForm(value, given)) {
        throw refused(`use ${value.form ?? 'another text'}`);
      }
      return given;
  }
}

/** Options by their names, as JSON has them. */
export type GivenOptions = Partial<Omit<SimulationOptions, 'scenario'>>;

/**
 * The options among the fields of an object from outside; undefined means left out.
 *
 * @param what names the object in a refusal
 * @throws InputError for a value that an option cannot have
 */
export function readOptions(fields: Readonly<Record<string, unknown>>, what: string): GivenOptions {
  const given = optionNames.filter((name) => fields[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, readValue(optionOf(name), fields[name], `${what}.${name}`)]));
}

/**
 * The fields of an object from outside.
 *
 * @param known names that it may have
 * @throws InputError for what is no object, or has a field of another name
 */
export function readFields(given: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InputError(`${what} of ${described(given)} is not possible; give an object.`);
  }
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InputError(`${what} has no ${unknown.map((name) => `"${name}"`).join(' and no ')}; leave it out.`);
  }
  return given as Readonly<Record<string, unknown>>;
}

/** M as a form, a setting or a tool has it; 0 leaves it to calibration. @throws InputError */
export function readBlockSize(given: unknown): number {
  return readValue(optionTable.blockSize, given, said`Block size`) as number;
}

/** Names of the parameters that scenarios take. */
export const parameterNames: readonly string[] = [...numberParameters, ...textParameters].map(({ name }) => name);

/** The longest text that a scenario takes from outside, in characters. */
const longestText = 10_000;

/**
 * The scenario parameters among the fields of an object from outside; their ranges are checked where a scenario is made of them.
 *
 * @throws InputError for what is no number or no text
 */
export function readParameters(fields: Readonly<Record<string, unknown>>, what: string): ScenarioParameters {
  const parameters: ScenarioParameters = {};
  for (const { name, minimum, maximum } of numberParameters) {
    const value = fields[name];
    if (value !== undefined) {
      parameters[name] = readValue({ value: { type: 'whole', minimum, maximum } }, value, `${what}.${name}`) as number;
    }
  }
  for (const { name } of textParameters) {
    const value = fields[name];
    if (value !== undefined) {
      if (typeof value !== 'string' || value === '' || value.length > longestText) {
        throw new InputError(`${what}.${name} of ${described(value)} is not possible; give a text of up to ${longestText} characters.`);
      }
      parameters[name] = value;
    }
  }
  return parameters;
}

/** A kind of scenario from outside. @throws InputError that lists them */
export function readKind(given: unknown, what: string): ChoiceKind {
  const found = choiceDefinitions.find(({ kind }) => kind === given);
  if (found === undefined) {
    throw new InputError(
      `${what} of ${described(given)} is not possible; use one of ${choiceDefinitions.map(({ kind }) => kind).join(', ')}.`,
    );
  }
  return found.kind;
}

/**
 * A scenario as an object from outside: its kind and its parameters, or `per-layer` or `per-head` with a cycle, as text or as a list of
 * scenarios. Where parts begin, which a report's scenario has, is another prompt's.
 *
 * @throws InputError for a parameter that the kind does not take, or out of its range
 */
export function readScenario(given: unknown, what: string): ScenarioChoice {
  const fields = readFields(given, ['kind', 'starts', ...parameterNames], what);
  const kind = readKind(fields.kind, `${what}.kind`);
  if (isCycleKind(kind) && Array.isArray(fields.cycle)) {
    const whose = kind === 'per-layer' ? 'layer' : 'head';
    const cycle = fields.cycle.map((layer, index) => {
      const made = readScenario(layer, `${what}.cycle.${index}`);
      if (made.kind === 'native' || isCycle(made)) {
        throw new InputError(`A cycle of ${whose}s names ${made.kind}, which is a scenario of all ${whose}s; name one for each ${whose}.`);
      }
      return made;
    });
    return kind === 'per-layer' ? perLayer(cycle) : perHead(cycle);
  }
  const parameters = readParameters(fields, what);
  checkTaken(kind, parameters);
  return makeChoice(kind, parameters);
}

/** @throws InputError for a parameter that a kind does not take */
export function checkTaken(kind: ChoiceKind, given: ScenarioParameters): void {
  const { parameters, text } = choiceDefinition(kind);
  const taken: readonly string[] = [...parameters, ...(text === undefined ? [] : [text])].map(({ name }) => name);
  for (const [name, value] of Object.entries(given)) {
    if (!taken.includes(name)) {
      throw new InputError(`${name} of ${JSON.stringify(value)} does nothing under scenario ${kind}; leave it out.`);
    }
  }
}

/** `value` as one of `choices`. @throws InputError that names the value and the choices */
function oneOf<T extends string>(what: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new InputError(`${what} "${value}" is unknown; use one of ${choices.join(', ')}.`);
  }
  return found;
}

function isOfForm({ pattern }: Extract<OptionValue, { readonly type: 'text' }>, text: string): boolean {
  return pattern === undefined || new RegExp(`^(?:${pattern})$`).test(text);
}

type NumberValue = Extract<OptionValue, { readonly type: 'number' }>;

function isWithin(number: number, { minimum, maximum }: NumberValue): boolean {
  return (minimum === undefined ? number > 0 : number >= minimum) && number <= maximum;
}

function rangeText({ minimum, maximum }: NumberValue): string {
  return minimum === undefined ? said`above 0 and up to ${maximum}` : said`from ${minimum} to ${maximum}`;
}

function realNumber(what: string, value: string, range: NumberValue): number {
  // No hexadecimal, which `Number` reads too.
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : NaN;
  if (!isWithin(number, range)) {
    throw new InputError(
      range.zero === undefined
        ? `${what} of "${value}" is not possible; use a number ${rangeText(range)}.`
        : `${what} of "${value}" is not possible; use a number ${rangeText(range)}, or ${range.zero.word}.`,
    );
  }
  return number;
}

/**
 * `value` as a whole number within limits.
 *
 * @param otherwise what else is possible, such as `auto`
 * @throws InputError that names the option, the value and the limits
 */
function wholeNumber(what: string, value: string, minimum: number, maximum: number, otherwise?: string): number {
  const number = /^[+-]?\d+$/.test(value.trim()) ? Number(value) : NaN;
  if (!Number.isInteger(number) || number < minimum || number > maximum) {
    throw new InputError(
      otherwise === undefined
        ? `${what} of "${value}" is not possible; use a whole number from ${minimum} to ${maximum}.`
        : `${what} of "${value}" is not possible; use a whole number from ${minimum} to ${maximum}, or ${otherwise}.`,
    );
  }
  return number;
}
