import { costAxes, type CostAxis, experimentPicture } from '../core/draw/experiment';
import { CancelledError, InputError } from '../core/errors';
import { type Experiment, resultsOption, sourceOf } from '../core/evaluate/experiment';
import type { ExperimentReport } from '../core/evaluate/report';
import { readText } from '../core/evaluate/rows';
import type { Option } from '../core/options/option';
import { sourceTable } from '../core/source/options';
import { readPrompts } from '../engine/read/prompt';
import { experimentJsonSchema, readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { Results } from '../engine/tasks/evaluate/results';
import { runExperiment } from '../engine/tasks/evaluate/run-experiment';
import { evaluationText, sweepText } from './experiment-text';
import { checkWritable, type Given, type Io, jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, readGiven, textGiven } from './options';
import { sourceFrom, sourceOptions } from './source';

const pictureOption: Option = {
  flag: 'picture',
  symbol: 'file.svg',
  description: 'Draw quality against cost.',
  value: { type: 'text' },
};

const costOption: Option = {
  flag: 'cost',
  symbol: 'what',
  description: 'Cost axis of the picture.',
  value: {
    type: 'choice',
    noun: 'Cost axis',
    choices: Object.entries(costAxes).map(([value, { title }]) => ({ value, description: title })),
  },
  default: 'attention',
};

/** Flags that say where an experiment's outcome goes. */
export const outcomeOptions: readonly Option[] = [resultsOption, pictureOption, costOption, jsonOption];

/** `two-heads run`: an experiment file again. */
export const runCommand: Command = {
  usage: 'run <file.two-heads.json>',
  description: 'repeat an experiment file',
  options: [...sourceOptions, ...outcomeOptions],
  run: async ([path], given, io) => {
    const experiment = await withSource(await readExperiment(path, io.modelsFolder), given);
    const report = await performExperiment('run', experiment, given, io);
    print(io, given, report, () =>
      [
        readText(report),
        ...(experiment.blocks.length === 1 ? [evaluationText(report)] : []),
        ...(report.points.length > 1 ? [sweepText(report)] : []),
      ].join('\n\n'),
    );
  },
};

/** `two-heads schema`: the JSON Schema of experiment files. */
export const schemaCommand: Command = {
  usage: 'schema',
  description: 'print the JSON Schema of experiment files',
  options: [],
  run: (_args, _given, io) => {
    io.stdout.write(`${JSON.stringify(experimentJsonSchema(), null, 2)}\n`);
  },
};

/** An experiment that reads its prompts as flags say, where they say anything. @throws InputError */
export async function withSource(experiment: Experiment, given: Given): Promise<Experiment> {
  const { variables, ...source } = await sourceFrom(given);
  const named = Object.entries(source).filter(([name]) => given[sourceTable[name as keyof typeof sourceTable].flag] !== undefined);
  return { ...experiment, ...Object.fromEntries(named), variables: { ...experiment.variables, ...variables } };
}

/** Runs an experiment with what the command line adds: results, progress, a picture. */
export async function performExperiment(title: string, experiment: Experiment, given: Given, io: Io): Promise<ExperimentReport> {
  const picture = textGiven(pictureOption, given);
  const cost = textGiven(costOption, given);
  if (cost !== undefined && picture === undefined) {
    throw new InputError(`--cost ${cost} does nothing without --picture; leave it out or name a file to draw.`);
  }
  const axis = (readGiven(costOption, given) ?? costOption.default) as CostAxis;
  if (picture !== undefined) {
    await checkWritable(picture, '--picture');
  }
  const prompts = await readPrompts(experiment.prompts, io.stdin, sourceOf(experiment));
  const path = textGiven(resultsOption, given) ?? experiment.results;
  const results = path === null ? Results.inMemory() : await Results.open(path);
  const report = await runExperiment(
    prompts,
    { ...experiment, results: path },
    { ...io, results, onProgress: progressPrinter(io, title) },
  ).catch((error: unknown) => {
    throw error instanceof CancelledError && path !== null
      ? new CancelledError(`The run was cancelled; what it measured is in ${path}, and the same command goes on from there.`)
      : error;
  });
  if (picture !== undefined) {
    await writeWhole(picture, experimentPicture(report, axis), '--picture');
    io.stderr.write(`picture written to ${picture}\n`);
  }
  return report;
}
