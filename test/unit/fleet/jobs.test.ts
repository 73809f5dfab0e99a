import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { debianProgram } from '../../harness/debian';
import { CliProcess, resultLines } from '../../harness/fleet-processes';
import { FleetSuite, patience, sweep } from '../../harness/fleet-suite';
import { embeddedFolder } from '../../support/paths';

const program = await debianProgram('redis-server', ['redis-server']);

describe.skipIf(program === undefined)('jobs of a fleet, by real processes on a real redis-server', () => {
  const fleet = new FleetSuite(program ?? '');

  it('is refused at once for what no worker can measure, as a local run is', async () => {
    await fleet.worker();
    const run = fleet.start(new CliProcess([...sweep, '--precision', 'float16', '--on', fleet.redis.url, '--results', fleet.results]));
    expect(await run.end()).toBe(2);
    expect(run.stderr.match(/two-heads: .*/g)).toEqual([expect.stringMatching(/^two-heads: rows 1 to 2: .*float16.*\.$/)]);
  });

  it('has no worker with a device that does not run there', async () => {
    const refused = fleet.start(new CliProcess(['worker', '--on', fleet.redis.url, '--provider', 'dml']));
    expect(await refused.end()).toBe(2);
    expect(refused.stderr).toContain('Provider "dml" is not in ONNX Runtime');
  });

  it('gives the jobs of a worker whose model was replaced to another one, and the worker ends', async () => {
    const models = join(fleet.folder, 'replaced');
    cpSync(embeddedFolder, join(models, 'tiny'), { recursive: true });
    const broken = await fleet.worker('--models', models);
    const weights = join(models, 'tiny', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes.fill(0, bytes.length - 100_000);
    writeFileSync(weights, bytes);
    await fleet.worker();
    await fleet.expectWhole(fleet.coordinator());
    expect(await broken.end()).toBe(2);
    expect(broken.stderr).toContain('tiny is not what it was when this worker started; start it again.');
  });

  it('has one worker of two models of one content, which leaves as others do', async () => {
    const models = join(fleet.folder, 'twins');
    ['one', 'two'].forEach((name) => cpSync(embeddedFolder, join(models, name), { recursive: true }));
    const only = await fleet.worker('--models', models);
    expect(only.stderr).toMatch(/two is left out: one has the same content\./);
    await fleet.expectWhole(fleet.coordinator());
    await only.signal('SIGTERM');
    expect(only.child.exitCode).toBe(0);
  });

  it('goes on where another coordinator that wants the same is cancelled', async () => {
    await fleet.worker();
    const other = fleet.coordinator(`${fleet.results}.other`);
    const run = fleet.coordinator();
    await fleet.midway();
    other.child.kill('SIGINT');
    await fleet.expectWhole(run);
    expect(await other.end()).toBe(130);
  });

  it('goes on where two coordinators share a file and the broker is emptied while each waits for the other', async () => {
    const only = await fleet.worker();
    const runs = [fleet.coordinator(), fleet.coordinator()];
    await fleet.midway();
    await only.signal('SIGSTOP');
    await fleet.redis.ask((client) => client.flushall());
    await only.signal('SIGCONT');
    expect(await Promise.all(runs.map((run) => run.end()))).toEqual([0, 0]);
    expect(resultLines(fleet.results)).toEqual(fleet.expected);
  });

  it('takes no result of another kind, and is measured by the next worker', async () => {
    const { Worker } = await import('bullmq');
    const run = fleet.coordinator();
    await run.says(/no worker is there/);
    const [queue] = await fleet.redis.ask((client) => client.hkeys('two-heads:queues'));
    const liar = new Worker(
      queue,
      (job: { data: { rows: { units: { id: string }[] }[] } }) =>
        Promise.resolve({
          host: 'liar',
          wallMs: 1,
          units: job.data.rows.flatMap(({ units: own }) => own.map((unit) => ({ unit: unit.id, result: { logProbability: -1, rank: 1 } }))),
        }),
      { connection: { port: fleet.redis.port, maxRetriesPerRequest: null }, prefix: 'two-heads' },
    );
    await run.says(/came back as no result/);
    await liar.close();
    await fleet.worker();
    await run.end();
    expect(run.child.exitCode).toBe(1);
    await fleet.expectWhole(fleet.coordinator());
  });

  it('passes over what is no job, and says so', async () => {
    await fleet.worker();
    const { Queue } = await import('bullmq');
    const [key] = await fleet.redis.ask((client) => client.hkeys('two-heads:queues'));
    const queue = new Queue(key, { connection: { port: fleet.redis.port }, prefix: 'two-heads' });
    const job = await queue.add('rows', { kind: 'rows', run: '../../etc/passwd', code: 'process.exit()' }, { attempts: 3 });
    await vi.waitFor(
      async () => expect(await queue.getJob(job.id ?? '').then((found) => found?.failedReason)).toMatch(/is none of Two Heads/),
      patience,
    );
    await queue.close();
    await fleet.expectWhole(fleet.coordinator());
  });

  it('runs shards of one prompt as one machine does', async () => {
    await Promise.all([fleet.worker(), fleet.worker()]);
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
    const [here, there] = [new CliProcess(simulate), new CliProcess([...simulate, '--on', fleet.redis.url])].map((each) =>
      fleet.start(each),
    );
    expect([await here.end(), await there.end()]).toEqual([0, 0]);
    const figures = ({ stdout }: CliProcess): unknown => {
      const { quality, fidelity } = JSON.parse(stdout) as { quality: unknown; fidelity: unknown };
      return { quality, fidelity };
    };
    expect(figures(there)).toEqual(figures(here));
  });
});
