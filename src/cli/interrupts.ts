import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Longest time to wait for a thread that hears signals, in milliseconds; it is there within a few. */
const readyMs = 1000;

/** Where a thread hears signals, and whether it does yet: 1 once it does. */
export type Hearing = Int32Array<SharedArrayBuffer>;

/** The threads, by the files that they start from. */
type Entry = 'interrupt-thread' | 'termination-thread';

/**
 * Calls `act` at the first interrupt (SIGINT, Ctrl-C) or SIGTERM; the second one ends the process at once, as if nobody listened.
 *
 * Node tells a listener of a signal only between two turns of the event loop, and swallows what comes meanwhile: in a native
 * run of a minute no interrupt would be heard. So a thread waits for the first one, and with the thread ends what catches
 * interrupts: the system's own way is back, which needs no turn of anything. Another one hears SIGTERM, by which schedulers end
 * jobs, and makes an interrupt of it.
 *
 * @param start starts a thread
 */
export function onFirstInterrupt(act: () => void, start = startThread): void {
  const heard = [listen('interrupt-thread', 'SIGINT', act, start)];
  // Windows has no SIGTERM: what is called so there ends a process at once.
  if (process.platform !== 'win32') {
    heard.push(listen('termination-thread', 'SIGTERM', act, start));
  }
  heard.forEach((hearing) => hearing && Atomics.wait(hearing, 0, 0, readyMs));
}

/** @returns undefined where there is no thread, and the signal is heard between turns */
function listen(entry: Entry, signal: NodeJS.Signals, act: () => void, start: typeof startThread): Hearing | undefined {
  const hearing: Hearing = new Int32Array(new SharedArrayBuffer(4));
  try {
    const thread = start(hearing, entry);
    thread.once('message', act);
    // Without the thread, as where a system allows no more of them, the first one is heard between turns.
    thread.once('error', () => process.once(signal, act));
    // Listening for messages holds the process again.
    thread.unref();
    return hearing;
  } catch {
    process.once(signal, act);
    return undefined;
  }
}

function startThread(hearing: Hearing, entry: Entry): Worker {
  return new Worker(join(__dirname, `${entry}.js`), { workerData: hearing, resourceLimits: { maxOldGenerationSizeMb: 16 } });
}
