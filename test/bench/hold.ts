import { openSync, readSync } from 'node:fs';

/** The processor's time of the thread that asks, in milliseconds; wall time where the system does not tell. */
function threadTime(): () => number {
  if (process.platform !== 'linux') {
    return () => performance.now();
  }
  const file = openSync('/proc/thread-self/schedstat', 'r');
  const buffer = Buffer.alloc(64);
  return () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)).split(' ')[0]) / 1e6;
}

/**
 * How long this thread is held by a turn, by the time that it works: on a busy machine others' turns fall between.
 *
 * The kernel books that time when a thread sleeps, so it is read after two timers: the first runs where a long turn ends, and
 * before the second the thread sleeps. A reading is thus at most the sum of the turns within two milliseconds.
 */
export class HoldMeter {
  private readonly now = threadTime();
  private last = this.now();
  private longest = 0;
  private timer: NodeJS.Timeout | undefined;

  /** Forgets what was before. */
  start(): void {
    clearTimeout(this.timer);
    this.longest = 0;
    this.last = this.now();
    this.watch();
  }

  /** The longest hold since the start, in milliseconds. */
  async stop(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(this.timer);
    return this.longest;
  }

  private watch(): void {
    this.timer = setTimeout(() => {
      this.timer = setTimeout(() => {
        const now = this.now();
        this.longest = Math.max(this.longest, now - this.last);
        this.last = now;
        this.watch();
      }, 1);
    }, 1);
  }
}
