import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { temporaryFolder } from '../support/temporary';
import { CliProcess, resultLines, startWorker } from './fleet-processes';
import { TestRedis } from './redis';

/** 33 rows of two scenarios, in 17 jobs. */
export const sweep = [
  ...['sweep', 'media/samples/prompt.md', '--scenario', 'sliding-window', '--window', '8,32', '--context', '60'],
  ...['--threads', '1', '--provider', 'cpu', '--json'],
];

/** Units of the sweep. */
export const units = 66;

/** For a busy machine; nothing is timed by it. */
export const patience = { timeout: 240_000, interval: 50 };

/** A broker for each test, and the processes that it starts, which end with it. */
export class FleetSuite {
  readonly folder = temporaryFolder(afterAll);
  /** What a local run of the sweep gives. */
  expected: string[] = [];
  redis!: TestRedis;
  /** Where the coordinators of a test write. */
  results = '';
  private started: CliProcess[] = [];
  private next = 0;

  /** To be made within a `describe`. @param program redis-server */
  constructor(private readonly program: string) {
    beforeAll(async () => {
      const path = join(this.folder, 'local.jsonl');
      expect(await new CliProcess([...sweep, '--results', path]).end()).toBe(0);
      this.expected = resultLines(path);
      expect(this.expected).toHaveLength(units);
    });
    beforeEach(async () => {
      this.redis = await TestRedis.start({ program });
      this.results = join(this.folder, `results-${this.next++}.jsonl`);
    });
    afterEach(async () => {
      await Promise.all(this.started.map((process) => process.dispose()));
      this.started = [];
      await this.redis.dispose();
    });
  }

  /** Another broker in place of the test's. */
  async replaceBroker(config: readonly string[]): Promise<void> {
    await this.redis.dispose();
    this.redis = await TestRedis.start({ program: this.program, config });
  }

  start<T extends CliProcess>(process: T): T {
    this.started.push(process);
    return process;
  }

  async worker(...args: string[]): Promise<CliProcess> {
    return this.start(await startWorker(this.redis.url, args));
  }

  coordinator(to = this.results): CliProcess {
    return this.start(new CliProcess([...sweep, '--on', this.redis.url, '--results', to]));
  }

  /** Waits until some results are on the disk, and others are not. */
  async midway(): Promise<void> {
    const { results } = this;
    await vi.waitFor(() => {
      expect(existsSync(results) ? readFileSync(results, 'utf8').split('\n').length : 0).toBeGreaterThan(7);
    }, patience);
    expect(resultLines(results).length).toBeLessThan(units);
  }

  /** A coordinator's results: every unit once, each as a local run has it. */
  async expectWhole(process: CliProcess): Promise<void> {
    const code = await process.end();
    expect(process.stderr).not.toMatch(/two-heads:/);
    expect(code).toBe(0);
    expect(resultLines(this.results)).toEqual(this.expected);
  }
}
