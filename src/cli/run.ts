import { costAxes, type CostAxis, experimentPicture } from '../core/draw/experiment';
import { cancelledSaying, InputError } from '../core/errors';
import { type Experiment, experimentTable, resultsOption, sourceOf } from '../core/evaluate/experiment';
import type { ExperimentReport } from '../core/evaluate/report';
import { pointTitle, readText, retrievalText } from '../core/evaluate/rows';
import { parseShard, type Shard, shardOption } from '../core/evaluate/units';
import { formatCount } from '../core/format';
import type { Option } from '../core/options/option';
import { toJson } from '../core/report/json';
import { reportSchemaVersion } from '../core/report/report';
import { failOn } from '../core/report/verdict';
import { scenarioLabel } from '../core/scenario/scenario';
import { sourceTable } from '../core/source/options';
import { visible } from '../core/text/printable';
import { promptFiles, readPrompts } from '../engine/read/prompt';
import { experimentJsonSchema, readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { Results } from '../engine/tasks/evaluate/results';
import { inThisProcess, type RowRunner } from '../engine/tasks/evaluate/row-runner';
import { type MeasuredExperiment, measureExperiment } from '../engine/tasks/evaluate/run-experiment';
import { processBytes } from '../engine/memory';
import { checkThreads } from '../engine/attend/runtime/provider';
import { onEngines } from '../engine/process/engines-runner';
import { onFleet } from '../fleet/rows';
import { evaluationText, sweepText, verdictsText } from './experiment-text';
import { brokerFrom, brokerOptions, fleetLog } from './broker';
import { type Given, type Io, jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, flagText, readGiven, refuseIdle, textGiven } from './options';
import { checkOutputs } from './outputs';
import { sourceFrom, sourceOptions } from './source';

/** Of an experiment, or of an advice. */
export const pictureOption: Option = {
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

const enginesOption: Option = {
  flag: 'engines',
  symbol: 'n',
  description: 'Processes that measure beside each other, each with the model in memory and --threads of its own.',
  value: { type: 'whole', minimum: 1, maximum: 256 },
  default: 1,
};

/** Flags that say who measures an experiment, and where its outcome goes. Where nothing is measured, most do nothing. */
export const outcomeOptions: readonly Option[] = [
  resultsOption,
  ...[shardOption, enginesOption, ...brokerOptions, pictureOption, costOption].map((option): Option => ({ ...option, of: 'quality' })),
  jsonOption,
];

/** Device and threads are the machine's matter: a scheduler says how many a job has. Without the flags they are the file's. */
const machineOptions = (['provider', 'threads'] as const).map((name) => {
  const { flag, symbol, value, description } = experimentTable[name];
  return { name, option: { flag, symbol, value, description: `${description} Instead of the file's.` } satisfies Option };
});

/** `two-heads run`: an experiment file again. */
export const runCommand: Command = {
  usage: 'run <file.two-heads.json>',
  description: 'repeat an experiment file',
  options: [...machineOptions.map(({ option }) => option), ...sourceOptions, ...outcomeOptions],
  run: async ([path], given, io) => {
    const read = await withSource(await readExperiment(path, io.modelsFolder), given);
    const own = machineOptions.map(({ name, option }) => [name, readGiven(option, given) ?? read[name]]);
    const experiment = { ...read, ...Object.fromEntries(own) } as Experiment;
    refuseIdle(outcomeOptions, given, experiment);
    await checkExperimentOutputs(experiment, given, io, { files: [path], outputs: [] });
    const measured = await performExperiment('run', experiment, given, io);
    printExperiment(measured, given, io, (report) =>
      [...(experiment.blocks.length === 1 ? [evaluationText(report)] : []), ...(report.points.length > 1 ? [sweepText(report)] : [])].join(
        '\n\n',
      ),
    );
  },
};

/** `two-heads schema`: the JSON Schema of experiment files. */
export const schemaCommand: Command = {
  usage: 'schema',
  description: 'print the JSON Schema of experiment files',
  options: [],
  run: (_args, _given, io) => {
    io.stdout.write(`${toJson(experimentJsonSchema(), 2)}\n`);
  },
};

/** An experiment that reads its prompts as flags say, where they say anything. @throws InputError */
export async function withSource(experiment: Experiment, given: Given): Promise<Experiment> {
  const { variables, ...source } = await sourceFrom(given);
  const named = Object.entries(source).filter(([name]) => given[sourceTable[name as keyof typeof sourceTable].flag] !== undefined);
  return { ...experiment, ...Object.fromEntries(named), variables: { ...experiment.variables, ...variables } };
}

/**
 * Refuses outputs of an experiment's command, as `checkOutputs`, its picture among them.
 *
 * @param own the file that the experiment was read from, and what else the command writes
 */
export async function checkExperimentOutputs(
  { prompts, model, results: filed }: Experiment,
  given: Given,
  io: Io,
  own: { readonly files: readonly string[]; readonly outputs: Parameters<typeof checkOutputs>[0] },
): Promise<void> {
  const asked = textGiven(resultsOption, given);
  const files = [...own.files, ...(await promptFiles(prompts, asked ?? filed))];
  const outputs = [...own.outputs, { flag: '--picture', path: textGiven(pictureOption, given) }];
  // Those of the file are kept where others are named, too.
  await checkOutputs(outputs, { files, model, results: [asked, filed] }, given, io);
}

/**
 * Runs an experiment, or a shard of it, with what the command line adds: results, progress, a picture.
 *
 * @param isEvidence whether results that are named must be the experiment's alone, and unchanged
 */
export async function performExperiment(
  title: string,
  experiment: Experiment,
  given: Given,
  io: Io,
  isEvidence = false,
): Promise<MeasuredExperiment> {
  const picture = textGiven(pictureOption, given);
  const cost = textGiven(costOption, given);
  if (cost !== undefined && picture === undefined) {
    throw new InputError(`--cost ${cost} does nothing without --picture; leave it out or name a file to draw.`);
  }
  const axis = (readGiven(costOption, given) ?? costOption.default) as CostAxis;
  const path = textGiven(resultsOption, given) ?? experiment.results;
  const shard = shardFrom(given);
  const prompts = await readPrompts(experiment.prompts, io.stdin, sourceOf(experiment), path);
  const results = await resultsOf(path, shard);
  // Evidence is refused instead, with the line's number.
  if (!isEvidence) {
    sayNote(results, io);
  }
  const broker = await brokerFrom(given, experiment, io);
  if (broker !== undefined && given[enginesOption.flag] !== undefined) {
    broker.close();
    throw new InputError(`${flagText(enginesOption.flag, given)} does nothing with --on, whose workers measure; leave one of them out.`);
  }
  const runner = broker === undefined ? localRunner(experiment, given, io) : onFleet(broker, fleetLog(io));
  const measured = await measureExperiment(
    prompts,
    { ...experiment, results: path },
    {
      ...{ ...io, results, shard, runner, isEvidence, onProgress: progressPrinter(io, title) },
      // What a check is held against is this machine's; a report that is repeated has the same numbers.
      ...(isEvidence && { processBytes }),
    },
  )
    .catch(cancelledSaying(path && `The run was cancelled; what it measured is in ${path}, and the same command goes on from there.`))
    .finally(() => broker?.close());
  if (picture !== undefined && measured.report !== undefined) {
    await writeWhole(picture, experimentPicture(measured.report, axis), '--picture');
    io.stderr.write(`picture written to ${picture}\n`);
  }
  return measured;
}

/** What measures on this machine. @throws InputError for processes that would each take all of it */
function localRunner({ threads }: Experiment, given: Given, io: Io): RowRunner {
  const engines = (readGiven(enginesOption, given) ?? 1) as number;
  if (engines === 1) {
    return inThisProcess;
  }
  if (threads === 0) {
    throw new InputError(`--engines ${engines} would each take all processors; give --threads a number, such as 1.`);
  }
  checkThreads(threads, engines);
  return onEngines(io.engineEntry, engines, (line) => io.stderr.write(`${line}\n`));
}

/** Prints what an experiment gave: its report, or how far it is. @param textOf the report's figures as text */
export function printExperiment(measured: MeasuredExperiment, given: Given, io: Io, textOf: (report: ExperimentReport) => string): void {
  const { report, units, known, resumed } = measured;
  if (report !== undefined) {
    print(io, given, report, () => [readText(report), textOf(report), verdictsText(report)].join('\n\n'));
    const failing = report.points.find(({ verdict }) => verdict.kind === 'failed');
    if (failing !== undefined) {
      const ran = { scenario: failing.scenario, blockSize: failing.measuredBlockSize };
      failOn(failing.verdict, `The evaluation of ${pointTitle(ran, report.experiment)}`);
    }
    checkRetrieval(report);
    return;
  }
  print(io, given, { schemaVersion: reportSchemaVersion, units, known, resumed }, () =>
    [
      `Shard ${textGiven(shardOption, given)} is done; ${formatCount(known)} of ${formatCount(units)} units are known.`,
      'Once all shards are done, the same command without --shard prints the report.',
    ].join('\n'),
  );
}

/** @throws where a scenario finds what its mask hides, or loses what it shows: the run is wrong, not the model */
function checkRetrieval({ points }: ExperimentReport): void {
  const wrong = points.find(({ retrieval }) => retrieval !== null && retrieval.differing > 0);
  if (wrong?.retrieval) {
    throw new Error(`${scenarioLabel(wrong.scenario)}, retrieval: ${retrievalText(wrong.retrieval)}`);
  }
}

/** The shard that flags name. @throws InputError */
export function shardFrom(given: Given): Shard | undefined {
  const text = textGiven(shardOption, given);
  return text === undefined ? undefined : parseShard(text);
}

/** Says what of results is not believed, where anything is. */
export function sayNote({ note }: Results, { stderr }: Io): void {
  if (note !== undefined) {
    stderr.write(`${visible(note)}\n`);
  }
}

/** Where results go. @throws InputError for a shard whose results no other shard would see */
export async function resultsOf(path: string | null, shard: Shard | undefined): Promise<Results> {
  if (shard === undefined) {
    return path === null ? Results.inMemory() : Results.open(path);
  }
  if (path === null) {
    throw new InputError(`--shard ${shard.part}/${shard.parts} needs a folder that all shards share; name one with --results.`);
  }
  if (/\.jsonl$/.test(path)) {
    throw new InputError(`--results ${path} has the name of one file, and shards write a file each; name a folder.`);
  }
  return Results.open(`${path.replace(/[\\/]+$/, '')}/`, `shard-${shard.part}-of-${shard.parts}`);
}
