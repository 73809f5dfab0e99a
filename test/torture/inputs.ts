import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Campaign, type Context, countOf, Tally } from './campaign';
import { root } from '../support/paths';
import type { ReaderMessage, ReaderTask } from './reader-process';
import { readers } from './readers/registry';

/** How many inputs the full form tries, and the short one. */
const full = 1_000_000;
const few = 10_000;

/** Tries of one process: it starts afresh after them, so that what it keeps is seen as a leak of no more than these. */
const perProcess = 20_000;

/**
 * A process that tells nothing for so long hangs, in milliseconds: of the processor's time, where it works without end, and of the
 * clock's, where it waits. On a busy machine others' turns fall between.
 */
const silent = { worksMs: 10_000, waitsMs: 300_000 } as const;

/** Processes at a time. */
const processes = 2;

/**
 * Spoilt inputs, each given to its reader in a process that Node's permission model keeps to some folders.
 *
 * A fault is whatever is no refusal of one line: another error, a process that ends, one that holds for over two seconds, a path
 * outside of the allowed folders, or a reader's own promise broken.
 */
export const inputs: Campaign = {
  title: 'spoilt inputs over all readers',
  run: async (context) => {
    const total = countOf(context, full, few);
    const wanted = Object.entries(readers).filter(([name]) => context.parts.length === 0 || context.parts.includes(name));
    const shares = Object.values(readers).reduce((sum, { share }) => sum + share, 0);
    const tallies = wanted.map(([name, { title }]) => ({ name, tally: new Tally(title) }));
    const tasks = wanted.flatMap(([name, { share }], which) => {
      const count = Math.max(1, Math.ceil((total * share) / shares));
      if (context.from !== undefined) {
        return [{ name, tally: tallies[which].tally, from: context.from, to: context.from + 1 }];
      }
      return Array.from({ length: Math.ceil(count / perProcess) }, (_, part) => ({
        ...{ name, tally: tallies[which].tally, from: part * perProcess, to: Math.min(count, (part + 1) * perProcess) },
      }));
    });
    // The longest first, so that no process waits for the last one.
    tasks.sort((one, other) => other.to - other.from - (one.to - one.from));
    const takeTurns = async (): Promise<void> => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
        const start = performance.now();
        await tryRange(task, task.tally, context);
        context.log(
          `inputs: ${task.name} ${task.from} to ${task.to}, ${Math.round(performance.now() - start)} ms, ${task.tally.failures} failed`,
        );
      }
    };
    await Promise.all(Array.from({ length: processes }, takeTurns));
    return tallies.map(({ tally }) => tally);
  },
};

/** Tries a range of inputs; one that ends or holds its process is found, told and passed over. */
async function tryRange(range: Pick<ReaderTask, 'name' | 'from' | 'to'>, tally: Tally, context: Context): Promise<void> {
  let { from } = range;
  let each = false;
  while (from < range.to) {
    const { lastAt, failed, isReady, how } = await tryIn({ ...range, from, each, seed: context.seed, folder: '' }, tally, context);
    if (how === 'done') {
      return;
    }
    if (!isReady) {
      tally.failed(`no originals: ${how}`, `--only inputs.${range.name}`);
      return;
    }
    tally.ended('before the end of a process', Math.max(0, lastAt - from - failed));
    from = lastAt;
    if (each) {
      tally.failed(how, `--seed ${context.seed} --only inputs.${range.name} --from ${lastAt}`);
      from += 1;
    }
    // Report every try from the last reported one on.
    each = !each;
  }
}

/** How a process ended: at which try, and of how many before it told a fault. */
interface Ended {
  readonly lastAt: number;
  readonly failed: number;
  /** Whether it came as far as the first. */
  readonly isReady: boolean;
  readonly how: string;
}

function tryIn(task: ReaderTask, tally: Tally, context: Context): Promise<Ended> {
  const folder = mkdtempSync(join(context.folder, `${task.name}-`));
  const home = join(folder, 'home');
  const own = join(folder, 'own');
  [home, own].forEach((path) => mkdirSync(path));
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const child = fork(join(dirname(context.entry), 'reader-process.js'), [JSON.stringify({ ...task, folder: own })], {
    // What is asked for by a name is looked for there first.
    cwd: own,
    execArgv: [flag, `--allow-fs-read=${root}`, `--allow-fs-read=${own}`, `--allow-fs-write=${own}`, '--allow-addons', '--no-warnings'],
    env: { PATH: process.env.PATH, HOME: home, HF_HOME: home, OLLAMA_MODELS: home, XDG_CACHE_HOME: home },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    let lastAt = task.from;
    let how: string | undefined;
    let errors = '';
    let failed = 0;
    let isReady = false;
    let heard = { at: performance.now(), worked: 0 };
    const hear = (): void => void (heard = { at: performance.now(), worked: workedMs(child.pid) });
    const timer = setInterval(() => {
      if (workedMs(child.pid) - heard.worked > silent.worksMs || performance.now() - heard.at > silent.waitsMs) {
        how = 'no sign of life: it hangs';
        child.kill('SIGKILL');
      }
    }, 1000);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(0, 2000)));
    child.on('message', (message: ReaderMessage) => {
      hear();
      isReady = true;
      if ('at' in message) {
        lastAt = message.at;
      } else if ('fault' in message) {
        const { fault, index, details } = message;
        failed += 1;
        tally.failed(fault, `--seed ${context.seed} --only inputs.${task.name} --from ${index}: ${details}`);
      } else {
        how = 'done';
        Object.entries(message.done).forEach(([outcome, times]) => tally.ended(outcome, times));
      }
    });
    child.once('exit', (code, signal) => {
      clearInterval(timer);
      rmSync(folder, { recursive: true, force: true });
      const last = errors.trim().split('\n').slice(0, 3).join(' ');
      resolve({ lastAt, failed, isReady, how: how ?? `the process ended (${signal ?? `code ${code}`}) ${last}` });
    });
  });
}

/** Milliseconds that a process has worked; 0 where it is gone, or the system does not tell. */
function workedMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    // User and system time, in hundredths of a second.
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}
