import { CommanderError } from 'commander';
import { CancelledError, InputError, messageOf } from '../core/errors';
import { visible } from '../core/text/printable';
import type { Io } from './io';

/** Exit codes, on which scripts rely. */
export const exitCode = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** How Node and ONNX Runtime say that they get no more memory. */
const outOfMemory = /Array buffer allocation failed|Invalid (string|typed array) length|bad_alloc|Failed to allocate memory/;

/** How the system says that a library gets none. */
const outOfMemoryToLoad = /failed to map segment|cannot (create|allocate) .*memory|cannot map zero-fill pages/i;

/** Says in one line what is wrong. @returns the exit code */
export function complain(error: unknown, { stderr }: Pick<Io, 'stderr'>): number {
  if (error instanceof CommanderError) {
    // Help and version end here too, with nothing left to say.
    if (error.exitCode === 0) {
      return exitCode.done;
    }
    const help = error.code === 'commander.help' ? 'no command given' : error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    stderr.write(`two-heads: ${visible(help)}; see two-heads --help\n`);
    return exitCode.badInput;
  }
  const message = messageOf(error).replaceAll('\n', ' ');
  stderr.write(`two-heads: ${visible(`${memoryFix(message)}${message}`)}\n`);
  return error instanceof InputError ? exitCode.badInput : error instanceof CancelledError ? exitCode.interrupted : exitCode.failed;
}

/** What to do where a message says that there is no more memory, before the message; empty of others. */
function memoryFix(message: string): string {
  if (outOfMemoryToLoad.test(message)) {
    return 'Out of memory before anything was run; allow the process more, such as by a higher ulimit -v: ';
  }
  return outOfMemory.test(message) ? 'Out of memory; cut the prompt with --max-tokens, or use a smaller --block or model: ' : '';
}
