import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { debianProgram } from '../../harness/debian';
import { CliProcess, resultLines, startWorker } from '../../harness/fleet-processes';
import { TestRedis } from '../../harness/redis';
import { temporaryFolder } from '../../support/temporary';

const program = await debianProgram('redis-server', ['redis-server']);

/** 40 rows of two scenarios and the baseline, in 20 jobs. */
const sweep = [
  ...['sweep', 'media/samples/long-prompt.md', '--scenario', 'sliding-window', '--window', '8,32', '--context', '128'],
  ...['--threads', '1', '--provider', 'cpu', '--json'],
];
const units = 80;

/** For a busy machine; nothing is timed by it. */
const patience = { timeout: 240_000, interval: 50 };

/** Whether this process may make networks. */
const makesNetworks = spawnSync('ip', ['netns', 'add', 'two-heads-probe']).status === 0;
if (makesNetworks) {
  execFileSync('ip', ['netns', 'del', 'two-heads-probe']);
} else {
  console.warn('SKIPPED: a partition of the network. Its test needs root, and `apt-get install iproute2`.');
}

describe.skipIf(program === undefined)('an experiment on a fleet, by real processes on a real redis-server', () => {
  const folder = temporaryFolder(afterAll);
  let expected: string[];
  let redis: TestRedis;
  let started: CliProcess[] = [];
  let results: string;
  let next = 0;

  const start = <T extends CliProcess>(process: T): T => {
    started.push(process);
    return process;
  };
  const worker = async (...args: string[]): Promise<CliProcess> => start(await startWorker(redis.url, args));
  const coordinator = (to = results): CliProcess => start(new CliProcess([...sweep, '--on', redis.url, '--results', to]));
  /** Waits until some results are on the disk, and others are not. */
  const midway = async (to = results): Promise<void> => {
    await vi.waitFor(() => {
      expect(existsSync(to) ? readFileSync(to, 'utf8').split('\n').length : 0).toBeGreaterThan(9);
    }, patience);
    expect(resultLines(to).length).toBeLessThan(units);
  };
  /** Every unit once, each as a local run has it. */
  const expectWhole = async (process: CliProcess, to = results): Promise<void> => {
    const code = await process.end();
    expect(process.stderr).not.toMatch(/two-heads:/);
    expect(code).toBe(0);
    expect(resultLines(to)).toEqual(expected);
  };

  beforeAll(async () => {
    const local = new CliProcess([...sweep, '--results', join(folder, 'local.jsonl')]);
    expect(await local.end()).toBe(0);
    expected = resultLines(join(folder, 'local.jsonl'));
    expect(expected).toHaveLength(units);
  });
  beforeEach(async () => {
    redis = await TestRedis.start({ program: program ?? '' });
    results = join(folder, `results-${next++}.jsonl`);
  });
  afterEach(async () => {
    await Promise.all(started.map((process) => process.dispose()));
    started = [];
    await redis.dispose();
  });

  it('gives the results of a local run, line for line, and says which machine did what', async () => {
    const [first, second] = [await worker(), await worker()];
    const run = coordinator();
    await expectWhole(run);
    expect(run.stderr).toMatch(/did 20 jobs in/);
    expect(first.stderr + second.stderr).toMatch(/engine process/);
    // Nothing is left behind.
    expect(await redis.ask((client) => client.keys('*:completed'))).toEqual([]);
  });

  it('loses nothing where a worker is killed', async () => {
    const [first] = [await worker(), await worker()];
    const run = coordinator();
    await midway();
    await first.signal('SIGKILL');
    await expectWhole(run);
  });

  it('loses nothing where an engine process is killed, and goes on at once', async () => {
    const only = await worker();
    const run = coordinator();
    await midway();
    execFileSync('pkill', ['-KILL', '-P', `${only.child.pid}`]);
    await expectWhole(run);
    expect(only.stderr).toContain('ended (SIGKILL)');
  });

  it('has the late answer of a worker refused that stood still while another took its job', async () => {
    const [first] = [await worker(), await worker()];
    const run = coordinator();
    await midway();
    await first.signal('SIGSTOP');
    await expectWhole(run);
    await first.signal('SIGCONT');
    await wait(1000);
    expect(resultLines(results)).toEqual(expected);
  });

  it('goes on where the broker is killed and comes back with nothing', async () => {
    await worker();
    const run = coordinator();
    await midway();
    await redis.kill();
    await run.says(/is away/);
    await redis.launch();
    await expectWhole(run);
    expect(run.stderr).toContain('is back');
  });

  it('goes on where somebody empties the broker', async () => {
    await worker();
    const run = coordinator();
    await midway();
    await redis.ask((client) => client.flushall());
    await expectWhole(run);
  });

  it.skipIf(!makesNetworks)('goes on where a worker is cut off from the network, and takes it in again', async () => {
    const [name, address] = [`th-${process.pid}`, '10.231.77'];
    const ip = (...args: string[]): void => void execFileSync('ip', args);
    ip('netns', 'add', name);
    try {
      ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
      ip('addr', 'add', `${address}.1/30`, 'dev', `${name}a`);
      ip('link', 'set', `${name}a`, 'up');
      ip('-n', name, 'addr', 'add', `${address}.2/30`, 'dev', `${name}b`);
      ip('-n', name, 'link', 'set', `${name}b`, 'up');
      await redis.dispose();
      redis = await TestRedis.start({ program: program ?? '', config: ['protected-mode no', 'bind * -::*'] });
      const away = start(await startWorker(`redis://${address}.1:${redis.port}`, [], {}, ['ip', 'netns', 'exec', name]));
      const run = coordinator();
      await midway();
      ip('link', 'set', `${name}a`, 'down');
      await worker();
      await expectWhole(run);
      ip('link', 'set', `${name}a`, 'up');
      results = `${results}.again`;
      // The other one leaves: what is left to do is the first one's.
      await started[started.length - 1].signal('SIGTERM');
      const again = coordinator();
      await expectWhole(again);
      expect(away.child.exitCode).toBeNull();
    } finally {
      ip('netns', 'del', name);
    }
  });

  it('begins again where the coordinator is killed, with what is on the disk and what workers have done since', async () => {
    await worker();
    const run = coordinator();
    await midway();
    await run.signal('SIGKILL');
    const before = resultLines(results).length;
    const again = coordinator();
    await expectWhole(again);
    expect((JSON.parse(again.stdout) as { resumed: number }).resumed).toBeGreaterThanOrEqual(before);
  });

  it('shares the rows between two coordinators that write to one folder', async () => {
    await Promise.all([worker(), worker()]);
    const shared = `${join(folder, 'shared')}/`;
    const runs = [coordinator(shared), coordinator(shared)];
    expect(await Promise.all(runs.map((run) => run.end()))).toEqual([0, 0]);
    const check = start(new CliProcess([...sweep, '--results', shared]));
    expect(await check.end()).toBe(0);
    expect((JSON.parse(check.stdout) as { resumed: number }).resumed).toBe(units);
    const lines = execFileSync('sh', ['-c', `cat '${shared}'*.jsonl`]).toString();
    expect(lines.trim().split('\n')).toHaveLength(units);
  });

  it('hands back its row where a worker is told to leave, without a try counted', async () => {
    const first = await worker();
    const run = coordinator();
    await midway();
    await first.signal('SIGTERM');
    expect(first.child.exitCode).toBe(0);
    expect(first.stderr).toMatch(/left after \d+ rows/);
    const active = await redis.ask((client) => client.keys('*:active'));
    expect(active).toEqual([]);
    await worker();
    await expectWhole(run);
    expect(run.stderr).not.toContain('failed');
  });

  it('takes back what waits where a run is cancelled, and goes on later', async () => {
    const only = await worker();
    const run = coordinator();
    await midway();
    run.child.kill('SIGINT');
    expect(await run.end()).toBe(130);
    expect(run.stderr).toContain('goes on from there');
    await vi.waitFor(async () => {
      const state = start(new CliProcess(['fleet', '--on', redis.url, '--json']));
      await state.end();
      const { workers, queues } = JSON.parse(state.stdout) as {
        workers: { row: unknown }[];
        queues: { waiting: number; active: number }[];
      };
      expect(workers.map(({ row }) => row)).toEqual([null]);
      expect(queues.map(({ waiting, active }) => waiting + active)).toEqual([0]);
    }, patience);
    await expectWhole(coordinator());
    expect(only.child.exitCode).toBeNull();
  });

  it('fails rows that no worker can measure, by name, without trying again', async () => {
    await worker('--provider', 'dml');
    const run = start(new CliProcess([...sweep.map((word) => (word === 'cpu' ? 'dml' : word)), '--on', redis.url, '--results', results]));
    expect(await run.end()).toBe(1);
    expect(run.stderr).toMatch(
      /two-heads: rows 1 to 2 failed: Provider "dml" is not in ONNX Runtime.*; 19 more failed\. The rest is measured\./,
    );
  });

  it('passes over what is no job, and says so', async () => {
    await worker();
    const { Queue } = await import('bullmq');
    const [key] = await redis.ask((client) => client.hkeys('two-heads:queues'));
    const queue = new Queue(key, { connection: { port: redis.port }, prefix: 'two-heads' });
    const job = await queue.add('rows', { kind: 'rows', run: '../../etc/passwd', code: 'process.exit()' }, { attempts: 3 });
    await vi.waitFor(
      async () => expect(await queue.getJob(job.id ?? '').then((found) => found?.failedReason)).toMatch(/is none of Two Heads/),
      patience,
    );
    await queue.close();
    await expectWhole(coordinator());
  });

  it('runs shards of one prompt as one machine does', async () => {
    await Promise.all([worker(), worker()]);
    const simulate = [
      'simulate',
      'media/samples/long-prompt.md',
      '--scenario',
      'sliding-window',
      '--window',
      '32',
      '--shards',
      '4',
      '--threads',
      '1',
      '--provider',
      'cpu',
      '--json',
    ];
    const [here, there] = [new CliProcess(simulate), new CliProcess([...simulate, '--on', redis.url])].map(start);
    expect([await here.end(), await there.end()]).toEqual([0, 0]);
    const figures = ({ stdout }: CliProcess): unknown => {
      const { quality, fidelity } = JSON.parse(stdout) as { quality: unknown; fidelity: unknown };
      return { quality, fidelity };
    };
    expect(figures(there)).toEqual(figures(here));
  });
});
