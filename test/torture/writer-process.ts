import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { defaultOptions } from '../../src/core/options/table';
import { messageOf } from '../../src/core/errors';
import { CalibrationStore } from '../../src/engine/store/calibrations';
import type { LabRecord } from '../../src/core/record/record';
import { recordCapacity, RecordFiles, recordOf } from '../../src/engine/store/records';
import { type RetrievalResult, Results } from '../../src/engine/tasks/evaluate/results';
import { madeUpCalibration } from '../support/calibration';
import { reportOf } from '../support/reports';

/** What is kept on disk. */
export const stores = ['results', 'shared results', 'history', 'calibration'] as const;
export type Store = (typeof stores)[number];

/** What a writing process is to write, and where. */
export interface WriterTask {
  readonly store: Store;
  readonly folder: string;
  /** Tells this process's entries from those of others; a number below 1000. */
  readonly writer: number;
  /** Entries to write; the number of each is printed once it is written. */
  readonly count: number;
}

/** A unit's result, which tells which one it is. */
export const resultOf = (entry: number): RetrievalResult => ({ logProbability: -1, rank: entry + 1 });

/** A run of the history, by writer and entry. */
export function runOf(writer: number, entry: number): LabRecord {
  const date = new Date(Date.UTC(2026, 0, 1) + writer * 1e6 + entry).toISOString();
  const report = reportOf({ date });
  return recordOf({ kind: 'run', origin: { uri: 'file:///a.md', selection: null, at: null, options: defaultOptions }, report });
}

/** More runs than any campaign keeps, so that none is let go for its age. */
export const roomFor = { ...recordCapacity, run: 100_000 };

/** Writes entries one after another. Prints a line for each that is written, and a line of JSON at the end where one is refused. */
export async function write(task: WriterTask): Promise<void> {
  const tell = (line: string): void => void writeSync(1, `${line}\n`);
  try {
    for await (const written of entriesOf(task)) {
      tell(written);
    }
    tell('over');
  } catch (error) {
    tell(JSON.stringify({ name: error instanceof Error ? error.name : '', message: messageOf(error) }));
  }
}

async function* entriesOf({ store, folder, writer, count }: WriterTask): AsyncGenerator<string> {
  const path = join(folder, 'results.jsonl');
  switch (store) {
    case 'results': {
      const results = await Results.open(path);
      for (let entry = 0; entry < count; entry += 1) {
        const unit = `${writer}-${entry}`;
        // As long as a window's result.
        await results.add(unit, { filler: 'x'.repeat((entry * 97) % 3000) }, resultOf(entry));
        yield unit;
      }
      return;
    }
    case 'shared results': {
      const results = await Results.open(path);
      let isLeft = true;
      while (isLeft) {
        isLeft = false;
        for (let entry = 0; entry < count; entry += 1) {
          const unit = `u${entry}`;
          const claim = results.get(unit) === undefined ? await results.claim(unit) : undefined;
          isLeft ||= results.get(unit) === undefined && claim === undefined;
          if (claim !== undefined) {
            if (results.get(unit) === undefined) {
              await results.land(claim, unit, { writer }, resultOf(entry));
            }
            await claim.release();
            yield unit;
          }
        }
        await results.refresh();
      }
      return;
    }
    case 'history': {
      const files = new RecordFiles(join(folder, 'runs'), roomFor);
      for (let entry = 0; entry < count; entry += 1) {
        const run = runOf(writer, entry);
        await files.add(run);
        yield run.id;
      }
      return;
    }
    case 'calibration': {
      const files = new CalibrationStore(folder);
      for (let entry = 0; entry < count; entry += 1) {
        await files.write(madeUpCalibration({ tookMs: writer * 1e6 + entry + 1 }));
        yield String(entry);
      }
      return;
    }
  }
}
