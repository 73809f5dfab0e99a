import { dirname, relative, resolve } from 'node:path';
import { InputError } from '../core/errors';
import {
  defaultExperiment,
  defaultRetrieval,
  type Experiment,
  experimentTable,
  resultsOption,
  scenarioGrid,
  scenarioOf,
  windowsOf,
} from '../core/evaluate/experiment';
import { checkNeedle, retrievalTable } from '../core/evaluate/retrieval';
import { type Option, type OptionTable, pick } from '../core/options/option';
import { toJson } from '../core/report/json';
import type { Variables } from '../core/source/variables';
import { splitList } from '../core/scenario/parse';
import { choiceDefinitions, isCycleKind, kindsWith, numberParameters, textParameters } from '../core/scenario/scenario';
import { withPaths } from '../engine/tasks/evaluate/experiment-file';
import type { MeasuredExperiment } from '../engine/tasks/evaluate/run-experiment';
import { evaluationText, sweepText } from './experiment-text';
import { type Given, type Io, writeWhole } from './io';
import {
  choiceFrom,
  type Command,
  flagText,
  readGiven,
  refuseIdle,
  refuseIdleSeparator,
  textGiven,
  textOptions,
  valuesOf,
} from './options';
import { checkExperimentOutputs, outcomeOptions, performExperiment, printExperiment } from './run';
import { variableFlags, variablesFrom } from './source';

const scenariosOption: Option = {
  flag: 'scenario',
  symbol: 'a,b,...',
  description: `Masking scenarios, of ${choiceDefinitions.map(({ kind }) => kind).join(', ')}; with numbers of its own, one is ${defaultExperiment.scenarios.join(' or ')}.`,
  value: { type: 'text' },
  // Without their numbers, so that those of other flags hold.
  default: defaultExperiment.scenarios.map((scenario) => String(scenario).split(':')[0]).join(),
};

/** Flags of the numbers that scenarios take, several of each: every combination is tried. */
const gridOptions: readonly Option[] = numberParameters.map(
  ({ name, symbol, description, minimum, maximum, default: standard }): Option => ({
    flag: name,
    symbol: `${symbol},...`,
    description: `${description} Of ${kindsWith(name).join(', ')} without numbers of their own.`,
    value: { type: 'list', of: { type: 'whole', minimum, maximum } },
    default: standard,
  }),
);

/** Retrieval as flags: it is asked for by its tasks, and the lengths go by the context where they are not given. */
const retrievalFlags = {
  ...retrievalTable,
  tasks: pick(retrievalTable.tasks, 'flag', 'symbol', 'description', 'value', 'of'),
  lengths: {
    ...retrievalTable.lengths,
    description: `${retrievalTable.lengths.description} (default: a quarter, a half and the whole of the context)`,
    required: false,
  },
} as const satisfies OptionTable;

/** The flag that names an experiment file to write. */
export const saveOption: Option = {
  flag: 'save',
  symbol: 'file.two-heads.json',
  description: 'Write what was asked for as an experiment file, which two-heads run repeats.',
  value: { type: 'text' },
};

const evaluationOptions = [
  scenariosOption,
  ...textOptions,
  ...gridOptions,
  ...Object.values<Option>(experimentTable),
  ...Object.values<Option>(retrievalFlags),
  ...variableFlags,
  ...outcomeOptions,
  saveOption,
];

/** Flags of version 0.6 and before, in which a single needle was all that could be hidden. */
const formerFlags: Readonly<Record<string, string>> = {
  needle: `use --${retrievalTable.tasks.flag} single`,
  ...Object.fromEntries(
    (
      [
        ['needle-text', retrievalTable.needle],
        ['needle-question', retrievalTable.question],
        ['needle-answer', retrievalTable.answer],
        ['needle-lengths', retrievalTable.lengths],
        ['needle-depths', retrievalTable.depths],
      ] as const
    ).map(([former, { flag }]) => [former, `use --${retrievalTable.tasks.flag} single and --${flag}`]),
  ),
};

/** `two-heads evaluate`: what scenarios do to a model's predictions. */
export const evaluateCommand: Command = {
  usage: 'evaluate <files...>',
  description: "what scenarios do to a model's predictions",
  options: evaluationOptions,
  instead: formerFlags,
  run: async (files, given, io) => {
    printExperiment(await runFromFlags('evaluate', files, given, io), given, io, evaluationText);
  },
};

/** `two-heads sweep`: cost and quality over many scenarios and block sizes. */
export const sweepCommand: Command = {
  usage: 'sweep <files...>',
  description: 'cost and quality over scenarios and block sizes',
  options: evaluationOptions,
  instead: formerFlags,
  run: async (files, given, io) => {
    printExperiment(await runFromFlags('sweep', files, given, io), given, io, sweepText);
  },
};

async function runFromFlags(title: string, files: readonly string[], given: Given, io: Io): Promise<MeasuredExperiment> {
  const experiment = experimentFrom(files, given, await variablesFrom(given));
  const save = textGiven(saveOption, given);
  await checkExperimentOutputs(experiment, given, io, { files: [], outputs: [{ flag: '--save', path: save }] });
  if (save !== undefined) {
    await writeExperiment(save, experiment, io);
    io.stderr.write(`experiment written to ${save}\n`);
  }
  return performExperiment(title, experiment, given, io);
}

/** Writes an experiment as a file that repeats it, with paths relative to that file. @throws InputError where it cannot be written */
export async function writeExperiment(path: string, experiment: Experiment, { modelsFolder }: Io): Promise<void> {
  const saved = await withPaths(
    experiment,
    modelsFolder,
    '.',
    (inner) => relative(resolve(dirname(path)), resolve(inner)).replaceAll('\\', '/') || '.',
  );
  await writeWhole(path, `${toJson(saved, 2)}\n`, '--save');
}

/**
 * The experiment that flags ask for.
 *
 * @param prompts paths of prompts
 * @param variables their values
 * @throws InputError that names the flag, the value and the fix
 */
function experimentFrom(prompts: readonly string[], given: Given, variables: Variables): Experiment {
  const names = splitList(textGiven(scenariosOption, given) ?? String(scenariosOption.default));
  const lists = numberParameters.map(({ name }, index) => [name, readGiven(gridOptions[index], given) ?? []] as const);
  const texts = textParameters.flatMap(({ name, flag, check }) => {
    const value = textGiven({ ...scenariosOption, flag }, given);
    if (value === undefined) {
      return [];
    }
    check(value);
    return [{ name, value, kinds: kindsWith(name) }];
  });
  // What the user wrote is one more scenario, where no kind that takes it is named.
  const added = texts.flatMap(({ kinds }) => (kinds.some((kind) => names.includes(kind)) ? [] : kinds.slice(0, 1)));
  names.filter(isCycleKind).forEach((name) => choiceFrom(name, given));
  const scenarios = scenarioGrid(
    [...names, ...added],
    Object.fromEntries(lists),
    Object.fromEntries(texts.map(({ name, value }) => [name, value])),
  );
  const { version, ...defaults } = defaultExperiment;
  const values = { ...valuesOf(experimentTable, given), variables };
  refuseIdle(evaluationOptions, given, values);
  refuseIdleSeparator(given, scenarios.map(scenarioOf), values);
  const retrieval = retrievalFrom(given, values);
  return { version, prompts, ...defaults, ...values, scenarios, retrieval, results: textGiven(resultsOption, given) ?? null };
}

function retrievalFrom(given: Given, { context }: Pick<Experiment, 'context'>): Experiment['retrieval'] {
  const { tasks, lengths, ...others } = retrievalFlags;
  if (given[tasks.flag] === undefined) {
    const idle = [lengths, ...Object.values<Option>(others)].find(({ flag }) => given[flag] !== undefined);
    if (idle !== undefined) {
      throw new InputError(
        `${flagText(idle.flag, given)} does nothing without --${tasks.flag}; add --${tasks.flag} with its tasks, or leave it out.`,
      );
    }
    return null;
  }
  const usual = defaultRetrieval(windowsOf({ context, stride: 0 }).context);
  const values = valuesOf({ tasks: retrievalTable.tasks, ...others }, given);
  const { hops, needle, question, answer } = others;
  for (const [task, own] of [['chains', [hops]] as const, ['single', [needle, question, answer]] as const]) {
    const idle = values.tasks.includes(task) ? undefined : own.find(({ flag }) => given[flag] !== undefined);
    if (idle !== undefined) {
      throw new InputError(`${flagText(idle.flag, given)} is of task ${task}; leave it out, or add the task to --${tasks.flag}.`);
    }
  }
  checkNeedle(values);
  return { ...values, lengths: valuesOf({ lengths }, given).lengths ?? usual.lengths };
}
