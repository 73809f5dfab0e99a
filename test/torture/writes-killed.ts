import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../src/core/errors';
import { CalibrationStore } from '../../src/engine/store/calibrations';
import { RecordFiles } from '../../src/engine/store/records';
import { Results } from '../../src/engine/tasks/evaluate/results';
import { madeUpCalibration } from '../support/calibration';
import { type Next, nextOf } from '../support/mutate';
import { type Campaign, type Context, countOf, seedOf, Tally } from './campaign';
import { root } from '../support/paths';
import { resultOf, roomFor, type Store, stores, type WriterTask } from './writer-process';

/** Kills over all stores. */
const full = 500;

/** Units that two processes share. */
const sharedUnits = 40;

/** A process that writes, and what it told. */
export class Writer {
  readonly told: string[] = [];
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private rest = '';

  /** @param shell what starts the command, such as a shell that sets a limit */
  constructor(context: Context, task: WriterTask, shell: readonly string[] = []) {
    const [program, ...args] = [...shell, process.execPath, join(dirname(context.entry), 'writer-main.js'), JSON.stringify(task)];
    this.child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.told.push(...lines);
    });
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()));
  }

  /** What it said it had written. */
  get written(): readonly string[] {
    return this.told.filter((line) => line !== 'over' && !line.startsWith('{'));
  }

  /** Why it stopped; undefined where it did not, or was killed. */
  get refusal(): { readonly name: string; readonly message: string } | undefined {
    const last = this.told.find((line) => line.startsWith('{'));
    return last === undefined ? undefined : (JSON.parse(last) as { name: string; message: string });
  }

  async killAfter(milliseconds: number): Promise<void> {
    while (this.told.length === 0 && this.child.exitCode === null) {
      await new Promise((later) => setTimeout(later, 2));
    }
    await new Promise((later) => setTimeout(later, milliseconds));
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Processes that write are killed at random moments, alone and beside others: what they said they had written is there, once and whole. */
export const writesKilled: Campaign = {
  title: 'writers killed',
  run: async (context) => {
    const tallies: Tally[] = [];
    for (const store of stores.filter((each) => context.parts.length === 0 || context.parts.includes(each))) {
      const tally = new Tally(`${store}: two processes write, one is killed in mid-write`);
      tallies.push(tally);
      for (let index = 0; index < countOf(context, full / stores.length, 1); index += 1) {
        const folder = mkdtempSync(join(context.folder, 'store-'));
        try {
          await killOne(context, store, folder, nextOf(seedOf(context.seed, store, index)));
          tally.ended('whole');
        } catch (error) {
          tally.failed(messageOf(error), `--seed ${context.seed} --only "writes.${store}", try ${index}`);
        }
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return tallies;
  },
};

async function killOne(context: Context, store: Store, folder: string, next: Next): Promise<void> {
  const isShared = store === 'shared results';
  const task = (writer: number, count: number): WriterTask => ({ store, folder, writer, count: isShared ? sharedUnits : count });
  const [killed, other] = [new Writer(context, task(1, 100_000)), new Writer(context, task(2, 20 + next(20)))];
  await killed.killAfter(next(60));
  await other.ended;
  if (other.refusal !== undefined) {
    throw new Error(`the other process stopped: ${other.refusal.message}`);
  }
  await checkWritten(store, folder, [killed, other]);
}

/** What was printed as written is there, whole and once. */
export async function checkWritten(store: Store, folder: string, writers: readonly Writer[]): Promise<void> {
  const written = writers.flatMap((writer) => writer.written);
  switch (store) {
    case 'results':
    case 'shared results': {
      const path = join(folder, 'results.jsonl');
      const units = store === 'results' ? written : Array.from({ length: sharedUnits }, (_, entry) => `u${entry}`);
      const results = await Results.open(path);
      const lost = units.filter((unit) => results.get(unit) === undefined);
      if (lost.length > 0) {
        throw new Error(`lost: ${lost.length} of ${units.length} results`);
      }
      // What is written after a crash is not lost to the line that it cut.
      await results.add('after', {}, resultOf(7));
      if ((await Results.open(path)).get('after') === undefined) {
        throw new Error('lost: what was added after the crash');
      }
      const kept = unitsIn(path);
      if (new Set(kept.whole).size !== kept.whole.length) {
        throw new Error('a unit is there twice');
      }
      if (kept.torn > writers.length) {
        throw new Error(`${kept.torn} lines are torn, by ${writers.length} processes`);
      }
      return;
    }
    case 'history': {
      const { records: runs, skipped } = await new RecordFiles(join(folder, 'runs'), roomFor).read();
      const ids = new Set(runs.map(({ id }) => id));
      const lost = written.filter((id) => !ids.has(id));
      if (lost.length > 0 || skipped.length > 0) {
        throw new Error(`lost: ${lost.length} of ${written.length} runs; not read: ${skipped.length}`);
      }
      return;
    }
    case 'calibration': {
      const { provider, threads } = madeUpCalibration();
      if (written.length > 0 && (await new CalibrationStore(folder).read(provider, threads)) === undefined) {
        throw new Error('the calibration is not whole');
      }
    }
  }
}

function unitsIn(path: string): { readonly whole: readonly string[]; readonly torn: number } {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const whole = lines.flatMap((line) => {
    try {
      return [(JSON.parse(line) as { unit: string }).unit];
    } catch {
      return [];
    }
  });
  return { whole, torn: lines.length - whole.length };
}
