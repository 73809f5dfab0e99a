import { fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors';
import { defaultOptions, type SimulationOptions } from '../../src/core/options/table';
import { makeScenario } from '../../src/core/scenario/scenario';
import { nextOf } from '../support/mutate';
import { type Campaign, type Context, countOf, seedOf, Tally, within } from './campaign';
import { Engine, isRunning, sampleText } from './engine';
import { root } from '../support/paths';

/** How long an engine may outlive its parent, in milliseconds; in the short form, which runs on busy machines, that it ends at all. */
const outlivesMs = ({ short }: Context): number => (short ? 30_000 : 2000);

/** Longest time until a phase is reached, in milliseconds: the machine may be busy. */
const reachedMs = 40_000;

/** What an engine is doing when its parent is killed. */
interface Phase {
  /** Begins work that stays in the phase for seconds. */
  readonly begin: (engine: Engine, reached: () => void) => Promise<unknown>;
  /** The parent is killed within so many milliseconds of reaching the phase. */
  readonly forMs: number;
}

const simulating =
  (text: () => string, options: Partial<SimulationOptions>, phase?: string): Phase['begin'] =>
  (engine, reached) => {
    const all = { ...defaultOptions, threads: 1, ...options };
    const onProgress = (progress: { readonly phase: string }): void => {
      if (phase === undefined || progress.phase === phase) {
        reached();
      }
    };
    const running = engine.client.call('simulate', { path: 'prompt.md', text: text(), options: all }, { onProgress });
    if (phase === undefined) {
      setTimeout(reached, 1000);
    }
    return running;
  };

const slowMask = makeScenario('custom', { expression: 'k == q or k <= q and (q * k) % 7919 < (q + k) % 7907' });

/** Every phase in which an engine can be left alone. */
const phases: Readonly<Record<string, Phase>> = {
  loading: {
    begin: (engine, reached) => {
      const running = engine.client.call('simulate', { path: 'p', text: sampleText(), options: defaultOptions });
      reached();
      return running;
    },
    forMs: 600,
  },
  idle: {
    begin: async (engine, reached) => {
      await engine.client.call('openDevice', { provider: 'cpu', threads: 1 });
      reached();
    },
    forMs: 300,
  },
  tokenizing: { begin: simulating(() => sampleText().repeat(1200), {}), forMs: 3000 },
  planning: { begin: simulating(() => sampleText().repeat(3), { scenario: slowMask, blockSize: 2048 }), forMs: 1000 },
  run: { begin: simulating(sampleText, { blockSize: 4096, scenario: makeScenario('full') }, 'attend'), forMs: 500 },
  'whole layers': { begin: simulating(() => sampleText().repeat(2), { executor: 'compiled', blockSize: 4096 }, 'layer'), forMs: 500 },
  // Most of the time between what a run tells of attention is that of its check, of which it tells nothing.
  verify: { begin: simulating(sampleText, { verify: 'dense' }, 'attend'), forMs: 5000 },
  calibrating: {
    begin: (engine, reached) => {
      setTimeout(reached, 1500);
      return engine.client.call('calibrate', { provider: 'cpu', threads: 1 });
    },
    forMs: 2000,
  },
};

/** What a process that is to be killed has to do. */
export interface ParentTask {
  readonly phase: string;
}

/** The parent: starts an engine, and tells its number and when the phase is reached. */
export async function runAsParent({ phase }: ParentTask): Promise<void> {
  const engine = new Engine();
  let isTold = false;
  const reached = (): void => {
    if (!isTold) {
      isTold = true;
      process.send?.({ pid: engine.pid });
    }
  };
  const failed = await phases[phase].begin(engine, reached).then(
    () => undefined,
    (error: unknown) => ({ refused: messageOf(error) }),
  );
  process.send?.(failed ?? { isOver: true });
  // Its engine is idle now. It is killed within this time.
  await new Promise((later) => setTimeout(later, reachedMs));
}

/** The parent is killed in each phase: no engine, and no engine of several, is there two seconds later. */
export const parentKilled: Campaign = {
  title: 'parent killed (SIGKILL)',
  run: async (context) => {
    const tallies: Tally[] = [];
    const wanted = [...Object.keys(phases), 'engines'].filter((name) => context.parts.length === 0 || context.parts.includes(name));
    for (const phase of wanted) {
      context.log(`parent: ${phase}`);
      if (context.short && context.parts.length === 0 && phase !== 'run') {
        continue;
      }
      const tally = new Tally(`${parentKilled.title} while ${phase}`);
      tallies.push(tally);
      for (let index = 0; index < countOf(context, 20, 1); index += 1) {
        const where = `--seed ${context.seed} --only "parent.${phase}", try ${index}`;
        try {
          const next = nextOf(seedOf(context.seed, phase, index));
          tally.ended(
            await (phase === 'engines' ? killCommand(context, next(4000)) : killParent(context, phase, next(phases[phase].forMs))),
          );
        } catch (error) {
          tally.failed(messageOf(error), where);
        }
      }
    }
    return tallies;
  },
};

async function killParent(context: Context, phase: string, delayMs: number): Promise<string> {
  const parent = fork(context.entry, ['--parent', JSON.stringify({ phase } satisfies ParentTask)], { cwd: root, stdio: 'ignore' });
  const told = await new Promise<{ readonly pid?: number; readonly refused?: string; readonly isLate?: true }>((resolve) => {
    parent.once('message', resolve);
    parent.once('exit', () => resolve({ refused: 'the parent ended by itself' }));
    setTimeout(() => resolve({ isLate: true }), reachedMs).unref();
  });
  const later: unknown[] = [];
  parent.on('message', (message) => later.push(message));
  await new Promise((over) => setTimeout(over, delayMs));
  parent.kill('SIGKILL');
  // Its engine, if it has one, is left alone as well.
  if (told.isLate) {
    return `phase not reached within ${reachedMs / 1000} s, on a busy machine`;
  }
  if (told.pid === undefined) {
    throw new Error(`the phase was not reached: ${told.refused ?? 'the work was over before'}`);
  }
  const end = await goneSoon([told.pid], outlivesMs(context));
  return later.length > 0 ? `${end}, its work was over` : end;
}

/** `evaluate --engines 2` is killed, whose engines are then alone. */
async function killCommand(context: Context, delayMs: number): Promise<string> {
  const experiment = join(context.folder, 'x.two-heads.json');
  const prompts = [join(root, 'media', 'samples', 'long-prompt.md')];
  writeFileSync(
    experiment,
    JSON.stringify({ version: 1, prompts, model: 'tiny-docs-5m', scenarios: ['native', 'sliding-window:64'], context: 256 }),
  );
  const args = [join(root, 'dist', 'cli.js'), 'run', experiment, '--engines', '2', '--threads', '1'];
  const command = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, XDG_CACHE_HOME: context.folder } });
  const { pid } = command;
  if (pid === undefined) {
    throw new Error('the command did not start');
  }
  const children = (): number[] => childrenOf(pid);
  if (!(await within(20_000, () => children().length === 2))) {
    command.kill('SIGKILL');
    throw new Error(`the command has ${children().length} engines`);
  }
  await new Promise((later) => setTimeout(later, delayMs));
  const engines = children();
  const isOver = command.exitCode !== null;
  command.kill('SIGKILL');
  return isOver ? 'finished first' : goneSoon(engines, outlivesMs(context));
}

/** Where engines outlive their parent, they are ended here, so that they hold up nothing else. */
async function goneSoon(engines: readonly number[], limitMs: number): Promise<string> {
  if (await within(limitMs, () => !engines.some((pid) => isRunning(pid, false)))) {
    return 'gone';
  }
  const left = engines.filter((pid) => isRunning(pid, false));
  left.forEach((pid) => process.kill(pid, 'SIGKILL'));
  throw new Error(`an engine outlives its parent by more than ${limitMs / 1000} s`);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
      .filter((child) => child !== '')
      .map(Number);
  } catch {
    return [];
  }
}
