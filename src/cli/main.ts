#!/usr/bin/env node
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { InputError, messageOf } from '../core/errors';
import { compareCommand, planCommand, simulateCommand, type Surroundings } from './commands';
import { addFlags, addScenarioFlag, type Flags } from './flags';
import { CalibrationStore, commandLineStorage } from '../engine/store/calibrations';
import { addCalibrateFlags, calibrateCommand, type CalibrateFlags } from './calibrate';
import { addExportFlags, exportCommand, type ExportFlags } from './export';
import { addPackFlags, packCommand, type PackFlags } from './pack';
import { addCheckFlags, checkCommand, type CheckFlags } from './check';
import { addExperimentFlags, type ExperimentFlags } from './experiment-flags';
import { addOutcomeFlags, addSaveFlag, evaluateCommand, runCommand, schemaCommand, sweepCommand, type OutcomeFlags } from './experiments';
import { addGenerateFlags, generateCommand, type GenerateFlags } from './generate';
import { addLedgerFlags, ledgerCommand, type LedgerFlags } from './ledger';
import { addReportFlags, reportCommand, type ReportFlags } from './report';

/** Exit codes, on which scripts rely. */
const exitCode = { done: 0, failed: 1, badInput: 2 } as const;

/** The command line: parses, runs one command, and turns errors into one line and an exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const surroundings: Surroundings = {
    modelsFolder: join(__dirname, '..', 'media', 'models'),
    calibrations: new CalibrationStore(commandLineStorage()),
    signal: interrupt.signal,
  };
  const program = new Command('two-heads')
    .description('A lab for long context: run a large transformer through calls of a small one.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addFlags(addScenarioFlag(program.command('plan <file>').description('what a prompt costs, without a run'))).action(
    (file: string, flags: Flags) => planCommand(file, flags, surroundings),
  );
  addFlags(addScenarioFlag(program.command('simulate <file>').description('run a prompt and check the result')))
    .option('--out <report.json>', 'also write the report to a file')
    .action((file: string, flags: Flags & { out?: string }) => simulateCommand(file, flags, surroundings));
  addFlags(program.command('compare <file>').description('run a prompt under several scenarios'))
    .option('--scenarios <a,b,c>', 'scenarios to compare (all)')
    .action((file: string, flags: Flags & { scenarios?: string }) => compareCommand(file, flags, surroundings));
  addGenerateFlags(
    addFlags(addScenarioFlag(program.command('generate <file>').description('continue a prompt by a few tokens under a scenario'))),
  ).action((file: string, flags: GenerateFlags) => generateCommand(file, flags, surroundings));
  addSaveFlag(
    addOutcomeFlags(addExperimentFlags(program.command('evaluate <files...>').description("what scenarios do to a model's predictions"))),
  ).action((files: string[], flags: ExperimentFlags & OutcomeFlags) => evaluateCommand(files, flags, surroundings));
  addSaveFlag(
    addOutcomeFlags(addExperimentFlags(program.command('sweep <files...>').description('cost and quality over scenarios and block sizes'))),
  ).action((files: string[], flags: ExperimentFlags & OutcomeFlags) => sweepCommand(files, flags, surroundings));
  addOutcomeFlags(program.command('run <file.two-heads.json>').description('repeat an experiment file')).action(
    (path: string, flags: OutcomeFlags) => runCommand(path, flags, surroundings),
  );
  addCheckFlags(program.command('check <file.two-heads.json>').description('fail where a prompt breaks a budget')).action(
    (path: string, flags: CheckFlags) => checkCommand(path, flags, surroundings),
  );
  addReportFlags(
    program.command('report <run.json...>').description('write the runs of JSON files for people, spreadsheets or browsers'),
  ).action((paths: string[], flags: ReportFlags) => reportCommand(paths, flags));
  program.command('schema').description('print the JSON Schema of experiment files').action(schemaCommand);
  addLedgerFlags(program.command('ledger').description('run every theorem, count its calls and measure its errors')).action(
    (flags: LedgerFlags) => ledgerCommand(flags, surroundings.signal),
  );
  addPackFlags(program.command('pack [paths...]').description('run many short prompts as one call without a mask')).action(
    (paths: string[], flags: PackFlags) => packCommand(paths, flags, surroundings),
  );
  addExportFlags(
    addScenarioFlag(program.command('export <out.onnx>').description('write the graph of small-transformer calls as an ONNX file')),
  ).action((path: string, flags: ExportFlags) => exportCommand(path, flags, surroundings));
  addCalibrateFlags(program.command('calibrate').description('measure this device, so that plans show time and memory')).action(
    (flags: CalibrateFlags) => calibrateCommand(flags, surroundings),
  );
  try {
    await program.parseAsync(argv);
    return exitCode.done;
  } catch (error) {
    return complain(error);
  }
}

function complain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version end here too, with nothing left to say.
    if (error.exitCode === 0) {
      return exitCode.done;
    }
    const help = error.code === 'commander.help' ? 'no command given' : error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    process.stderr.write(`two-heads: ${help}; see two-heads --help\n`);
    return exitCode.badInput;
  }
  process.stderr.write(`two-heads: ${messageOf(error).replaceAll('\n', ' ')}\n`);
  return error instanceof InputError ? exitCode.badInput : exitCode.failed;
}

void main(process.argv).then((code) => {
  process.exitCode = code;
});
