import { type AdviseOptions, adviseTable, adviseToolNames } from '../advise/options';
import type { WantedScenarios } from '../compare/sort-scenarios';
import { InputError } from '../errors';
import { described } from '../text/printable';
import {
  checkTaken,
  type GivenOptions,
  parameterNames,
  readBlockSize,
  readFields,
  readKind,
  readOptions,
  readParameters,
  readValue,
} from './read';
import { toolOptionNames } from './table';
import { type ChoiceKind, makeChoice, type ScenarioChoice, type ScenarioParameters, standardKinds } from '../scenario/scenario';

/** What stands for fields that are left out. */
export interface ToolDefaults {
  readonly kind: ChoiceKind;
  readonly parameters: ScenarioParameters;
  /** M. */
  readonly blockSize: number;
}

/** A validated request to plan or run a prompt. */
export interface ToolRequest {
  /** The text itself, or the path of its file. */
  readonly source: { readonly file: string } | { readonly text: string };
  /** The given options; the user's settings supply the rest. */
  readonly options: GivenOptions;
}

const shared = ['file', 'text', ...parameterNames, ...toolOptionNames];

/**
 * Validates the input of the tools that take one scenario. @param choice of the user, for omitted fields @throws
 * InputError
 */
export function readPromptInput(given: unknown, choice: ToolDefaults): ToolRequest & { readonly scenario: ScenarioChoice } {
  const fields = readFields(given, ['scenario', ...shared], 'input');
  const kind = fields.scenario === undefined ? choice.kind : readKind(fields.scenario, 'input.scenario');
  const parameters = readParameters(fields, 'input');
  // Given parameters must belong to the kind; the user's own may belong to other kinds.
  checkTaken(kind, parameters);
  return { ...requestOf(fields, choice), scenario: makeChoice(kind, { ...choice.parameters, ...parameters }) };
}

/** Validates the input of `compare_scenarios`. @throws InputError */
export function readCompareInput(given: unknown, choice: ToolDefaults): ToolRequest & { readonly wanted: WantedScenarios } {
  const fields = readFields(given, ['scenarios', ...shared], 'input');
  const parameters = { ...choice.parameters, ...readParameters(fields, 'input') };
  const named = fields.scenarios;
  if (named !== undefined && (!Array.isArray(named) || named.length === 0)) {
    throw new InputError(`input.scenarios of ${described(named)} is not possible; name a scenario.`);
  }
  const kinds = named === undefined ? standardKinds : named.map((kind, index) => readKind(kind, `input.scenarios.${index}`));
  if (new Set(kinds).size !== kinds.length) {
    throw new InputError(`input.scenarios names one scenario twice (${kinds.join(', ')}); name each once.`);
  }
  return {
    ...requestOf(fields, choice),
    wanted: { scenarios: kinds.map((kind) => makeChoice(kind, parameters)), named: named !== undefined },
  };
}

/** Validates the input of `advise_prompt`. @throws InputError */
export function readAdviseInput(given: unknown): Pick<ToolRequest, 'source'> & {
  readonly options: Partial<AdviseOptions> & Pick<AdviseOptions, 'maxKl'>;
} {
  const fields = readFields(given, ['file', 'text', ...adviseToolNames], 'input');
  if (fields.maxKl === undefined) {
    throw new InputError('input has no maxKl; give the mean KL divergence that the mask may cause, such as 0.02.');
  }
  const named = adviseToolNames.filter((name) => fields[name] !== undefined);
  const values = named.map((name) => [name, readValue(adviseTable[name], fields[name], `input.${name}`)]);
  return { source: sourceOf(fields), options: Object.fromEntries(values) as Partial<AdviseOptions> & Pick<AdviseOptions, 'maxKl'> };
}

/** Validates the input of `run_experiment`. @returns the path of its file @throws InputError */
export function readExperimentInput(given: unknown): string {
  const { file } = readFields(given, ['file'], 'input');
  if (file === undefined) {
    throw new InputError('input has no file; give the path of an experiment file in the workspace, such as masks.two-heads.json.');
  }
  return textOf('file', file);
}

function requestOf(fields: Readonly<Record<string, unknown>>, choice: ToolDefaults): ToolRequest {
  return { source: sourceOf(fields), options: { blockSize: readBlockSize(choice.blockSize), ...readOptions(fields, 'input') } };
}

function sourceOf({ file, text }: Readonly<Record<string, unknown>>): ToolRequest['source'] {
  if ((file === undefined) === (text === undefined)) {
    throw new InputError(`input has ${file === undefined ? 'neither' : 'both'} file and text; give one of them.`);
  }
  return file === undefined ? { text: textOf('text', text) } : { file: textOf('file', file) };
}

function textOf(name: 'file' | 'text', given: unknown): string {
  if (typeof given !== 'string' || given === '') {
    const fix = name === 'file' ? 'give the path of a file in the workspace' : 'give the text of a prompt';
    throw new InputError(`input.${name} of ${described(given)} is not possible; ${fix}.`);
  }
  return given;
}
