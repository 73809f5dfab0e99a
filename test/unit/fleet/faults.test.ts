import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { debianProgram } from '../../harness/debian';
import { CliProcess, resultLines, startWorker } from '../../harness/fleet-processes';
import { FleetSuite, patience, sweep, units } from '../../harness/fleet-suite';

const program = await debianProgram('redis-server', ['redis-server']);

/** Whether this process may make networks: some machines allow namespaces and no links between them. */
const probe = 'ip netns add th-probe && ip link add th-probe-a type veth peer name th-probe-b netns th-probe';
const makesNetworks = spawnSync('sh', ['-c', probe]).status === 0;
spawnSync('ip', ['netns', 'del', 'th-probe']);
if (!makesNetworks) {
  console.warn('SKIPPED: a partition of the network. Its test needs root, and `apt-get install iproute2`.');
}

describe.skipIf(program === undefined)('an experiment on a fleet, by real processes on a real redis-server', () => {
  const fleet = new FleetSuite(program ?? '');

  it('gives the results of a local run, line for line, and says which machine did what', async () => {
    const [first, second] = [await fleet.worker(), await fleet.worker()];
    const run = fleet.coordinator();
    await fleet.expectWhole(run);
    expect(run.stderr).toMatch(/: 17 jobs, .* of work\./);
    expect(first.stderr + second.stderr).toMatch(/engine process/);
    // Nothing is left behind.
    expect(await fleet.redis.ask((client) => client.keys('*:completed'))).toEqual([]);
  });

  it('loses nothing where a worker is killed', async () => {
    const [first] = [await fleet.worker(), await fleet.worker()];
    const run = fleet.coordinator();
    await fleet.midway();
    await first.signal('SIGKILL');
    await fleet.expectWhole(run);
  });

  it('loses nothing where an engine process is killed, and goes on at once', async () => {
    const only = await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    execFileSync('pkill', ['-KILL', '-P', `${only.child.pid}`]);
    await fleet.expectWhole(run);
    expect(only.stderr).toContain('ended (SIGKILL)');
  });

  it('has the late answer of a worker refused that stood still while another took its job', async () => {
    const [first] = [await fleet.worker(), await fleet.worker()];
    const run = fleet.coordinator();
    await fleet.midway();
    await first.signal('SIGSTOP');
    await fleet.expectWhole(run);
    await first.signal('SIGCONT');
    await wait(1000);
    expect(resultLines(fleet.results)).toEqual(fleet.expected);
  });

  it('goes on where the broker is killed and comes back with nothing', async () => {
    await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    await fleet.redis.kill();
    await run.says(/is away/);
    await fleet.redis.launch();
    await fleet.expectWhole(run);
    expect(run.stderr).toContain('is back');
  });

  it('goes on where somebody empties the broker', async () => {
    await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    await fleet.redis.ask((client) => client.flushall());
    await fleet.expectWhole(run);
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
      await fleet.replaceBroker(['protected-mode no', 'bind * -::*']);
      const away = fleet.start(await startWorker(`redis://${address}.1:${fleet.redis.port}`, [], {}, ['ip', 'netns', 'exec', name]));
      const run = fleet.coordinator();
      await fleet.midway();
      ip('link', 'set', `${name}a`, 'down');
      const near = await fleet.worker();
      await fleet.expectWhole(run);
      ip('link', 'set', `${name}a`, 'up');
      fleet.results = `${fleet.results}.again`;
      // The other one leaves: what is left to do is the first one's.
      await near.signal('SIGTERM');
      const again = fleet.coordinator();
      await fleet.expectWhole(again);
      expect(away.child.exitCode).toBeNull();
    } finally {
      ip('netns', 'del', name);
    }
  });

  it('begins again where the coordinator is killed, with what is on the disk and what workers have done since', async () => {
    await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    await run.signal('SIGKILL');
    const before = resultLines(fleet.results).length;
    const again = fleet.coordinator();
    await fleet.expectWhole(again);
    expect((JSON.parse(again.stdout) as { resumed: number }).resumed).toBeGreaterThanOrEqual(before);
  });

  it('shares the rows between two coordinators that write to one folder', async () => {
    await Promise.all([fleet.worker(), fleet.worker()]);
    const shared = `${join(fleet.folder, 'shared')}/`;
    const runs = [fleet.coordinator(shared), fleet.coordinator(shared)];
    expect(await Promise.all(runs.map((run) => run.end()))).toEqual([0, 0]);
    const check = fleet.start(new CliProcess([...sweep, '--results', shared]));
    expect(await check.end()).toBe(0);
    expect((JSON.parse(check.stdout) as { resumed: number }).resumed).toBe(units);
    const lines = execFileSync('sh', ['-c', `cat '${shared}'*.jsonl`]).toString();
    expect(lines.trim().split('\n')).toHaveLength(units);
  });

  it('hands back its row where a worker gets SIGTERM, without a try counted', async () => {
    const first = await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    await first.signal('SIGTERM');
    expect(first.child.exitCode).toBe(0);
    expect(first.stderr).toMatch(/left after \d+ rows/);
    const active = await fleet.redis.ask((client) => client.keys('*:active'));
    expect(active).toEqual([]);
    await fleet.worker();
    await fleet.expectWhole(run);
    expect(run.stderr).not.toContain('failed');
  });

  it('takes back what waits where a run is cancelled, and goes on later', async () => {
    const only = await fleet.worker();
    const run = fleet.coordinator();
    await fleet.midway();
    run.child.kill('SIGINT');
    expect(await run.end()).toBe(130);
    expect(run.stderr).toContain('goes on from there');
    await vi.waitFor(async () => {
      const state = fleet.start(new CliProcess(['fleet', '--on', fleet.redis.url, '--json']));
      await state.end();
      const { workers, queues } = JSON.parse(state.stdout) as {
        workers: { row: unknown }[];
        queues: { waiting: number; active: number }[];
      };
      expect(workers.map(({ row }) => row)).toEqual([null]);
      // One for each model that runs.
      expect(queues.reduce((sum, { waiting, active }) => sum + waiting + active, 0)).toBe(0);
    }, patience);
    await fleet.expectWhole(fleet.coordinator());
    expect(only.child.exitCode).toBeNull();
  });
});
