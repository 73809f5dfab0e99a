import { type Command as Program, Option as Flag } from 'commander';
import { InputError } from '../core/errors';
import { readText } from '../core/options/read';
import { type Option, type OptionTable, type ValuesOf, zeroOf } from '../core/options/option';
import { defaultOptions, optionTable, type SimulationOptions } from '../core/options/table';
import {
  choiceDefinitions,
  type ChoiceKind,
  isCycleKind,
  kindsWith,
  makeChoice,
  numberParameters,
  partsOf,
  sampledKinds,
  type ScenarioChoice,
  type ScenarioParameters,
  textParameters,
} from '../core/scenario/scenario';
import type { Given, Io } from './io';

/** A command of the command line. */
export interface Command {
  /** Its name and its arguments, such as `plan <file>`. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** By flags that it does not have and others might expect: what to use instead, as a clause. */
  readonly instead?: Readonly<Record<string, string>>;
  /** @throws InputError, CancelledError, or any error of a run that fails */
  run(args: readonly string[], given: Given, io: Io): Promise<void> | void;
}

/** Adds a flag with its help for every option. */
export function addFlags(program: Program, options: readonly Option[]): void {
  options.forEach((option) => program.addOption(flagOf(option)));
}

/** The flags that a command was given. */
export function givenFlags(program: Program, options: readonly Option[]): Given {
  const values = program.opts<Record<string, Given[string]>>();
  return Object.fromEntries(options.map((option) => [option.flag, values[flagOf(option).attributeName()]]));
}

/** The values of a table's options: what was given, and else their defaults. @throws InputError that names the flag, the value and the fix */
export function valuesOf<T extends OptionTable>(table: T, given: Given): ValuesOf<T> {
  const read = Object.entries(table).map(([name, option]) => [name, readGiven(option, given) ?? option.default]);
  return Object.fromEntries(read) as ValuesOf<T>;
}

/** An option's value, where it was given. @throws InputError */
export function readGiven(option: Option, given: Given): string | number | boolean | readonly (string | number | boolean)[] | undefined {
  const value = given[option.flag];
  return typeof value === 'string' ? readText(option, value, `--${option.flag}`) : value;
}

/** A flag's text, where it was given. */
export function textGiven({ flag }: Option, given: Given): string | undefined {
  const value = given[flag];
  return typeof value === 'string' ? value : undefined;
}

function flagOf(option: Option): Flag {
  const { flag, symbol, value, required, repeatable } = option;
  const name = value.type !== 'switch' ? `--${flag} <${symbol ?? 'value'}>` : option.default === true ? `--no-${flag}` : `--${flag}`;
  const made = new Flag(name, helpOf(option));
  if (repeatable === true) {
    made.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  } else if (value.type !== 'switch') {
    made.argParser((text: string, before: string | undefined) => {
      if (before !== undefined) {
        throw new InputError(`--${flag} is given twice, ${before} and ${text}, of which only the last would count; give it once.`);
      }
      return text;
    });
  }
  return required === true ? made.makeOptionMandatory() : made;
}

/** What help says of an option: what it is, the words it can be, what they stand for, and its default. */
function helpOf(option: Option): string {
  const { description, value, default: standard } = option;
  const zero = zeroOf(option);
  const words = [
    (value.type === 'switch' && standard === true && value.off) || description,
    ...(value.type === 'choice' ? [`One of ${value.choices.map((choice) => choice.value).join(', ')}.`] : []),
    ...(zero === undefined ? [] : [`${zero.word}: ${zero.meaning}.`]),
    ...(value.type === 'switch' || standard === undefined
      ? []
      : [`(default: ${standard === 0 && zero !== undefined ? zero.word : visibleText(standard)})`]),
  ];
  return words.join(' ').replaceAll('`', '');
}

/** A default as help shows it: in quotation marks where white space would be lost. */
function visibleText(value: NonNullable<Option['default']>): string {
  const text = String(value);
  return /^\s|\s$|\n/.test(text) ? JSON.stringify(text) : text;
}

/** The flag that chooses one scenario. */
const scenarioOption: Option = {
  flag: 'scenario',
  symbol: 'kind',
  description: 'Masking scenario: which tokens each token sees.',
  value: {
    type: 'choice',
    noun: 'Scenario',
    choices: choiceDefinitions.map(({ kind, description }) => ({ value: kind, description })),
  },
  default: defaultOptions.scenario.kind,
};

/** Flags of the numbers that scenarios take. */
export const numberOptions: readonly Option[] = numberParameters.map(
  ({ name, symbol, description, minimum, maximum, default: standard }) => ({
    flag: name,
    symbol,
    description: `${description} Of ${kindsWith(name).join(', ')}.`,
    value: { type: 'whole', minimum, maximum },
    default: standard,
  }),
);

/** Flags of the texts that scenarios take. */
export const textOptions: readonly Option[] = textParameters.map(({ name, flag, symbol, description, default: standard }) => ({
  flag,
  symbol,
  description: `${description} Of ${kindsWith(name).join(', ')}, such as ${standard}.`,
  value: { type: 'text' },
}));

/** Flags that choose a scenario with its parameters. */
export const scenarioOptions: readonly Option[] = [scenarioOption, ...textOptions, ...numberOptions];

/** Flags of every simulation besides its scenario. */
export const commonOptions: readonly Option[] = Object.values(optionTable);

/** What scenarios take, by flag. */
const parameterFlags: readonly { readonly name: keyof ScenarioParameters; readonly flag: string }[] = [
  ...numberParameters.map(({ name }) => ({ name, flag: name })),
  ...textParameters,
];

/** Options of a simulation from flags. @throws InputError that names the flag, the value and the fix */
export function optionsFrom(given: Given): SimulationOptions {
  const kind = (readGiven(scenarioOption, given) ?? defaultOptions.scenario.kind) as ChoiceKind;
  const refuseUnless = (flag: string, kinds: readonly ChoiceKind[]): void => {
    if (given[flag] !== undefined && !kinds.includes(kind)) {
      throw new InputError(`${flagText(flag, given)} does nothing under scenario ${kind}; leave it out or choose ${kinds.join(' or ')}.`);
    }
  };
  parameterFlags.forEach(({ name, flag }) => refuseUnless(flag, kindsWith(name)));
  commonOptions.filter(({ sampled }) => sampled).forEach(({ flag }) => refuseUnless(flag, sampledKinds));
  const values = valuesOf(optionTable, given);
  refuseIdle(commonOptions, given, values);
  const scenario = choiceFrom(kind, given);
  refuseIdleSeparator(given, [scenario], values);
  return { ...values, scenario };
}

/** Refuses a separator where no scenario counts documents, and positions do not begin again in them. @throws InputError */
export function refuseIdleSeparator(
  given: Given,
  scenarios: readonly ScenarioChoice[],
  { resetPositions }: Pick<SimulationOptions, 'resetPositions'>,
): void {
  const { flag } = optionTable.separator;
  if (given[flag] !== undefined && !resetPositions && !scenarios.some((scenario) => partsOf(scenario).includes('doc'))) {
    throw new InputError(
      `${flagText(flag, given)} does nothing where no mask counts documents; leave it out, write doc(q) in --mask, or add --${optionTable.resetPositions.flag}.`,
    );
  }
}

/**
 * Refuses flags of what is off.
 *
 * @param options that a command takes
 * @throws InputError that names the flag and what is off
 */
export function refuseIdle(
  options: readonly Option[],
  given: Given,
  { quality, verify }: Pick<SimulationOptions, 'quality'> & Partial<Pick<SimulationOptions, 'verify'>>,
): void {
  const off = [...(quality ? [] : ['quality']), ...(verify === 'none' ? ['verification'] : [])];
  const idle = options.find(({ flag, of }) => of !== undefined && off.includes(of) && given[flag] !== undefined);
  if (idle !== undefined) {
    const switchedOff = given[optionTable.quality.flag] === false ? `--no-${optionTable.quality.flag}` : 'the experiment';
    const by = idle.of === 'quality' ? switchedOff : `--${optionTable.verify.flag} none`;
    throw new InputError(`${flagText(idle.flag, given)} does nothing without ${idle.of}, which ${by} turns off; leave out one of the two.`);
  }
}

/** A flag as the user gave it, for refusals. */
export function flagText(flag: string, given: Given): string {
  const value = String(given[flag]);
  return `--${flag} ${/\s/.test(value) ? `"${value}"` : value}`;
}

/** A scenario of this kind with the parameters that were given. @throws InputError */
export function choiceFrom(kind: string, given: Given): ScenarioChoice {
  const parameters = parametersFrom(given);
  if (isCycleKind(kind) && parameters.cycle === undefined) {
    const [{ default: example }] = textParameters.filter(({ name }) => name === 'cycle');
    throw new InputError(
      `Scenario "${kind}" needs the scenarios of its ${kind === 'per-layer' ? 'layers' : 'heads'}; give them with --cycle ${example}.`,
    );
  }
  return makeChoice(kind, parameters);
}

/** The scenario parameters among the flags. @throws InputError */
function parametersFrom(given: Given): ScenarioParameters {
  const values = [...numberOptions, ...textOptions].map((option) => readGiven(option, given));
  return Object.fromEntries(
    parameterFlags.map(({ name }, index) => [name, values[index]] as const).filter(([, value]) => value !== undefined),
  );
}
