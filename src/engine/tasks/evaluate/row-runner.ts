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
  /**
   * Measures all rows that are open, and lands every result.
   *
   * @throws InputError for what cannot be measured, CancelledError
   */
  run(rows: OpenRows, work: RowWork, signal: AbortSignal): Promise<void>;
}

/** Measures rows in this process, one after another. */
export const inThisProcess: RowRunner = {
  run: async (rows, { model, options }, signal) => {
    const measurer = new Measurer(model, options);
    try {
      for (let claimed = await rows.next(); claimed !== undefined; claimed = await rows.next()) {
        const { row, land, onProgress, release } = claimed;
        try {
          await measurer.measure(row, { onResult: land, onProgress, signal });
        } finally {
          await release();
        }
      }
    } finally {
      await measurer.release();
    }
  },
};
