import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { Broker, type BrokerAddress } from '../../../src/fleet/broker';
import { announce, workersOf } from '../../../src/fleet/roster';
import { debianProgram } from '../../harness/debian';
import { CliProcess, startWorker } from '../../harness/fleet-processes';
import { freePort, TestRedis } from '../../harness/redis';
import { run } from '../../support/cli';
import { temporaryFolder } from '../../support/temporary';

const program = await debianProgram('redis-server', ['redis-server']);
const folder = temporaryFolder(afterAll);

/** Connects and leaves. @returns what was logged */
async function connect(address: BrokerAddress): Promise<string[]> {
  const lines: string[] = [];
  const broker = await Broker.open(address, (line) => lines.push(line));
  broker.close();
  return lines;
}

describe("a broker's address", () => {
  const noAddress = 'What is given for the broker is no address; give one such as redis://127.0.0.1:6379 or rediss://user@host:6379.';
  const withPassword =
    'The address of the broker 127.0.0.1:6379 has a password in it, which others can see; give it in TWO_HEADS_BROKER_PASSWORD or with --password-file.';

  it.each([
    ['http://127.0.0.1:6379', noAddress],
    ['127.0.0.1:6379', noAddress],
    ['postgres://host/db', noAddress],
    ['redis://%zz@host', noAddress],
    ['redis://me:SECRET@127.0.0.1:6379', withPassword],
    ['redis://me:SEC:RET@127.0.0.1:6379', withPassword],
    ['redis://me:SEC@RET@127.0.0.1:6379', withPassword],
    ['redis://me:SEC/RET@127.0.0.1:6379', noAddress],
    ['redis://me:7#SECRET@127.0.0.1:6379', /no address|behind the host/],
    [
      'redis://127.0.0.1:6379/0?password=SECRET',
      "The address of the broker 127.0.0.1:6379 has more than a database's number behind the host; write it as redis://host:6379/0.",
    ],
  ])('%s is refused in one line, without a password', async (url, message) => {
    const refusal = await connect({ url }).catch((error: unknown) => error as InputError);
    expect(refusal).toBeInstanceOf(InputError);
    expect((refusal as InputError).message).toMatch(message);
    expect((refusal as InputError).message).not.toMatch(/SEC|RET/);
  });

  it('is refused where something listens that never answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await expect(connect({ url: `redis://127.0.0.1:${port}` })).rejects.toThrow(/(does not answer|cannot be reached)/);
    } finally {
      server.close();
    }
  });

  it('is refused where nobody answers', async () => {
    const port = await freePort();
    await expect(connect({ url: `redis://127.0.0.1:${port}` })).rejects.toThrow(
      new RegExp(`^The broker 127.0.0.1:${port} cannot be reached \\(.*ECONNREFUSED.*\\); check its address, and that it runs\\.$`),
    );
  });

  it('is needed by a worker, and idle flags are refused', async () => {
    expect(await run(['worker'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No broker is named; give one with --on, such as --on redis://127.0.0.1:6379.') as string,
    });
    expect(await run(['evaluate', 'media/samples/prompt.md', '--ca', 'x.pem'])).toMatchObject({
      code: 2,
      stderr: 'two-heads: --ca x.pem does nothing without --on; name a broker or leave it out.\n',
    });
  });

  it.each([
    [['--threads', '1'], 'two-heads: provider auto would go by this machine, and a fleet has others; name one, such as --provider cpu.\n'],
    [
      ['--provider', 'cpu'],
      'two-heads: threads of 0, all that a machine has, would give other numbers on every worker; give some, such as --threads 2.\n',
    ],
  ])('is refused for what would mean something else on every worker: %j', async (flags, stderr) => {
    expect(await run(['evaluate', 'media/samples/prompt.md', ...flags, '--on', 'redis://127.0.0.1:1'])).toMatchObject({ code: 2, stderr });
  });
});

describe.skipIf(program === undefined)('a real redis-server', () => {
  let open: { dispose: () => Promise<void> }[] = [];
  const own = <T extends { dispose: () => Promise<void> }>(thing: T): T => {
    open.push(thing);
    return thing;
  };
  afterEach(async () => {
    await Promise.all(open.map((each) => each.dispose()));
    open = [];
  });
  const start = async (options: Partial<Parameters<typeof TestRedis.start>[0]> = {}): Promise<TestRedis> =>
    own(await TestRedis.start({ program: program ?? '', ...options }));

  it('says what is wrong with the password', async () => {
    const { url } = await start({ config: ['requirepass right'] });
    const name = url.replace('redis://', '');
    await expect(connect({ url })).rejects.toThrow(
      `The broker ${name} wants a password; give it in TWO_HEADS_BROKER_PASSWORD or with --password-file.`,
    );
    await expect(connect({ url, password: 'wrong' })).rejects.toThrow(
      `The broker ${name} refuses the user or the password; check the user in its address and TWO_HEADS_BROKER_PASSWORD or --password-file.`,
    );
    expect(await connect({ url, password: 'right' })).toEqual([]);
  });

  it('takes the password from the environment or a file, and shows it nowhere', async () => {
    const { url } = await start({ config: ['requirepass s3cret'] });
    const path = join(folder, 'password');
    writeFileSync(path, 's3cret\n');
    const fromFile = own(new CliProcess(['fleet', '--on', url, '--password-file', path]));
    expect(await fromFile.end()).toBe(0);
    const worker = own(await startWorker(url, [], { TWO_HEADS_BROKER_PASSWORD: 's3cret' }));
    expect(execFileSync('ps', ['-o', 'args=', '-p', `${worker.child.pid}`]).toString()).not.toContain('s3cret');
    expect(worker.stderr + fromFile.stdout + fromFile.stderr).not.toContain('s3cret');
  });

  it('lets a user work who has the rights that docs/fleet names, and says what others lack', async () => {
    const [, rights] = /^user worker on (.*)$/m.exec(readFileSync('docs/fleet/README.md', 'utf8')) ?? [];
    const { url } = await start({ config: [`user worker on ${rights.replace('>password', '>pw')}`, 'user other on >pw ~* +ping'] });
    const as = (user: string): string => url.replace('//', `//${user}@`);
    const worker = own(await startWorker(as('worker'), [], { TWO_HEADS_BROKER_PASSWORD: 'pw' }));
    const sweep = [
      'sweep',
      'media/samples/prompt.md',
      '--scenario',
      'sliding-window',
      '--window',
      '8',
      '--context',
      '128',
      '--threads',
      '1',
      '--provider',
      'cpu',
    ];
    const job = own(new CliProcess([...sweep, '--on', as('worker')], { TWO_HEADS_BROKER_PASSWORD: 'pw' }));
    expect(await job.end()).toBe(0);
    expect(worker.stderr + job.stderr).not.toMatch(/NOPERM|permission/);
    await expect(connect({ url: as('other'), password: 'pw' })).rejects.toThrow(
      /does not let this user work \(NOPERM.*\); give the user the rights that docs\/fleet names\.$/,
    );
  });

  it('speaks TLS where both sides do, and says which side does not', async () => {
    const [encrypted, plain] = [await start({ tls: true }), await start()];
    const ca = readFileSync(encrypted.ca, 'utf8');
    expect(await connect({ url: encrypted.url, ca })).toEqual([]);
    await expect(connect({ url: encrypted.url })).rejects.toThrow(
      /has a certificate that is not trusted \(.*\); name its authority with --ca\.$/,
    );
    await expect(connect({ url: encrypted.url.replace('rediss', 'redis') })).rejects.toThrow(
      /closed the connection; if it wants TLS, use rediss:\/\/\.$/,
    );
    await expect(connect({ url: plain.url.replace('redis', 'rediss') })).rejects.toThrow(
      /does not answer through TLS \(.*\); check its address, and whether it speaks TLS: otherwise use redis:\/\/\.$/,
    );
    const worker = own(await startWorker(encrypted.url, ['--ca', encrypted.ca]));
    expect(worker.stderr).not.toContain('away');
  });

  it('is warned of where its connection can be read, or its memory drops jobs', async () => {
    const { url } = await start({ config: ['maxmemory-policy allkeys-lru', 'bind * -::*', 'protected-mode no'] });
    expect(await connect({ url })).toEqual([
      `${url.slice(8)} may drop jobs when its memory is full (maxmemory-policy allkeys-lru); set it to noeviction.`,
    ]);
    const address = execFileSync('hostname', ['-I']).toString().split(' ')[0];
    const [warning] = await connect({ url: url.replace('localhost', address) });
    expect(warning).toContain(
      "is not on this machine and its connection is not encrypted: who can read it sees the prompts' tokens; use rediss://.",
    );
  });

  it('is refused for a database that it does not have', async () => {
    const { url } = await start();
    await expect(connect({ url: `${url}/99` })).rejects.toThrow(/has no database 99 \(.*\); leave its number out of the address\.$/);
    await expect(connect({ url, ca: 'x' })).rejects.toThrow(/^A certificate does nothing for redis:\/\//);
  });

  it('gives no work to workers that do not fit, and says what differs', async () => {
    const { url } = await start();
    const broker = await Broker.open({ url }, () => undefined);
    own(await startWorker(url));
    const [real] = await workersOf(broker);
    const digest = 'f'.repeat(64);
    await announce(broker, { ...real, id: 'zz-other', twoHeads: '0.0.1', provider: 'webgpu', models: [{ name: 'tiny-docs-5m', digest }] });
    const job = own(new CliProcess(['evaluate', 'media/samples/prompt.md', '--threads', '1', '--provider', 'coreml', '--on', url]));
    await job.says(
      /Waiting for workers: none of 2 workers fits: \S+ runs on cpu, not coreml; zz-other has Two Heads 0\.0\.1, not [\d.]+, runs on webgpu, not coreml, has another tiny-docs-5m \(digest f{12}, not [0-9a-f]{12}\)\./,
    );
    job.child.kill('SIGINT');
    expect(await job.end()).toBe(130);
    expect((await workersOf(broker)).map(({ rows }) => rows)).toEqual([0, 0]);
    broker.close();
  });
});
