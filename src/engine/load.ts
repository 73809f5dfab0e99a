import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { MachineLoad } from '../core/predict/calibration';
import { idleLoad, type ProcessorTime } from '../core/predict/load';

/**
 * Processor time from its creation on, of this process and of all.
 *
 * Both counters are everywhere that Node runs, and cost well under a millisecond to read; the load average of Unix lags a minute
 * behind, and counts this process too.
 */
export class ProcessorWatch {
  private readonly start = performance.now();
  private readonly own = process.cpuUsage();
  private readonly busy = busyMs();

  /** What has passed since. */
  time(): ProcessorTime {
    const { user, system } = process.cpuUsage(this.own);
    return {
      cores: Math.max(1, cpus().length),
      wallMs: performance.now() - this.start,
      busyMs: busyMs() - this.busy,
      ownMs: (user + system) / 1000,
    };
  }
}

/** Milliseconds in which the cores were not idle since the machine started. */
function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** Looks, and the time between two in milliseconds: counters of processor time advance by 10, and see the whole. */
const looks = 16;
const restMs = 20;

/** How busy others keep the machine now. Goes on beside work of this process, which does not count. */
export async function machineLoad(): Promise<MachineLoad> {
  const watch = new ProcessorWatch();
  const running: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    await setTimeout(restMs);
    const now = runningNow();
    if (now !== undefined) {
      running.push(now);
    }
  }
  const time = watch.time();
  // Of what runs, this process has the thread that looks, and those that worked beside it.
  const worked = time.ownMs / time.wallMs;
  return idleLoad(time, running.length > 0 ? running.map((each) => Math.max(0, each - 1 - worked)) : [Math.max(0, loadavg()[0] - worked)]);
}

/**
 * Threads of the whole machine that run or wait for a core at this moment, as Linux says it; undefined elsewhere.
 *
 * The load average has the last minute in it, with programs that have ended since: it is left to systems that say nothing else.
 */
function runningNow(): number | undefined {
  try {
    const found = /^procs_running (\d{1,9})$/m.exec(readFileSync('/proc/stat', 'latin1'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
