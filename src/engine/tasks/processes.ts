import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Where a process number means the same process, for names of files: containers may share a machine's name, and have numbers of
 * their own.
 */
export const processSpace = [hostname(), ...processNamespace()].join('-').replaceAll(/[^A-Za-z0-9-]/g, '-');

/** The number of Linux's namespace of processes; nothing elsewhere. */
function processNamespace(): string[] {
  try {
    return readlinkSync('/proc/self/ns/pid').match(/\d+/g) ?? [];
  } catch {
    return [];
  }
}

/** Whether there is a process with this number in this `processSpace`. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
