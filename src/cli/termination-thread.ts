import { workerData } from 'node:worker_threads';
import type { Hearing } from './interrupts';

/** Node's own listener of signals, of which `process.on` is made, and which that leaves out in threads. */
interface SignalListener {
  onsignal: () => void;
  /** @returns 0, or why not */
  start(signal: number): number;
  close(): void;
}

/** SIGTERM wherever Node has signals. */
const sigterm = 15;

/**
 * Entry point of the thread that hears the first SIGTERM while the process's own thread works, and passes it on as an interrupt,
 * which ends any work. With it the system's own way is back, as with interrupts: a second one ends the process at once.
 */
const hearing = workerData as Hearing;
try {
  // Node has no other way to it, and warns of this one. Where it is gone, the process listens itself.
  process.noDeprecation = true;
  const { Signal } = (process as unknown as { binding(name: 'signal_wrap'): { Signal: new () => SignalListener } }).binding('signal_wrap');
  const listener = new Signal();
  listener.onsignal = () => {
    listener.close();
    process.kill(process.pid, 'SIGINT');
  };
  const refused = listener.start(sigterm);
  if (refused !== 0) {
    throw new Error(`SIGTERM cannot be heard (${refused}).`);
  }
} finally {
  // Nobody waits for a thread that failed.
  Atomics.store(hearing, 0, 1);
  Atomics.notify(hearing, 0);
}
