#!/usr/bin/env node
import { join } from 'node:path';
import { CancelledError } from '../core/errors';
import { CalibrationStore, commandLineStorage } from '../engine/store/calibrations';
import { DigestStore } from '../engine/store/digests';
import { exitCode, main } from './program';

/** Time for an interrupted command to end by itself, in milliseconds. Whatever it writes is written whole or not at all. */
const patienceMs = 5000;

/** Entry of the command line: the process's streams, arguments and exit code. */
const interrupt = new AbortController();
const stop = (): void => {
  interrupt.abort();
  // What waits for something else, such as standard input, does not look at the signal.
  setTimeout(() => {
    process.stderr.write(`two-heads: ${new CancelledError().message}\n`);
    process.exit(exitCode.interrupted);
  }, patienceMs).unref();
};
process.once('SIGINT', stop);
// Schedulers end jobs with it: what was claimed is let go, so that others need not wait.
process.once('SIGTERM', stop);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader has what it wants, as `head` does after ten lines.
  if (error.code === 'EPIPE') {
    process.exit();
  }
  throw error;
});
void main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  get stdin() {
    return process.stdin;
  },
  signal: interrupt.signal,
  modelsFolder: join(__dirname, '..', 'media', 'models'),
  calibrations: new CalibrationStore(commandLineStorage()),
  digests: new DigestStore(commandLineStorage()),
  engineEntry: join(__dirname, 'engine.js'),
}).then((code) => {
  process.exitCode = code;
  // A timer of a connection that is closed must not keep a command that is done; what it printed is written first.
  process.stdout.write('', () => process.exit());
});
