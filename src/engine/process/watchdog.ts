import { workerData } from 'node:worker_threads';
import { isRunning } from '../tasks/processes';

/** How often the parent is looked for, in milliseconds. */
const lookMs = 500;

/**
 * Entry point of the thread that ends a process whose parent is gone.
 *
 * The process's own thread hears of that only between two turns of its event loop, and may be in a native run, a plan or a
 * tokenizer's pattern for a minute. A process that was stopped (SIGSTOP) runs no thread, and ends once it is continued.
 */
const parent = workerData as number;
const first = process.ppid;
setInterval(() => {
  // An orphan gets another parent at once, though the first one may stay in the table of processes; Windows keeps its number.
  if (process.ppid !== first || !isRunning(parent)) {
    process.kill(process.pid, 'SIGKILL');
  }
}, lookMs);
