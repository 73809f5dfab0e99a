import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import type { Progress } from '../../../src/core/report/phases';
import { handlerOf } from '../../../src/engine/process/handler';
import type { CallContext, Response } from '../../../src/engine/process/rpc';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { DigestStore } from '../../../src/engine/store/digests';
import { type FleetMethods, fleetMethods } from '../../../src/fleet/process/fleet-methods';
import { debianProgram } from '../../harness/debian';
import { startWorker } from '../../harness/fleet-processes';
import { TestRedis } from '../../harness/redis';
import { modelsFolder } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const program = await debianProgram('redis-server', ['redis-server']);
const prompt = 'A window of few tokens sees little, and a long text has many windows. '.repeat(40);

let open: { dispose: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.map((each) => each.dispose()));
  open = [];
});
const own = <T extends { dispose: () => Promise<void> }>(thing: T): T => {
  open.push(thing);
  return thing;
};

/** The methods as their process has them, with what they logged. */
function methods(): FleetMethods & { readonly logged: string[] } {
  const logged: string[] = [];
  const places = { modelsFolder, calibrations: new CalibrationStore(temporaryFolder()), digests: new DigestStore(undefined) };
  return { ...fleetMethods(places, (line) => void logged.push(line)), logged };
}

/** What surrounds a call, with its progress. */
function context(signal = new AbortController().signal): CallContext & { readonly messages: string[] } {
  const messages: string[] = [];
  return {
    signal,
    isCancelled: () => signal.aborted,
    onProgress: ({ message }) => void messages.push(message),
    onRun: () => undefined,
    messages,
  };
}

/** Writes an experiment file of some windows. */
function experiment(more: object): { readonly file: string } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'prompt.md'), prompt);
  const file = join(folder, 'x.two-heads.json');
  const content = { version: 1, prompts: ['prompt.md'], scenarios: ['sliding-window:8'], blocks: [64], context: 64, ...more };
  writeFileSync(file, JSON.stringify(content));
  return { file };
}

const nowhere = { url: 'redis://127.0.0.1:1' };

it('refuses an experiment that would mean something else on every worker, in the words of its file, before it asks a broker', async () => {
  const fleet = methods();
  await expect(fleet.evaluate({ address: nowhere, request: experiment({ threads: 1 }) }, context())).rejects.toThrow(
    new InputError('provider auto would go by this machine, and a fleet has others; name one, such as "provider": "cpu".'),
  );
  await expect(fleet.evaluate({ address: nowhere, request: experiment({ provider: 'cpu' }) }, context())).rejects.toThrow(
    /give some, such as "threads": 2\.$/,
  );
});

it('hands on the last progress of a busy moment', async () => {
  const sent: Response<{ work: (argument: null, context: CallContext) => Promise<void> }>[] = [];
  const work = async (_: null, { onProgress }: CallContext): Promise<void> => {
    const tell = (message: string): void => onProgress({ message, phase: 'quality', fraction: 0 } satisfies Progress);
    ['first', 'lost', 'last'].forEach(tell);
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    tell('too late');
  };
  await handlerOf({ work }, (response) => void sent.push(response))({ type: 'call', id: 1, method: 'work', argument: null });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sent.map((response) => (response.type === 'progress' ? response.progress.message : response.type))).toEqual([
    'first',
    'last',
    'result',
  ]);
});

describe.skipIf(program === undefined)('the fleet process, on a real redis-server', () => {
  const start = async (config: readonly string[] = []): Promise<TestRedis> =>
    own(await TestRedis.start({ program: program ?? '', config }));
  const clients = async (redis: TestRedis): Promise<number> =>
    (await redis.ask(async (asker) => String(await asker.client('LIST')))).trim().split('\n').length - 1;

  it('looks through one connection, which it drops where another broker is named', async () => {
    const [one, other] = [await start(), await start()];
    const fleet = methods();
    const look = (url: string): Promise<unknown> => fleet.state({ address: { url } }, context());
    await Promise.all([look(one.url), look(one.url)]);
    expect(await look(one.url)).toMatchObject({ workers: [], queues: [], own: { twoHeads: expect.any(String) as string } });
    expect(await clients(one)).toBe(1);
    await look(other.url);
    await vi.waitFor(async () => expect([await clients(one), await clients(other)]).toEqual([0, 1]), 5000);
  });

  it('says once that a broker is away, and sees it when it is back', async () => {
    const redis = await start();
    const fleet = methods();
    const look = (): Promise<unknown> => fleet.state({ address: { url: redis.url } }, context());
    await look();
    await redis.kill();
    await expect(look()).rejects.toThrow(/does not answer; check its address, and that it runs\.$/);
    expect(fleet.logged).toEqual([expect.stringMatching(/is away; waiting for it\.$/)]);
    await redis.launch();
    await vi.waitFor(async () => expect(await look()).toMatchObject({ workers: [] }), 20_000);
  });

  it('cancels a run whose broker is away', async () => {
    const redis = await start();
    const fleet = methods();
    const cancelling = new AbortController();
    const { messages, ...around } = context(cancelling.signal);
    const running = fleet.evaluate({ address: { url: redis.url }, request: experiment({ provider: 'cpu', threads: 1 }) }, around);
    await vi.waitFor(() => expect(messages.at(-1)).toContain('Waiting for workers'), 20_000);
    await redis.kill();
    await vi.waitFor(() => expect(messages.at(-1)).toMatch(/is away; waiting for it\.$/), 20_000);
    // Until the run looks at the broker again, and waits for it.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    cancelling.abort();
    await expect(running).rejects.toThrow(CancelledError);
  });

  it('names the fixes that it is given', async () => {
    const { url } = await start(['requirepass right']);
    const fleet = methods();
    const hints = { givePassword: 'give it to me', dropPassword: 'drop it', passwordPlace: 'what I have', trust: 'trust it' };
    await expect(fleet.state({ address: { url, hints } }, context())).rejects.toThrow(/wants a password; give it to me\.$/);
    await expect(fleet.state({ address: { url, hints, password: 'wrong' } }, context())).rejects.toThrow(
      /refuses the user or the password; check the user in its address and what I have\.$/,
    );
    expect(await fleet.state({ address: { url, hints, password: 'right' } }, context())).toMatchObject({ workers: [] });
  });

  it('tells what a run waits for, and cancels it', async () => {
    const redis = await start();
    const address = { url: redis.url };
    const fleet = methods();
    const request = experiment({ provider: 'cpu', threads: 1 });
    const cancelling = new AbortController();
    const waiting = context(cancelling.signal);
    const cancelled = fleet.evaluate({ address, request }, waiting);
    await vi.waitFor(() => expect(waiting.messages).toEqual([expect.stringContaining('Waiting for workers: no worker is there')]), 20_000);
    // It says what it waits for before its rows are in the queue.
    await vi.waitFor(async () => expect((await fleet.state({ address }, context())).queues[0]?.waiting).toBeGreaterThan(0), 20_000);
    expect((await fleet.state({ address }, context())).queues).toMatchObject([{ model: 'tiny-docs-5m', provider: 'cpu', active: 0 }]);
    cancelling.abort();
    await expect(cancelled).rejects.toThrow(CancelledError);
    expect((await fleet.state({ address }, context())).queues).toMatchObject([{ waiting: 0 }]);

    own(await startWorker(redis.url));
    const { messages, ...around } = context();
    const report = await fleet.evaluate({ address, request }, around);
    expect(report.points[0].quality).not.toBeNull();
    expect(messages.join('\n')).toMatch(/window \d+ of \d+, /);
    // A worker says once a second what it did.
    await vi.waitFor(async () => expect((await fleet.state({ address }, context())).workers[0].rows).toBeGreaterThan(5), 20_000);
  });
});
