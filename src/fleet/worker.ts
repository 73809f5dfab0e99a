import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Job, Worker as QueueWorker } from 'bullmq';
import { spelledOut } from '../core/report/json';
import { InputError, messageOf } from '../core/errors';
import type { Requirement, WorkerState } from '../core/fleet/worker-state';
import { formatCount, formatDuration } from '../core/format';
import type { SimulationOptions } from '../core/options/table';
import type { OnProgress } from '../core/report/phases';
import { shown } from '../core/text/printable';
import type { EngineClient } from '../engine/process/engine-client';
import type { DigestStore } from '../engine/store/digests';
import type { MeasuredUnit } from '../engine/tasks/evaluate/measure';
import { type Broker, keyPrefix } from './broker';
import { announce, isCancelled, nameQueue, retire } from './roster';
import { cancelledReason, queueName, type Work, work, type WorkResult } from './work';

/** A model that a worker has, by its content. */
export interface WorkerModel {
  readonly name: string;
  readonly folder: string;
  readonly digest: string;
}

/** Times of a worker, in milliseconds. */
export const workerTimes = {
  /** A worker that does not renew its lock on a job for so long has lost it; others look for such jobs every `stalledMs`. */
  lockMs: 15_000,
  stalledMs: 5000,
  /** How often a worker says that it is there, and looks for cancelled runs. */
  beatMs: 1000,
  /** Time to hand back a job and leave. */
  leaveMs: 3000,
  /** Rest after a job that failed: longer than it waits to be tried again. */
  restMs: 1000,
};

/** What surrounds a worker. */
interface WorkerContext {
  readonly broker: Broker;
  readonly engine: EngineClient;
  readonly digests: DigestStore;
  readonly log: (line: string) => void;
  /** Aborted where the worker is to leave. */
  readonly signal: AbortSignal;
}

/** What a worker is. */
interface WorkerOptions extends Omit<Requirement, 'digest' | 'model'> {
  readonly provider: SimulationOptions['provider'];
  readonly models: readonly WorkerModel[];
  /** Leaves after so long without work, in milliseconds; undefined stays. */
  readonly idleExitMs: number | undefined;
}

/** Why a job ends without a result, besides its own failure. */
type Stop = 'leaving' | typeof cancelledReason | 'lost';

/**
 * Measures jobs of all runs that want what it has, one at a time, until a signal or an error ends it.
 *
 * @throws InputError where this machine cannot do what it offers, at the start or later: its jobs go to other workers
 */
export async function serve({ models, idleExitMs, ...own }: WorkerOptions, context: WorkerContext): Promise<void> {
  const { broker, log, signal } = context;
  const { Worker } = await import('./bullmq');
  const broken = new AbortController();
  const jobs = new WorkerJobs(own, models, context, (error) => broken.abort(error));
  await jobs.checkDevice();
  const workers = new Map<string, QueueWorker>();
  /** One row at a time: while a job runs, the queues of other models wait. */
  const rest = (busy: string, isBusy: boolean): void => {
    for (const [queue, worker] of workers) {
      if (queue !== busy) {
        void (isBusy ? worker.pause(true) : worker.resume());
      }
    }
  };
  for (const model of models) {
    const queue = queueName({ ...own, digest: model.digest });
    await nameQueue(broker, { queue, ...own, digest: model.digest, model: model.name });
    const worker = new Worker(
      queue,
      async (job, token, lost) => spelledOut(await jobs.perform(job, token ?? '', model, lost, (isBusy) => rest(queue, isBusy))),
      {
        connection: broker.connection,
        prefix: keyPrefix,
        name: jobs.state.id,
        concurrency: 1,
        lockDuration: workerTimes.lockMs,
        stalledInterval: workerTimes.stalledMs,
        // A job that was lost with its worker three times ended them, most likely.
        maxStalledCount: 2,
        drainDelay: 1,
      },
    );
    // The broker's own connection reports outages.
    worker.on('error', () => undefined);
    worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => worker.cancelJob(id, 'lost')));
    workers.set(queue, worker);
  }
  await announce(broker, jobs.state);
  log(`${jobs.state.id} waits for work on ${models.map(({ name }) => name).join(', ')}.`);

  const left = new AbortController();
  const beat = setInterval(() => {
    void jobs.beat();
    if (idleExitMs !== undefined && jobs.idleMs > idleExitMs) {
      left.abort();
    }
  }, workerTimes.beatMs);
  const leave = AbortSignal.any([signal, left.signal, broken.signal]);
  await new Promise<void>((resolve) => (leave.aborted ? resolve() : leave.addEventListener('abort', () => resolve(), { once: true })));

  clearInterval(beat);
  jobs.leave();
  const closed = Promise.all([...workers.values()].map((worker) => worker.close())).then(() => retire(broker, jobs.state.id));
  await Promise.race([closed, wait(workerTimes.leaveMs, undefined, { ref: false })]);
  if (broken.signal.aborted) {
    throw broken.signal.reason;
  }
  log(`${jobs.state.id} left after ${formatCount(jobs.state.rows)} rows in ${formatDuration(jobs.state.busyMs)}.`);
}

/** What one worker process does and says of itself. */
class WorkerJobs {
  state: WorkerState;
  private readonly host = hostname();
  /** The job that is measured, and how to end it. */
  private current: { readonly run: string; readonly end: AbortController } | undefined;
  private isLeaving = false;
  private idleSince = performance.now();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly own: Omit<WorkerOptions, 'models' | 'idleExitMs'>,
    models: readonly WorkerModel[],
    private readonly context: WorkerContext,
    /** Takes why this machine cannot work any more. */
    private readonly onBroken: (error: unknown) => void,
  ) {
    this.state = {
      id: `${this.host.replaceAll(/[^A-Za-z0-9-]/g, '-')}-${process.pid}-${randomBytes(2).toString('hex')}`,
      host: this.host,
      pid: process.pid,
      ...own,
      device: '',
      models: models.map(({ name, digest }) => ({ name, digest })),
      row: null,
      rows: 0,
      busyMs: 0,
    };
  }

  /** Time since the last job, in milliseconds. */
  get idleMs(): number {
    return this.current === undefined ? performance.now() - this.idleSince : 0;
  }

  /** Says that it is there, and ends a job whose run was cancelled. */
  async beat(): Promise<void> {
    const { broker } = this.context;
    try {
      await announce(broker, this.state);
      const { current } = this;
      if (current !== undefined && (await isCancelled(broker, current.run))) {
        current.end.abort(cancelledReason satisfies Stop);
      }
    } catch {
      // The broker is away; the next beat tries again.
    }
  }

  /** Tries the device. @throws InputError, or an Error where the engine process cannot be started */
  async checkDevice(): Promise<void> {
    const { engine } = this.context;
    const device = await engine.call('openDevice', { provider: this.own.provider, threads: 1 });
    this.state = { ...this.state, device: device.name };
  }

  /** Ends the job that is measured, and takes no other. */
  leave(): void {
    this.isLeaving = true;
    this.current?.end.abort('leaving' satisfies Stop);
  }

  /**
   * Measures a job's rows.
   *
   * A job whose worker leaves, or cannot work any more, goes back to the others. One that no worker can measure comes back
   * with the reason; any other failure is tried again.
   */
  perform(
    job: Job,
    token: string,
    model: WorkerModel,
    lost: AbortSignal | undefined,
    onBusy: (isBusy: boolean) => void,
  ): Promise<WorkResult> {
    // Two queues can each have given a job before the other was told to rest.
    const mine = this.last.then(() => this.performNow(job, token, model, lost, onBusy));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async performNow(
    job: Job,
    token: string,
    model: WorkerModel,
    lost: AbortSignal | undefined,
    onBusy: (isBusy: boolean) => void,
  ): Promise<WorkResult> {
    const { UnrecoverableError, WaitingError } = await import('./bullmq');
    const parsed = work.safeParse(job.data);
    if (!parsed.success) {
      throw new UnrecoverableError(`The job is none of Two Heads ${this.state.twoHeads}: ${shown(parsed.error.issues[0].message, 100)}.`);
    }
    const end = new AbortController();
    lost?.addEventListener('abort', () => end.abort('lost' satisfies Stop), { once: true });
    this.current = { run: parsed.data.run, end };
    if (this.isLeaving) {
      end.abort('leaving' satisfies Stop);
    }
    const start = performance.now();
    const handBack = async (): Promise<never> => {
      await job.moveToWait(token);
      throw new WaitingError();
    };
    try {
      onBusy(true);
      const units = await this.measure(job, model, parsed.data, end.signal);
      // Weights that were replaced meanwhile would give results of another model.
      await this.checkModel(model);
      return { host: this.host, wallMs: performance.now() - start, units };
    } catch (error) {
      if (end.signal.reason === 'leaving') {
        return await handBack();
      }
      if (end.signal.reason === cancelledReason) {
        throw new UnrecoverableError(cancelledReason);
      }
      const checked = this.checkModel(model).then(() => this.checkDevice());
      const fault = await checked.then(
        () => undefined,
        (found: unknown) => ({ found }),
      );
      if (fault !== undefined) {
        // This machine's matter: others may do better.
        this.isLeaving = true;
        this.onBroken(fault.found);
        return await handBack();
      }
      if (error instanceof InputError) {
        return { refused: error.message };
      }
      // Others are to have it first.
      await wait(workerTimes.restMs);
      throw new Error(messageOf(error), { cause: error });
    } finally {
      onBusy(false);
      this.current = undefined;
      this.idleSince = performance.now();
      this.state = { ...this.state, row: null, busyMs: this.state.busyMs + performance.now() - start };
    }
  }

  /** Looks whether a model is still what its queue says. @throws InputError where it is not */
  private async checkModel({ name, folder, digest }: WorkerModel): Promise<void> {
    const found = await this.context.digests.ofModel(folder);
    if (found.digest !== digest) {
      throw new InputError(`${name} is not what it was when this worker started; start it again.`);
    }
  }

  private async measure(job: Job, { name, folder: model }: WorkerModel, asked: Work, signal: AbortSignal): Promise<MeasuredUnit[]> {
    const { engine } = this.context;
    let next = 0;
    const tell = (share: number, what: string, label: string): void => {
      this.state = { ...this.state, row: `${name}, ${what}, ${label}` };
      if (performance.now() >= next) {
        next = performance.now() + workerTimes.beatMs;
        void job.updateProgress({ share, label }).catch(() => undefined);
      }
    };
    if (asked.kind === 'shard') {
      const onProgress: OnProgress = ({ fraction, message }) => tell(fraction, 'a shard', message);
      const result = await engine.call('measureShard', { ...asked, model }, { signal, onProgress });
      this.state = { ...this.state, rows: this.state.rows + 1 };
      return [{ unit: asked.id, result }];
    }
    const { options, rows } = asked;
    const units: MeasuredUnit[] = [];
    for (const [index, row] of rows.entries()) {
      const onProgress: OnProgress = ({ fraction, message }) =>
        tell((index + fraction) / rows.length, `row ${index + 1} of ${rows.length}`, message);
      units.push(...(await engine.call('measure', { model, options, row }, { signal, onProgress })));
      this.state = { ...this.state, rows: this.state.rows + 1 };
    }
    return units;
  }
}
