import type { WorkerState } from '../core/fleet/worker-state';
import { type Broker, keyPrefix } from './broker';
import { type KnownQueue, knownQueues, workersOf } from './roster';

/** What a broker has: workers and jobs. Plain data. */
export interface FleetState {
  readonly workers: readonly WorkerState[];
  readonly queues: readonly QueueState[];
}

/** A queue, and how many of its jobs are in each state. */
export interface QueueState extends KnownQueue {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
}

/** Looks at a broker. */
export async function fleetState(broker: Broker): Promise<FleetState> {
  const { Queue } = await import('./bullmq');
  const [workers, known] = await Promise.all([workersOf(broker), knownQueues(broker)]);
  const queues: QueueState[] = [];
  for (const each of known) {
    // On the broker's own connection: a view that looks every two seconds must not open one for each queue.
    const queue = new Queue(each.queue, { connection: broker.redis, prefix: keyPrefix });
    queue.on('error', () => undefined);
    const { wait, delayed, active, completed, failed } = await queue.getJobCounts('wait', 'delayed', 'active', 'completed', 'failed');
    queues.push({ ...each, waiting: wait + delayed, active, completed, failed });
    await queue.close();
  }
  return { workers, queues };
}
