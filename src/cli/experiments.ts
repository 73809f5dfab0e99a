import type { Command } from 'commander';
import { CancelledError, InputError } from '../core/errors';
import type { Experiment } from '../core/evaluate/experiment';
import { oneOf } from '../core/options/options';
import { costAxes, experimentPicture, type CostAxis } from '../core/draw/experiment';
import type { ExperimentReport } from '../core/evaluate/report';
import { readText } from '../core/evaluate/rows';
import { experimentJsonSchema, readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { Results } from '../engine/tasks/evaluate/results';
import { runExperiment } from '../engine/tasks/evaluate/run-experiment';
import { readPrompts } from '../engine/read/prompt';
import type { Surroundings } from './commands';
import { writeExperiment } from './experiment-file';
import { experimentFrom, type ExperimentFlags } from './experiment-flags';
import { checkWritable, writeWhole } from './files';
import { print } from './print';
import { progressPrinter } from './progress';
import { evaluationText } from './quality-text';
import { sweepText } from './sweep-text';

/** Flags that say where an experiment's outcome goes. */
export interface OutcomeFlags {
  readonly results?: string;
  readonly save?: string;
  readonly picture?: string;
  readonly cost?: string;
  readonly json?: boolean;
}

/** Adds the flags that say where an experiment's outcome goes. */
export function addOutcomeFlags(command: Command): Command {
  return command
    .option('--results <file.jsonl>', 'append every result to a file, and go on from what is in it')
    .option('--picture <file.svg>', 'draw quality against cost')
    .option('--cost <what>', `cost axis of the picture: ${Object.keys(costAxes).join(', ')} (attention)`)
    .option('--json', 'print one JSON document on stdout');
}

/** Adds the flag that keeps an experiment for another day. */
export function addSaveFlag(command: Command): Command {
  return command.option('--save <file.two-heads.json>', 'write what was asked for as an experiment file, which two-heads run repeats');
}

/** `two-heads evaluate`: what scenarios do to a model's predictions. */
export async function evaluateCommand(
  files: readonly string[],
  flags: ExperimentFlags & OutcomeFlags,
  surroundings: Surroundings,
): Promise<void> {
  const report = await runFromFlags('evaluate', files, flags, surroundings);
  print(flags, report, () => `${readText(report)}\n\n${evaluationText(report)}`);
}

/** `two-heads sweep`: cost and quality over many scenarios and block sizes. */
export async function sweepCommand(
  files: readonly string[],
  flags: ExperimentFlags & OutcomeFlags,
  surroundings: Surroundings,
): Promise<void> {
  const report = await runFromFlags('sweep', files, flags, surroundings);
  print(flags, report, () => `${readText(report)}\n\n${sweepText(report)}`);
}

/** `two-heads run`: an experiment file again. */
export async function runCommand(path: string, flags: OutcomeFlags, surroundings: Surroundings): Promise<void> {
  const experiment = await readExperiment(path, surroundings.modelsFolder);
  const report = await performExperiment('run', experiment, flags, surroundings);
  print(flags, report, () =>
    [
      readText(report),
      ...(experiment.blocks.length === 1 ? [evaluationText(report)] : []),
      ...(report.points.length > 1 ? [sweepText(report)] : []),
    ].join('\n\n'),
  );
}

/** `two-heads schema`: the JSON Schema of experiment files. */
export function schemaCommand(): void {
  process.stdout.write(`${JSON.stringify(experimentJsonSchema(), null, 2)}\n`);
}

async function runFromFlags(
  title: string,
  files: readonly string[],
  flags: ExperimentFlags & OutcomeFlags,
  surroundings: Surroundings,
): Promise<ExperimentReport> {
  const asked = experimentFrom(files, flags, (scenario, reason) => process.stderr.write(`${scenario} is left out: ${reason}\n`));
  const experiment: Experiment = { ...asked, results: flags.results ?? null };
  if (flags.save !== undefined) {
    await writeExperiment(flags.save, experiment, surroundings.modelsFolder);
    process.stderr.write(`experiment written to ${flags.save}\n`);
  }
  return performExperiment(title, experiment, flags, surroundings);
}

/** Runs an experiment with what the command line adds: results, progress, a picture. */
export async function performExperiment(
  title: string,
  experiment: Experiment,
  { results, picture, cost }: OutcomeFlags,
  surroundings: Surroundings,
): Promise<ExperimentReport> {
  if (cost !== undefined && picture === undefined) {
    throw new InputError(`--cost ${cost} does nothing without --picture; leave it out or name a file to draw.`);
  }
  const axis = oneOf('Cost axis', cost ?? 'attention', Object.keys(costAxes) as CostAxis[]);
  if (picture !== undefined) {
    await checkWritable(picture, '--picture');
  }
  const prompts = await readPrompts(experiment.prompts);
  const path = results ?? experiment.results;
  const kept = path === null ? Results.inMemory() : await Results.open(path);
  const report = await runExperiment(
    prompts,
    { ...experiment, results: path },
    { ...surroundings, results: kept, onProgress: progressPrinter(process.stderr, title) },
  ).catch((error: unknown) => {
    throw error instanceof CancelledError && path !== null
      ? new CancelledError(`The run was cancelled; what it measured is in ${path}, and the same command goes on from there.`)
      : error;
  });
  if (picture !== undefined) {
    await writeWhole(picture, experimentPicture(report, axis), '--picture');
    process.stderr.write(`picture written to ${picture}\n`);
  }
  return report;
}
