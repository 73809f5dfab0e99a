import { readFileSync } from 'node:fs';
import { arch, cpus, freemem, platform, release, totalmem } from 'node:os';
import { env } from './onnxruntime';
import { version } from '../../package.json';
import { isBlackBox } from '../core/construct/construction';
import { InputError } from '../core/errors';
import { formatBytes } from '../core/format';
import { largestBlockThatFits } from '../core/plan/cost';
import type { Plan } from '../core/plan/plan';
import type { Environment } from '../core/report/report';

/** Describes this machine and the versions in use, now. */
export function describeEnvironment(): Environment {
  return {
    twoHeads: version,
    node: process.versions.node,
    onnxruntime: env.versions.node ?? env.versions.common,
    platform: `${platform()}-${arch()} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    date: new Date().toISOString(),
  };
}

/**
 * The highest resident memory of this process so far, in bytes.
 *
 * On Linux a child inherits `maxRSS` from its parent; the process's own high-water mark is in its status file.
 */
export function peakResidentBytes(): number {
  try {
    const mark = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (mark !== null) {
      return Number(mark[1]) * 1024;
    }
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** The fraction of free memory that a run may plan to use. */
const usableShare = 0.8;

/** Bytes that a run may plan to use now. */
export function usableMemory(): number {
  return Math.floor(freemem() * usableShare);
}

/**
 * Refuses a plan that would not fit, before it starts.
 *
 * @param limit bytes; 0 uses the machine's free memory minus a margin
 * @param kept bytes that stay in memory beside the plan's own
 * @throws InputError that names the block size and the largest one that fits
 */
export function checkMemory(plan: Plan, limit: number, kept = 0): void {
  const allowed = limit > 0 ? limit : usableMemory();
  if (plan.bytes + kept <= allowed) {
    return;
  }
  const fitting = largestBlockThatFits(plan, allowed - kept);
  const fix =
    fitting === undefined
      ? `no block size fits: cut the prompt with --max-tokens${isBlackBox(plan.construction) ? ', or use fewer --oracle-layers and --oracle-heads' : ''}`
      : `use --block ${fitting} or smaller`;
  throw new InputError(
    `A block size of ${plan.oracle.inputLength} needs about ${formatBytes(plan.bytes + kept)} of memory and ${formatBytes(allowed)} may be used; ${fix}.`,
  );
}
