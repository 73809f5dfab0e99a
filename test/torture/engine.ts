import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultOptions } from '../../src/core/options/table';
import { EngineClient } from '../../src/engine/process/engine-client';
import { root } from '../support/paths';

const engineEntry = join(root, 'dist', 'engine.js');

/** The sample that ships, of 4,957 tokens. */
export function sampleText(): string {
  return readFileSync(join(root, 'media', 'samples', 'long-prompt.md'), 'utf8');
}

/** A run of some hundred milliseconds; by one thread, so that its numbers are the same each time. */
export const shortRun = {
  path: 'prompt.md',
  text: readFileSync(join(root, 'media', 'samples', 'prompt.md'), 'utf8').slice(0, 500),
  options: { ...defaultOptions, blockSize: 64, threads: 1 },
};

/** An engine process behind its client, and its number while it runs. */
export class Engine {
  /** The number of the process; undefined where none was started or it ended. */
  pid: number | undefined;
  readonly lines: string[] = [];
  readonly client = new EngineClient(engineEntry, undefined, (line) => {
    this.lines.push(line);
    const started = /^The engine process (\d+) started/.exec(line);
    if (started !== null) {
      this.pid = Number(started[1]);
    } else if (/^The engine process \d+ ended/.test(line)) {
      this.pid = undefined;
    }
  });

  stop(): void {
    this.client.dispose();
    this.pid = undefined;
  }
}

/** A call that hangs is a fault. */
export async function callWithin<T>(milliseconds: number, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a process is there. @param zombies whether one counts that ended and was not waited for */
export function isRunning(pid: number, zombies: boolean): boolean {
  try {
    const state = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    return zombies || (state !== 'Z' && state !== 'X');
  } catch {
    return false;
  }
}
