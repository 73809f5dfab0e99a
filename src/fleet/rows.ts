import { InputError } from '../core/errors';
import { rowsPerJob } from '../core/fleet/jobs';
import type { SimulationOptions } from '../core/options/table';
import type { ClaimedRow, OpenRows } from '../engine/tasks/evaluate/open-rows';
import { isResultOf, type UnitResult } from '../engine/tasks/evaluate/results';
import type { RowRunner, RowWork } from '../engine/tasks/evaluate/row-runner';
import type { Broker } from './broker';
import { coordinate, type FleetJob, type JobSource, newRun } from './coordinator';
import { hashOf, rowWorkData } from './work';

/**
 * Refuses options that would mean something else on every worker.
 *
 * @param written how an option is given; as a flag where it is left out
 * @throws InputError that names the option and the fix
 */
export function checkForFleet(
  { provider, threads }: Pick<SimulationOptions, 'provider' | 'threads'>,
  written = (name: string, value: string | number): string => `--${name} ${value}`,
): void {
  if (provider === 'auto') {
    throw new InputError(
      `provider auto would go by this machine, and a fleet has others; name one, such as ${written('provider', 'cpu')}.`,
    );
  }
  if (threads === 0) {
    throw new InputError(
      `threads of 0, all that a machine has, would give other numbers on every worker; give some, such as ${written('threads', 2)}.`,
    );
  }
}

/**
 * Measures rows on the workers of a broker; this process writes the results.
 *
 * @param log takes a line where something changes that users should know
 */
export function onFleet(broker: Broker, log: (line: string) => void): RowRunner {
  return {
    run: async (rows, work, signal) => {
      if (rows.ids.length === 0) {
        return;
      }
      const run = newRun();
      const wanted = { digest: work.digest, model: work.model.name, provider: work.options.provider };
      await coordinate(new RowJobs(rows, work, run), wanted, run, { broker, signal, log });
    },
  };
}

/** Rows as jobs of several, cut at the same places whenever the experiment is started. */
class RowJobs implements JobSource {
  private readonly perJob: number;
  /** A row of the next job. */
  private ahead: ClaimedRow | undefined;

  constructor(
    private readonly rows: OpenRows,
    private readonly work: RowWork,
    private readonly run: string,
  ) {
    this.perJob = rowsPerJob(work.rowMs, rows.ids.length);
  }

  async next(): Promise<FleetJob | undefined> {
    const first = this.ahead ?? (await this.rows.take());
    this.ahead = undefined;
    if (first === undefined) {
      await this.rows.refresh();
      return undefined;
    }
    const claimed = [first];
    while (claimed.length < this.perJob) {
      const another = await this.rows.take();
      if (another === undefined) {
        break;
      }
      if (this.groupOf(another) !== this.groupOf(first)) {
        this.ahead = another;
        break;
      }
      claimed.push(another);
    }
    return this.jobOf(claimed);
  }

  hasMore(): boolean {
    return this.rows.othersHave;
  }

  async release(): Promise<void> {
    await this.ahead?.release();
  }

  private groupOf({ index }: ClaimedRow): number {
    return Math.floor(index / this.perJob);
  }

  private jobOf(claimed: readonly ClaimedRow[]): FleetJob {
    const { run } = this;
    const units = claimed.flatMap(({ row, land }) => row.units.map((unit) => ({ unit, land, scoring: row.scoring })));
    const last = claimed.length - 1;
    return {
      // Of the work alone: a coordinator that begins again finds what it asked for before.
      id: hashOf(units.map(({ unit }) => unit.id)),
      label: last === 0 ? `row ${claimed[0].index + 1}` : `rows ${claimed[0].index + 1} to ${claimed[last].index + 1}`,
      data: rowWorkData({ run, options: this.work.options, rows: claimed.map(({ row }) => row) }),
      accepts: ({ units: results }) =>
        units.every(({ unit, scoring }) => results.some((each) => each.unit === unit.id && isResultOf(scoring, each.result))),
      land: async ({ units: results }) => {
        const found = new Map(results.map(({ unit, result }) => [unit, result]));
        for (const { unit, land } of units) {
          await land(unit, found.get(unit.id) as UnitResult);
        }
      },
      split: () => claimed.map((row) => this.jobOf([row])),
      onProgress: (share, label) =>
        claimed.forEach(({ onProgress }, index) => onProgress(Math.min(1, Math.max(0, share * claimed.length - index)), label)),
      release: async () => {
        await Promise.all(claimed.map(({ release }) => release()));
      },
    };
  }
}
