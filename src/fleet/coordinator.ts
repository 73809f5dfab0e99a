import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { CancelledError, InputError, messageOf } from '../core/errors';
import { waitingPerWorker } from '../core/fleet/jobs';
import { fitting, type Requirement, type Versions, whyNone, type WorkerState } from '../core/fleet/worker-state';
import { formatCount, formatDuration, formatNumberOf } from '../core/format';
import { said } from '../core/l10n';
import { shown } from '../core/text/printable';
import { describeEnvironment } from '../engine/machine';
import { type Broker, keyPrefix } from './broker';
import { cancelRun, nameQueue, workersOf } from './roster';
import { cancelledReason, type Measured, queueName, workProgress, workResult } from './work';

/** A piece of work to give to a worker. */
export interface FleetJob {
  /** Equal for equal work, so that a run that begins again finds what it asked for before: 32 hex digits. */
  readonly id: string;
  /** What it is, for people. */
  readonly label: string;
  /** What a worker reads; plain data. */
  readonly data: object;
  /** Whether a result is one of this job: others may write to a broker. */
  readonly accepts: (result: Measured) => boolean;
  /** Keeps its results, on the disk. */
  readonly land: (result: Measured) => Promise<void>;
  readonly onProgress: (share: number, label: string) => void;
  /** The same work as smaller jobs, so that one row that ends its workers does not fail the others; none where it cannot be split. */
  readonly split: () => readonly FleetJob[];
  /** Lets go of it: it has landed, or waits for the next run. */
  readonly release: () => Promise<void>;
}

/** Hands out jobs, one after another. */
export interface JobSource {
  /** The next one; undefined where there is none now. It never waits. @throws CancelledError */
  next(): Promise<FleetJob | undefined>;
  /** Whether there may be more later, because other processes have work that they may let go of. */
  hasMore(): boolean;
  /** Lets go of what it has not handed out. */
  release(): Promise<void>;
}

/** What surrounds a coordinator. */
interface CoordinatorContext {
  readonly broker: Broker;
  readonly signal: AbortSignal;
  /** Takes a line where something changes that users should know. */
  readonly log: (line: string) => void;
}

/** How often a broker is asked for what events may have missed, in milliseconds. */
const reconcileMs = 2000;

/** Time to take back what is out, and as much to close, in milliseconds: a broker that is away answers neither. */
const leaveMs = 1000;

/** How often a job is tried that fails, and how long it waits in between, in milliseconds. */
const attempts = { attempts: 3, backoff: { type: 'fixed', delay: 500 } };

/**
 * Has all jobs of a source done by the workers of a broker.
 *
 * Delivery is at least once, and only the coordinator writes: a result is on the disk before its job is removed. It asks the
 * broker again and again for the state of what it waits for, and adds what the broker no longer knows: a broker that lost all
 * costs time and no result.
 *
 * @param run names this coordinator's work among that of others, also where they want the same
 * @throws InputError for what no worker can measure; CancelledError; an Error that names jobs that failed, once all others have landed
 */
export async function coordinate(
  source: JobSource,
  wanted: Omit<Requirement, keyof Versions>,
  run: string,
  context: CoordinatorContext,
): Promise<void> {
  const { broker, signal } = context;
  const { twoHeads, onnxruntime } = describeEnvironment();
  const required = { twoHeads, onnxruntime, ...wanted };
  const { Queue: Jobs, QueueEvents } = await import('./bullmq');
  const name = queueName(required);
  const shared = { connection: broker.connection, prefix: keyPrefix };
  const queue = new Jobs(name, shared);
  const events = new QueueEvents(name, shared);
  // The broker's own connection reports outages.
  queue.on('error', () => undefined);
  events.on('error', () => undefined);
  const coordinator = new Coordinator(queue, required, context);
  events.on('completed', ({ jobId }) => void coordinator.look(jobId));
  events.on('failed', ({ jobId }) => void coordinator.look(jobId));
  events.on('progress', ({ jobId, data }) => coordinator.progress(jobId, data));
  const stop = (): void => coordinator.wake();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const work = nameQueue(broker, { queue: name, ...required }).then(() => coordinator.run(source));
    // Work that waits for a broker that is away does not hear of the abort.
    await Promise.race([work, cancelledAfter(leaveMs / 2, signal)]);
  } catch (error) {
    if (signal.aborted) {
      await Promise.race([coordinator.withdraw(run), wait(leaveMs)]);
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await coordinator.releaseAll();
    await source.release();
    await Promise.race([Promise.allSettled([events.close(), queue.close()]), wait(leaveMs)]);
  }
}

/** A name for the work of one coordinator. */
export function newRun(): string {
  return randomBytes(16).toString('hex');
}

/** Rejects some time after a signal is aborted; never resolves. */
function cancelledAfter(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const later = (): void => void setTimeout(() => reject(new CancelledError()), ms).unref();
    if (signal.aborted) {
      later();
    } else {
      signal.addEventListener('abort', later, { once: true });
    }
  });
}

/** Jobs that are out, and what became of the others. */
class Coordinator {
  private readonly out = new Map<string, FleetJob>();
  private readonly looking = new Set<string>();
  /** What went wrong, and the jobs that are kept from being tried again in this run. */
  private readonly failures: string[] = [];
  private readonly failed: FleetJob[] = [];
  private readonly machines = new Map<string, { jobs: number; wallMs: number }>();
  private workers: readonly WorkerState[] = [];
  private told = '';
  private faultTold = '';
  /** What ends the run, such as a disk that is full. */
  private fatal: Error | undefined;
  private awake: (() => void) | undefined;

  constructor(
    private readonly queue: Queue,
    private readonly required: Requirement,
    private readonly context: CoordinatorContext,
  ) {}

  async run(source: JobSource): Promise<void> {
    let nextCheck = 0;
    for (;;) {
      if (performance.now() >= nextCheck) {
        await this.withBroker(() => this.reconcile());
        nextCheck = performance.now() + reconcileMs;
      }
      this.throwIfEnded();
      let job: FleetJob | undefined;
      while (this.out.size < this.capacity && (job = await source.next()) !== undefined) {
        const own = job;
        this.out.set(own.id, own);
        await this.withBroker(() => this.add(own));
        this.throwIfEnded();
      }
      // A job that has landed is still to be taken from the broker, which a connection that closes would cut off.
      if (this.out.size === 0 && this.looking.size === 0 && !source.hasMore()) {
        break;
      }
      await this.sleep(Math.max(0, nextCheck - performance.now()));
    }
    this.summarise();
    if (this.failures.length > 0) {
      const rest = this.failures.length - 1;
      throw new Error(
        rest > 0
          ? said`${this.failures[0]}; ${formatCount(rest)} more failed; what else there was is measured.`
          : said`${this.failures[0]}; what else there was is measured.`,
      );
    }
  }

  /** Lets `run` look at once. */
  wake(): void {
    this.awake?.();
  }

  /** How far a job is. */
  progress(id: string, data: unknown): void {
    const parsed = workProgress.safeParse(data);
    if (parsed.success) {
      this.out.get(id)?.onProgress(parsed.data.share, parsed.data.label);
    }
  }

  /** Looks what became of a job, and lands what it gave. */
  async look(id: string): Promise<void> {
    const job = this.out.get(id);
    if (job === undefined || this.looking.has(id)) {
      return;
    }
    this.looking.add(id);
    try {
      await this.withBroker(() => this.lookAt(job));
    } catch (error) {
      // What cannot be written ends the run.
      this.fatal ??= error as Error;
    } finally {
      this.looking.delete(id);
      this.wake();
    }
  }

  /** Lets go of what has not landed. */
  async releaseAll(): Promise<void> {
    const left = [...this.out.values(), ...this.failed.splice(0)];
    this.out.clear();
    await Promise.all(left.map((job) => job.release()));
  }

  /** Takes jobs back that wait, and has workers let go of the others. */
  async withdraw(run: string): Promise<void> {
    await cancelRun(this.context.broker, run);
    // One that a worker has is locked, and goes when that lets go of it.
    await Promise.allSettled([...this.out.keys()].map((id) => this.queue.remove(id)));
  }

  private throwIfEnded(): void {
    if (this.fatal !== undefined) {
      throw this.fatal;
    }
    if (this.context.signal.aborted) {
      throw new CancelledError();
    }
  }

  /** Jobs that may be out: some for each worker to go on with. */
  private get capacity(): number {
    return Math.max(1, this.workers.length) * (waitingPerWorker + 1);
  }

  private async add({ id, data }: FleetJob): Promise<void> {
    const known = await this.queue.getJob(id);
    if (known !== undefined && (await known.isFailed())) {
      // It failed in an earlier run, or was taken back there.
      await known.remove();
    } else if (known !== undefined) {
      await this.look(id);
      return;
    }
    await this.queue.add('rows', data, { jobId: id, ...attempts });
  }

  private async lookAt(job: FleetJob): Promise<void> {
    const { id } = job;
    // The state first: a job that is read before it ends has nothing yet.
    const state = await this.queue.getJobState(id);
    const found = state === 'unknown' ? undefined : await this.queue.getJob(id);
    if (found === undefined) {
      await this.add(job);
    } else if (state === 'completed') {
      const result = workResult.safeParse(found.returnvalue);
      if (result.success && 'refused' in result.data) {
        await found.remove();
        throw new InputError(`${job.label}: ${shown(result.data.refused, mostShown)}`);
      }
      if (result.success && 'units' in result.data && job.accepts(result.data)) {
        await this.land(job, result.data);
      } else {
        this.fail(job, 'came back as no result');
      }
      await found.remove();
    } else if (state === 'failed') {
      await found.remove();
      const parts = job.split();
      if (found.failedReason === cancelledReason) {
        // Another coordinator wanted the same, and does no longer.
        await this.add(job);
      } else if (parts.length > 1) {
        this.out.delete(id);
        parts.forEach((part) => this.out.set(part.id, part));
        await Promise.all(parts.map((part) => this.add(part)));
      } else {
        this.fail(job, `failed: ${shown(found.failedReason, mostShown).replace(/\.$/, '')}`);
      }
    }
  }

  /** Does what needs the broker. What the broker cannot do now is logged once, and the next look at the jobs tries it again. */
  private async withBroker(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isBrokerFault(error)) {
        throw error;
      }
      const told = `${this.context.broker.name} does not do what it is asked (${shown(messageOf(error), mostShown)}); asking again.`;
      if (this.faultTold !== told) {
        this.faultTold = told;
        this.context.log(told);
      }
    }
  }

  private async land(job: FleetJob, result: Measured): Promise<void> {
    await job.land(result);
    const own = this.machines.get(result.host) ?? { jobs: 0, wallMs: 0 };
    this.machines.set(result.host, { jobs: own.jobs + 1, wallMs: own.wallMs + result.wallMs });
    this.out.delete(job.id);
    await job.release();
  }

  private fail(job: FleetJob, how: string): void {
    this.out.delete(job.id);
    this.failed.push(job);
    this.failures.push(`${job.label} ${how}`);
    this.context.log(`${job.label} ${how}.`);
  }

  /** Asks for the state of all that is out, and for the workers that are there. */
  private async reconcile(): Promise<void> {
    const all = await workersOf(this.context.broker);
    this.workers = fitting(this.required, all);
    const told =
      this.workers.length === 0
        ? `Waiting for workers: ${whyNone(this.required, all)}.`
        : `Working with ${this.workers.map(({ id }) => id).join(', ')}.`;
    if (told !== this.told) {
      this.told = told;
      this.context.log(told);
    }
    await Promise.all([...this.out.keys()].map((id) => this.look(id)));
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.awake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Time by machine: summed over several, it means nothing. */
  private summarise(): void {
    for (const [host, { jobs, wallMs }] of this.machines) {
      this.context.log(`${host}: ${formatNumberOf(jobs, 'job')}, ${formatDuration(wallMs)} of work.`);
    }
  }
}

/** Whether an error is the broker's or its connection's, and not ours: it has no memory left, or is away. */
function isBrokerFault(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return (
    name === 'ReplyError' ||
    name === 'ConnectionClosedError' ||
    (code !== undefined && /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code)) ||
    /Connection is closed|OOM command|READONLY|MISCONF|Socket timeout/.test(messageOf(error))
  );
}

/** Most characters of what a worker or a broker says. */
const mostShown = 500;
