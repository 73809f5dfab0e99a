import * as z from 'zod';
import type { Requirement, WorkerState } from '../core/fleet/worker-state';
import { jsonOrNothing } from '../engine/read/input/json';
import { type Broker, keyPrefix } from './broker';

/** A worker that has not said for so long that it is there counts as gone, in milliseconds. */
const goneMs = 5000;

/** How long a cancelled run stays known, in milliseconds: longer than any job that is still with a worker. */
const cancelledMs = 3_600_000;

/** What people may see on a terminal. */
export const words = z
  .string()
  .max(1000)
  .regex(/^\P{C}*$/u, 'has control characters');

const workerState: z.ZodType<WorkerState> = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,200}$/),
  host: words,
  pid: z.int(),
  twoHeads: words,
  onnxruntime: words,
  provider: words,
  device: words,
  models: z.array(z.object({ name: words, digest: words })),
  row: words.nullable(),
  rows: z.int().nonnegative(),
  busyMs: z.number().nonnegative(),
});

/** Tells all that this worker is there, until it says nothing for some seconds. */
export async function announce({ redis }: Broker, state: WorkerState): Promise<void> {
  await redis.set(key('worker', state.id), JSON.stringify(state), 'PX', goneMs);
  await redis.sadd(key('workers'), state.id);
}

/** Takes a worker's name off the list. */
export async function retire({ redis }: Broker, id: string): Promise<void> {
  await redis.del(key('worker', id));
  await redis.srem(key('workers'), id);
}

/** The workers that are there, by their names. What is no worker's state is passed over: others may write to a broker. */
export async function workersOf({ redis }: Broker): Promise<WorkerState[]> {
  const ids = (await redis.smembers(key('workers'))).sort();
  const states = ids.length === 0 ? [] : await redis.mget(ids.map((id) => key('worker', id)));
  const gone = ids.filter((_, index) => states[index] === null);
  if (gone.length > 0) {
    await redis.srem(key('workers'), ...gone);
  }
  return states.flatMap((text) => {
    const parsed = workerState.safeParse(jsonOrNothing(text ?? ''));
    return parsed.success ? [parsed.data] : [];
  });
}

/** Tells workers that a coordinator's run was cancelled, so that they let go of its jobs. */
export async function cancelRun({ redis }: Broker, run: string): Promise<void> {
  await redis.set(key('cancelled', run), '1', 'PX', cancelledMs);
}

/** Whether a run was cancelled. */
export async function isCancelled({ redis }: Broker, run: string): Promise<boolean> {
  return (await redis.exists(key('cancelled', run))) === 1;
}

/** A queue, and what its workers have to be. */
export interface KnownQueue extends Requirement {
  readonly queue: string;
}

const requirement = z.object({ twoHeads: words, onnxruntime: words, digest: words, model: words, provider: words });

/** Makes a queue known to `knownQueues`. */
export async function nameQueue({ redis }: Broker, { queue, ...required }: KnownQueue): Promise<void> {
  await redis.hset(key('queues'), queue, JSON.stringify(required));
}

/** The queues that runs or workers have made known. */
export async function knownQueues({ redis }: Broker): Promise<KnownQueue[]> {
  return Object.entries(await redis.hgetall(key('queues'))).flatMap(([queue, text]) => {
    const parsed = requirement.safeParse(jsonOrNothing(text));
    return parsed.success ? [{ queue, ...parsed.data }] : [];
  });
}

function key(...parts: readonly string[]): string {
  return [keyPrefix, ...parts].join(':');
}
