import { parentPort, workerData } from 'node:worker_threads';
import { CancelledError } from '../core/errors';
import { interruptible } from '../engine/interruptible';
import type { Hearing } from './interrupts';

/** Entry point of the thread that waits for the first interrupt, says so once, and ends. */
const hearing = workerData as Hearing;
try {
  interruptible(() => {
    Atomics.store(hearing, 0, 1);
    Atomics.notify(hearing, 0);
    // Nobody sets it to 2: only an interrupt ends this, or the process.
    for (;;) {
      Atomics.wait(hearing, 0, 1);
    }
  });
} catch (error) {
  if (!(error instanceof CancelledError)) {
    throw error;
  }
  parentPort?.postMessage('interrupt');
}
