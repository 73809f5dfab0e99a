import { Command as Program, CommanderError } from 'commander';
import { version } from '../../package.json';
import { InputError } from '../core/errors';
import { adviseCommand } from './advise';
import { atlasCommand } from './atlas';
import { calibrateCommand } from './calibrate';
import { checkCommand } from './check';
import { compareCommand } from './compare';
import { complain, exitCode } from './complain';
import { digestCommand } from './digest';
import { evaluateCommand, sweepCommand } from './evaluate';
import { exportCommand } from './export';
import { fetchCommand } from './fetch';
import { fleetCommand } from './fleet';
import { generateCommand } from './generate';
import type { Io } from './io';
import { ledgerCommand } from './ledger';
import { addFlags, type Command, givenFlags } from './options';
import { mcpCommand } from './mcp';
import { modelsCommand } from './models';
import { packCommand } from './pack';
import { planCommand } from './plan';
import { reportCommand } from './report';
import { runCommand, schemaCommand } from './run';
import { simulateCommand } from './simulate';
import { workerCommand } from './worker';

/** Every command, in the order in which help lists them. A new one is a file of its own and its line here. */
const commands: readonly Command[] = [
  planCommand,
  simulateCommand,
  compareCommand,
  generateCommand,
  atlasCommand,
  adviseCommand,
  evaluateCommand,
  sweepCommand,
  runCommand,
  checkCommand,
  reportCommand,
  schemaCommand,
  ledgerCommand,
  packCommand,
  modelsCommand,
  fetchCommand,
  digestCommand,
  workerCommand,
  fleetCommand,
  exportCommand,
  mcpCommand,
  calibrateCommand,
];

/**
 * The command line: parses, runs one command, and turns errors into one line and an exit code.
 *
 * @param argv arguments of the user, without the program's name
 * @returns the exit code
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const program = new Program('two-heads')
    .description('A lab for long context: run a large transformer through calls of a small one.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // What is wrong is said in one line, by `complain`.
      writeErr: () => undefined,
      getOutHelpWidth: () => io.stdout.columns ?? usualColumns,
    });
  for (const command of commands) {
    const added = program.command(command.usage).description(command.description);
    addFlags(added, command.options);
    added.action(() => command.run(added.args, givenFlags(added, command.options), io));
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode.done;
  } catch (error) {
    return complain(withInstead(error, argv), io);
  }
}

/** An unknown flag's error with what to use in its place, where the command knows: similar names are not what was meant. */
function withInstead(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError) || error.code !== 'commander.unknownOption') {
    return error;
  }
  const flag = /'--([\w-]+)/.exec(error.message)?.[1] ?? '';
  const command = commands.find(({ usage }) => usage.split(' ')[0] === argv[0]);
  const fix = command?.instead?.[flag];
  return fix === undefined ? error : new InputError(`${argv[0]} has no --${flag}; ${fix}.`);
}

/** The width of help where it is not printed on a terminal. */
const usualColumns = 80;
