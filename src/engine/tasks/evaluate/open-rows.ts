import { setTimeout as wait } from 'node:timers/promises';
import { type Row, unmeasured, type Unit } from '../../../core/evaluate/units';
import type { OnProgress } from '../../../core/report/phases';
import { scenarioLabel } from '../../../core/scenario/scenario';
import { throwIfCancelled } from '../../attend/runtime/clock';
import type { Claim } from './claims';
import type { Results, UnitResult } from './results';

/** A row that this process has claimed, with the units that nobody has measured. */
export interface ClaimedRow {
  readonly row: Row;
  /** Where it stands in the list of the experiment. */
  readonly index: number;
  /** Keeps the result of a unit, unless another process took the row meanwhile. */
  readonly land: (unit: Unit, result: UnitResult) => Promise<void>;
  /** Tells how far the row is. @param share of it, from 0 to 1 @param label of the scenario that is run */
  readonly onProgress: (share: number, label: string) => void;
  /** Lets go of the row: it is measured, or has to wait for the next run. */
  readonly release: () => Promise<void>;
}

/** The progress of rows that are not all landed; what ends them says that they are done. */
const mostOpen = 0.99;

/** How often rows of other processes are looked at, in milliseconds. */
const lookMs = 500;

/**
 * The rows of an experiment that are yet to be measured.
 *
 * Every row is handed out once, to one process among all that share the results; what others measure is read, not measured
 * again. Progress never falls.
 */
export class OpenRows {
  private readonly open: Set<Row>;
  private readonly total: number;
  /** Shares of the rows that are being measured. */
  private readonly shares = new Map<Row, number>();
  private done = 0;
  private highest = 0;
  private closed = false;

  constructor(
    private readonly rows: readonly Row[],
    private readonly results: Results,
    private readonly onProgress: OnProgress,
    private readonly signal: AbortSignal,
  ) {
    this.open = new Set(rows.filter((row) => this.left(row) !== undefined));
    this.total = this.open.size;
  }

  /** The identities of all rows of the list, open or not. */
  get ids(): readonly string[] {
    return this.rows.map(({ id }) => id);
  }

  /** Whether other processes have rows, which may come back. */
  get othersHave(): boolean {
    return this.open.size > this.shares.size;
  }

  /** Reads what other processes have landed. */
  async refresh(): Promise<void> {
    await this.results.refresh();
    [...this.open].filter((row) => !this.shares.has(row) && this.left(row) === undefined).forEach((row) => this.end(row));
  }

  /** Hands out no more rows. */
  close(): void {
    this.closed = true;
  }

  /** The next row that no process has now; undefined where all that are left are had. @throws CancelledError */
  async take(): Promise<ClaimedRow | undefined> {
    for (const row of this.closed ? [] : this.open) {
      throwIfCancelled(this.signal);
      const claim = this.shares.has(row) ? undefined : await this.claim(row);
      if (claim !== undefined) {
        return claim;
      }
    }
    return undefined;
  }

  /** The next row, also one that another process lets go of; undefined once none is left for the caller. @throws CancelledError */
  async next(): Promise<ClaimedRow | undefined> {
    for (;;) {
      const claim = await this.take();
      if (claim !== undefined || this.closed || !this.othersHave) {
        return claim;
      }
      this.tell(`waiting for ${this.open.size - this.shares.size} rows of other processes`);
      await wait(lookMs, undefined, { signal: this.signal }).catch(() => throwIfCancelled(this.signal));
      await this.refresh();
    }
  }

  private left(row: Row): Row | undefined {
    return unmeasured(row, (unit) => this.results.get(unit) !== undefined);
  }

  private async claim(row: Row): Promise<ClaimedRow | undefined> {
    this.shares.set(row, 0);
    const claim = await this.results.claim(row.id);
    if (claim === undefined) {
      this.shares.delete(row);
      return undefined;
    }
    const left = this.left(row);
    if (left === undefined) {
      this.end(row);
      await claim.release();
      return undefined;
    }
    return this.claimed(row, left, claim);
  }

  private claimed(row: Row, left: Row, claim: Claim): ClaimedRow {
    const { kind } = row.scoring;
    const alike = this.rows.filter(({ scoring }) => scoring.kind === kind);
    const name = `${kind} ${alike.indexOf(row) + 1} of ${alike.length}`;
    return {
      row: left,
      index: this.rows.indexOf(row),
      land: ({ id, job }, result) =>
        this.results.land(claim, id, { ...row.about, scenario: scenarioLabel(job.scenario), blockSize: job.blockSize }, result),
      onProgress: (share, label) => {
        this.shares.set(row, share);
        this.tell(`${name}, ${label}`);
      },
      release: async () => {
        this.shares.delete(row);
        if (this.left(row) === undefined) {
          this.end(row);
        }
        await claim.release();
      },
    };
  }

  private end(row: Row): void {
    if (this.open.delete(row)) {
      this.shares.delete(row);
      this.done += 1;
    }
  }

  private tell(message: string): void {
    const share = [...this.shares.values()].reduce((sum, each) => sum + each, this.done) / Math.max(1, this.total);
    this.highest = Math.max(this.highest, Math.min(mostOpen, share));
    this.onProgress({ fraction: this.highest, phase: 'quality', message });
  }
}
