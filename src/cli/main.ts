#!/usr/bin/env node
import { join } from 'node:path';
import { CalibrationStore, commandLineStorage } from '../engine/store/calibrations';
import { DigestStore } from '../engine/store/digests';
import { main } from './program';

/** Entry of the command line: the process's streams, arguments and exit code. */
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
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
}).then((code) => {
  process.exitCode = code;
});
