import type { ModelFolder } from '../../read/model/load';
import { type MeasureOptions, Measurer } from './measure';
import type { OpenRows } from './open-rows';

/** What rows are measured with. */
export interface RowWork {
  readonly model: ModelFolder;
  /** Names the model by its content: a `DigestStore`'s. */
  readonly digest: string;
  readonly options: MeasureOptions;
  /** Predicted for the longest row, in milliseconds; a guess where the device is not calibrated. */
  readonly rowMs: number;
}

/** What measures the rows of an experiment: this process, several on this machine, or a fleet. */
export interface RowRunner {
  /** Whether results are of this process alone, so that nothing must name the model by its content. */
  readonly isHere?: true;
  /**
   * Measures all rows that are open, and lands every result.
   *
   * @throws InputError for what cannot be measured, CancelledError
   */
  run(rows: OpenRows, work: RowWork, signal: AbortSignal): Promise<void>;
}

/** Measures nothing: what is kept is all that becomes known. */
export const nobody: RowRunner = { isHere: true, run: () => Promise.resolve() };

/** Measures rows in this process, one after another; the model stays loaded from one experiment to the next like it. */
export class WarmRunner implements RowRunner {
  readonly isHere = true;
  private warm: { readonly key: string; readonly measurer: Measurer } | undefined;

  async run(rows: OpenRows, { model, options }: RowWork, signal: AbortSignal): Promise<void> {
    const key = JSON.stringify([model.folder, options]);
    if (this.warm?.key !== key) {
      await this.release();
      this.warm = { key, measurer: new Measurer(model, options) };
    }
    const { measurer } = this.warm;
    for (let claimed = await rows.next(); claimed !== undefined; claimed = await rows.next()) {
      const { row, land, onProgress, release } = claimed;
      try {
        await measurer.measure(row, { onResult: land, onProgress, signal });
      } finally {
        await release();
      }
    }
  }

  /** Lets go of the model. */
  async release(): Promise<void> {
    const { warm } = this;
    this.warm = undefined;
    await warm?.measurer.release();
  }
}

/** Measures the rows of one experiment in this process, and lets go of the model then. */
export const inThisProcess: RowRunner = {
  isHere: true,
  run: async (...given) => {
    const runner = new WarmRunner();
    try {
      await runner.run(...given);
    } finally {
      await runner.release();
    }
  },
};
