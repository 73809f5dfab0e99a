import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CliProcess, resultLines, startWorker } from '../harness/fleet-processes';
import { TestRedis } from '../harness/redis';
import { type BenchContext, median, type Section } from './section';

/** A sweep whose rows are windows of so many tokens, each under so many windows of attention. */
function sweep(context: number, stride: number, windows: number, ...more: readonly string[]): string[] {
  const list = Array.from({ length: windows }, (_, index) => index + 1).join();
  return [
    ...['sweep', 'media/samples/long-prompt.md', '--scenario', 'sliding-window', '--window', list, '--block', '64'],
    ...['--context', `${context}`, '--stride', `${stride}`, '--threads', '1', '--provider', 'cpu', '--json', ...more],
  ];
}

/** Experiments on a fleet: what passing work on costs, what more workers bring, how soon each fault is noticed, and a long run full of them. */
export async function fleet({ quick, log }: BenchContext): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-bench-'));
  const redis = await TestRedis.start({ program: 'redis-server' });
  try {
    const bench = new FleetBench(redis, folder, log);
    const rows = [
      ...(await bench.speed(quick ? 1 : 3)),
      ...(await bench.faults()),
      ...(await bench.longRun(quick ? sweep(24, 24, 4) : sweep(24, 7, 16))),
    ];
    return {
      name: 'fleet',
      title: 'Experiments on a fleet',
      method:
        'Workers, coordinator and `redis-server` on one machine, one thread a worker, one run after another; tiny-docs-5m. Speed: 80 rows of 256 tokens under 4 scenarios, from the first row to the last, without starting processes; medians. Faults: one run each, from the fault to the next result of the row that it hit, or to the line that tells it.',
      columns: { what: 'what', figure: 'measured', note: 'beside it' },
      rows,
      goals: [],
    };
  } finally {
    await redis.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

type FleetRow = Readonly<Record<'what' | 'figure' | 'note', string>>;

class FleetBench {
  private next = 0;

  constructor(
    private readonly redis: TestRedis,
    private readonly folder: string,
    private readonly log: (line: string) => void,
  ) {}

  /** One process against 1, 2 and 4 workers, in turn. */
  async speed(rounds: number): Promise<FleetRow[]> {
    const asked = sweep(256, 64, 4);
    const local: number[] = [];
    const byWorkers = new Map<number, number[]>([1, 2, 4].map((count) => [count, []]));
    for (let round = 0; round < rounds; round += 1) {
      this.log(`fleet: round ${round + 1} of ${rounds}`);
      local.push(await this.timeOf([...asked, '--results', this.path()]));
      for (const [count, times] of byWorkers) {
        const workers = await this.workers(count);
        times.push(await this.timeOf([...asked, '--on', this.redis.url, '--results', this.path()]));
        await Promise.all(workers.map((worker) => worker.dispose()));
        await this.redis.ask((client) => client.flushall());
      }
    }
    const units = resultLines(join(this.folder, 'results-0.jsonl')).length;
    const one = median(byWorkers.get(1) ?? []);
    return [
      { what: 'one process, no broker', figure: `${seconds(median(local))} s`, note: `${units} units` },
      ...[...byWorkers].map(([count, times]) => ({
        what: `${count} ${count === 1 ? 'worker' : 'workers'}`,
        figure: `${(median(local) / median(times)).toFixed(2)} times as fast`,
        note: `${seconds(median(times))} s`,
      })),
      { what: 'overhead of a unit, one worker against one process', figure: `${((one - median(local)) / units).toFixed(1)} ms`, note: '' },
    ];
  }

  /** From each fault to what shows that it was noticed. */
  async faults(): Promise<FleetRow[]> {
    const rows: FleetRow[] = [];
    const during = async (
      what: string,
      workers: number,
      act: (started: CliProcess[], run: CliProcess) => Promise<string>,
    ): Promise<void> => {
      this.log(`fleet: ${what}`);
      const started = await this.workers(workers);
      const path = this.path();
      const run = new CliProcess([...sweep(256, 64, 4), '--on', this.redis.url, '--results', path]);
      await this.linesAbove(path, 20, run);
      const start = performance.now();
      const note = await act(started, run);
      rows.push({ what, figure: `${seconds(performance.now() - start)} s`, note });
      const code = await run.end();
      const lines = new Set(resultLines(path)).size;
      rows.push({ what: '', figure: '', note: `exit ${code}, ${lines} units, ${resultLines(path).length - lines} twice` });
      await Promise.all(started.map((worker) => worker.dispose()));
      await this.redis.ask((client) => client.flushall());
    };
    await during('kill -9 of the engine process', 1, async ([worker]) => {
      execFileSync('pkill', ['-KILL', '-P', `${worker.child.pid}`]);
      await worker.says(/ended \(SIGKILL\)/);
      return 'until the worker says so; the job is tried again after 0.5 s';
    });
    await during('kill -9 of one of two workers', 2, async ([worker]) => {
      await worker.signal('SIGKILL');
      await this.nothingActive(1);
      return 'until its job is given to the other';
    });
    await during('kill -9 of the broker', 1, async (_workers, run) => {
      await this.redis.kill();
      await run.says(/is away/);
      await this.redis.launch();
      await run.says(/is back/);
      return 'until the coordinator says that it is back, with nothing in it';
    });
    await during('SIGTERM to one of two workers', 2, async ([worker]) => {
      await worker.signal('SIGTERM');
      return 'until it has handed back its row and left';
    });
    await during('Ctrl-C at the coordinator', 1, async ([worker], run) => {
      run.child.kill('SIGINT');
      await run.end();
      await this.nothingActive(0);
      return `until the worker has let go of the row (${worker.child.exitCode === null ? 'it stays' : 'it left'})`;
    });
    return rows;
  }

  /** A long run on four workers, one of which is killed every 5 s, and the broker's memory meanwhile. */
  async longRun(asked: readonly string[]): Promise<FleetRow[]> {
    this.log('fleet: a local run to compare with');
    const [localPath, path] = [this.path(), this.path()];
    const local = await this.timeOf([...asked, '--results', localPath]);
    const expected = resultLines(localPath);
    this.log(`fleet: ${expected.length} units on four workers, one killed every 5 s`);
    const workers = await this.workers(4);
    const empty = await this.memory('used_memory');
    const run = new CliProcess([...asked, '--on', this.redis.url, '--results', path]);
    const start = performance.now();
    const ended = run.end().then(() => 'ended');
    let kills = 0;
    while ((await Promise.race([ended, wait(5000)])) !== 'ended') {
      await workers[kills % 4].signal('SIGKILL');
      workers[kills % 4] = await startWorker(this.redis.url);
      kills += 1;
    }
    const wallMs = performance.now() - start;
    const peak = await this.memory('used_memory_peak');
    await Promise.all(workers.map((worker) => worker.dispose()));
    const lines = resultLines(path);
    const equal = digestOf(lines) === digestOf(expected);
    return [
      {
        what: `${expected.length} units on four workers, ${kills} of them killed`,
        figure: `${lines.length} lines, ${lines.length - new Set(lines).size} twice`,
        note: `${equal ? 'equal to' : 'other than'} a local run's, line for line after sorting; ${seconds(wallMs)} s, the local run ${seconds(local)} s`,
      },
      {
        what: "the broker's memory in that run",
        figure: `${((peak - empty) / 2 ** 20).toFixed(1)} MiB`,
        note: 'at its peak, above an empty broker',
      },
    ];
  }

  private async workers(count: number): Promise<CliProcess[]> {
    return Promise.all(Array.from({ length: count }, () => startWorker(this.redis.url)));
  }

  private path(): string {
    return join(this.folder, `results-${this.next++}.jsonl`);
  }

  /** From the first result to the last, in milliseconds: without starting the command and the engine. */
  private async timeOf(args: readonly string[]): Promise<number> {
    const path = args[args.length - 1];
    const run = new CliProcess(args);
    await this.linesAbove(path, 0, run);
    const start = performance.now();
    if ((await run.end()) !== 0) {
      throw new Error(run.stderr);
    }
    return performance.now() - start;
  }

  private async linesAbove(path: string, count: number, run: CliProcess): Promise<void> {
    while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length - 1 <= count) {
      if (run.child.exitCode !== null) {
        throw new Error(run.stderr);
      }
      await wait(5);
    }
  }

  /** Waits until no more than so many jobs are with workers. */
  private async nothingActive(most: number): Promise<void> {
    await this.redis.ask(async (client) => {
      for (;;) {
        const keys = await client.keys('two-heads:*:active');
        const lengths = await Promise.all(keys.map((key) => client.llen(key)));
        if (lengths.reduce((sum, length) => sum + length, 0) <= most) {
          return;
        }
        await wait(20);
      }
    });
  }

  private async memory(field: string): Promise<number> {
    const info = await this.redis.ask((client) => client.info('memory'));
    return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  }
}

function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toPrecision(3);
}
