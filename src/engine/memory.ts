import { readFileSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Plan } from '../core/plan/plan';
import { fitsIn, type MeasuredPeak, type MemoryEstimate, memoryOf, type MemoryUse, type RunMemory } from '../core/predict/memory';
import { memoryRefusal, type SmallerRuns } from '../core/predict/memory-fix';
import { interruptible } from './interruptible';

/** The fraction of free memory that a run may plan to use. */
const usableShare = 0.8;

/** Bytes that a run may plan to use now. */
export function usableMemory(): number {
  return Math.floor(freemem() * usableShare);
}

/** Resident memory of this process in bytes. */
function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** What opening a device adds to a process. */
const deviceBytes = 16 * 1024 * 1024;

/** Resident memory that this process will have before it loads a model, in bytes: as it is, and with a device. */
export function processBytes(): number {
  return residentBytes() + deviceBytes;
}

/**
 * Refuses a run that would not fit, before it starts.
 *
 * @param limit bytes; 0 uses what the process has, and the machine's free memory minus a margin
 * @param smaller how the command's runs are made smaller
 * @throws InputError that names the parts of the memory, and what fits
 */
export function checkMemory(plan: Plan, use: MemoryUse, limit: number, smaller?: SmallerRuns): MemoryEstimate {
  const memory = memoryOf(plan, use);
  const allowed = limit > 0 ? limit : residentBytes() + usableMemory();
  if (!fitsIn(memory, allowed)) {
    throw interruptible(() => memoryRefusal(plan, use, memory, allowed, smaller));
  }
  return memory;
}

/** What a run took, beside what it was expected to take. */
export function runMemory(memory: MemoryEstimate, { bytes, by }: MeasuredPeak): RunMemory {
  return { ...memory, measured: bytes, measuredBy: by };
}

/** Milliseconds between two looks at the resident memory, where the kernel does not keep its highest value for a run. */
const sampleMs = 20;

/**
 * Watches the resident memory of this process for its highest value from now on: that of one run, whatever ran before it.
 *
 * What earlier work has left to the garbage collector is collected first. Linux keeps the highest value itself, and begins
 * anew when asked. Elsewhere, and where that may not be asked, the value is looked at every 20 ms, which misses a peak
 * inside a call of ONNX Runtime; but where the process has never been as large as in this run, the system's mark of its
 * whole life is this run's.
 */
export class PeakWatch {
  /** Resident memory when the run began. */
  readonly startBytes: number;
  private readonly reset: boolean;
  private readonly markBefore: number;
  private highest: number;
  private readonly timer: NodeJS.Timeout | undefined;

  /** @param kernel whether the kernel may be asked: tests look at the other way */
  constructor(kernel = true) {
    collectGarbage();
    this.reset = kernel && resetHighWaterMark();
    this.startBytes = residentBytes();
    this.highest = this.startBytes;
    this.markBefore = lifelongPeak();
    if (!this.reset) {
      this.timer = setInterval(() => this.look(), sampleMs).unref();
    }
  }

  /** The highest value since the watch began. */
  peak(): MeasuredPeak {
    const mark = this.reset ? highWaterMark() : undefined;
    if (mark !== undefined) {
      return { bytes: mark, by: 'system' };
    }
    this.look();
    const life = lifelongPeak();
    return life > this.markBefore ? { bytes: life, by: 'system' } : { bytes: this.highest, by: 'samples' };
  }

  /** Ends the watch. */
  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    this.highest = Math.max(this.highest, residentBytes());
  }
}

/** The highest resident memory of this process in its life. */
function lifelongPeak(): number {
  return process.resourceUsage().maxRSS * 1024;
}

const statusFile = '/proc/self/status';

/** Linux's own mark, in bytes; `resourceUsage` is no substitute, because a child inherits its parent's. */
function highWaterMark(): number | undefined {
  try {
    const mark = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(statusFile, 'utf8'));
    return mark === null ? undefined : Number(mark[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** Has Linux keep the mark from now on (proc(5), clear_refs). @returns whether it does */
function resetHighWaterMark(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return highWaterMark() !== undefined;
  } catch {
    return false;
  }
}

let collector: (() => void) | undefined;

/** Collects garbage now: tensors of earlier runs are large, and V8 sees little of them. */
export function collectGarbage(): void {
  if (collector === undefined) {
    // The function appears only in contexts that are made after the flag was set.
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  collector();
  // V8 gives back the memory of dead buffers on a thread of its own; the next collection waits until that is done.
  collector();
}
