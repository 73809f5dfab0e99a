#!/usr/bin/env node
import './uncaught';
import { join } from 'node:path';
import { CancelledError } from '../core/errors';
import { CalibrationStore, commandLineStorage } from '../engine/store/calibrations';
import { DigestStore } from '../engine/store/digests';
import { fileWriter } from '../engine/store/files';
import { complain, exitCode } from './complain';
import { onFirstInterrupt } from './interrupts';
import { main } from './program';

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
onFirstInterrupt(stop);

/** Why standard output was lost, where that was not its reader's wish. */
let lost: string | undefined;
const lose = (error: NodeJS.ErrnoException): void => {
  // A reader that has what it wants, as `head` has after ten lines, changes nothing: files are written, and the code is the command's.
  if (error.code !== 'EPIPE') {
    lost ??= error.message;
  }
};
process.stdout.on('error', lose);
const writeFile = fileWriter(process.stdout.fd);
const intoFile = (text: string): void => {
  try {
    writeFile?.(text);
  } catch (error) {
    lose(error as NodeJS.ErrnoException);
  }
};
// Progress and complaints that nobody hears end no run.
process.stderr.on('error', () => undefined);

void main(process.argv.slice(2), {
  stdout: writeFile === undefined ? process.stdout : { write: intoFile },
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
  // A timer of a connection that is closed must not keep a command that is done; what it printed is written first.
  process.stdout.write('', () =>
    // A stream calls back before it tells its listeners of an error.
    setImmediate(() => {
      const failure = lost === undefined ? undefined : new Error(`Standard output cannot be written (${lost}); the result is lost.`);
      process.exit(failure === undefined || code !== exitCode.done ? code : complain(failure, process));
    }),
  );
});
