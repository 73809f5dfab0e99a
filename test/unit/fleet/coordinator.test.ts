import { setTimeout as wait } from 'node:timers/promises';
import { Job, Worker } from 'bullmq';
import { expect, it, vi } from 'vitest';
import { describeEnvironment } from '../../../src/engine/machine';
import { Broker, keyPrefix } from '../../../src/fleet/broker';
import { coordinate, type FleetJob, newRun } from '../../../src/fleet/coordinator';
import { queueName } from '../../../src/fleet/work';
import { debianProgram } from '../../harness/debian';
import { TestRedis } from '../../harness/redis';

const program = await debianProgram('redis-server', ['redis-server']);
const first = '0'.repeat(32);

it.skipIf(program === undefined)(
  'ends once all jobs are taken from the broker, also where the first takes longer than the last',
  async () => {
    const redis = await TestRedis.start({ program: program ?? '' });
    const broker = await Broker.open({ url: redis.url }, () => undefined);
    const wanted = { digest: 'a'.repeat(64), model: 'tiny', provider: 'cpu' };
    const { twoHeads, onnxruntime } = describeEnvironment();
    const connection = { host: 'localhost', port: redis.port };
    const result = { host: 'here', wallMs: 1, units: [] };
    const worker = new Worker(queueName({ twoHeads, onnxruntime, ...wanted }), () => Promise.resolve(result), {
      connection,
      prefix: keyPrefix,
    });
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its job below
    const { remove } = Job.prototype;
    const slow = vi.spyOn(Job.prototype, 'remove').mockImplementation(async function (this: Job, options) {
      if (this.id === first) {
        await wait(1500);
      }
      await remove.call(this, options);
    });
    try {
      const land = vi.fn(() => Promise.resolve());
      const job = (id: string): FleetJob => ({
        id,
        label: 'a row',
        data: {},
        accepts: () => true,
        land,
        onProgress: () => undefined,
        split: () => [],
        release: () => Promise.resolve(),
      });
      const jobs = [job('1'.repeat(32)), job(first)];
      const source = { next: () => Promise.resolve(jobs.pop()), hasMore: () => false, release: () => Promise.resolve() };
      const { signal } = new AbortController();
      await coordinate(source, wanted, newRun(), { broker, signal, log: () => undefined });
      expect(land).toHaveBeenCalledTimes(2);
      expect(await redis.ask((client) => client.keys('*:completed'))).toEqual([]);
    } finally {
      slow.mockRestore();
      await worker.close();
      broker.close();
      await redis.dispose();
    }
  },
);
