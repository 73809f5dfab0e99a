import { placeOf } from '../read/model/load';
import { CancelledError, InputError } from '../../core/errors';
import type { Progress } from '../../core/report/phases';
import type { OpenRows } from '../tasks/evaluate/open-rows';
import type { RowRunner, RowWork } from '../tasks/evaluate/row-runner';
import { EngineClient } from './engine-client';

/**
 * Measures rows in several processes beside each other, each with weights of its own. A row's results land together.
 *
 * @param entry path of the bundled engine process
 * @param count how many
 * @param log takes what the processes print
 */
export function onEngines(entry: string, count: number, log: (line: string) => void): RowRunner {
  return {
    run: async (rows, work, signal) => {
      const failed = new AbortController();
      const clients = Array.from({ length: count }, () => new EngineClient(entry, undefined, log));
      const running = clients.map((client) =>
        measureRows(client, rows, work, AbortSignal.any([signal, failed.signal])).catch((error: unknown) => {
          // What one cannot measure, none can: the others stop, and their rows wait for the next run.
          rows.close();
          failed.abort();
          throw error;
        }),
      );
      try {
        await Promise.all(running);
      } finally {
        await Promise.allSettled(running);
        clients.forEach((client) => client.dispose());
      }
    },
  };
}

async function measureRows(client: EngineClient, rows: OpenRows, { model, options }: RowWork, signal: AbortSignal): Promise<void> {
  for (let claimed = await rows.next(); claimed !== undefined; claimed = await rows.next()) {
    const { row, land, onProgress, release } = claimed;
    try {
      const request = { model: placeOf(model), options, row };
      const listeners = { signal, onProgress: ({ fraction, message }: Progress) => onProgress(fraction, message) };
      const measured = await client.call('measure', request, listeners).catch((error: unknown) => {
        if (error instanceof InputError || error instanceof CancelledError) {
          throw error;
        }
        // The process was lost; another one is started for the row, once.
        return client.call('measure', request, listeners);
      });
      for (const [index, { result }] of measured.entries()) {
        await land(row.units[index], result);
      }
    } finally {
      await release();
    }
  }
}
