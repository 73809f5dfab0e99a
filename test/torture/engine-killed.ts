import { isDeepStrictEqual } from 'node:util';
import type { RunReport } from '../../src/core/report/report';
import { messageOf } from '../../src/core/errors';
import { nextOf } from '../support/mutate';
import { type Campaign, countOf, seedOf, Tally, within } from './campaign';
import { callWithin, Engine, isRunning, shortRun } from './engine';

/** Longest time for any call, in milliseconds: the machine may be busy. */
const longestMs = 60_000;

/** Engine processes side by side. */
const lanes = 2;

/** The engine is killed at random moments of its life: while it starts, loads, plans, runs, and between runs. */
export const engineKilled: Campaign = {
  title: 'engine killed (SIGKILL) at random moments',
  run: async (context) => {
    const tally = new Tally(engineKilled.title);
    const count = countOf(context, 1000, 4);
    let index = 0;
    const lane = async (): Promise<void> => {
      const engine = new Engine();
      const { report: expected, coldMs, warmMs } = await measured(engine);
      while (index < count) {
        const own = index;
        index += 1;
        const next = nextOf(seedOf(context.seed, 'engine', own));
        const isWarm = engine.pid !== undefined;
        const delayMs = (next(1000) / 1000) * 1.1 * (isWarm ? warmMs : coldMs);
        const where = `--seed ${context.seed}, try ${own}, ${Math.round(delayMs)} ms after a call to a ${isWarm ? 'warm' : 'new'} engine`;
        try {
          tally.ended(await killOnce(engine, delayMs, expected));
        } catch (error) {
          tally.failed(messageOf(error), where);
        }
        if (next(2) === 0) {
          engine.stop();
        }
        if (own % 100 === 99) {
          context.log(`engine: ${own + 1} of ${count}, ${tally.failures} failed`);
        }
      }
      engine.stop();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return [tally];
  },
};

/** What a short run reports, and how long it takes a new engine and one that has the model. */
async function measured(engine: Engine): Promise<{ readonly report: object; readonly coldMs: number; readonly warmMs: number }> {
  const start = performance.now();
  const report = lasting(await callWithin(longestMs, engine.client.call('simulate', shortRun)));
  const between = performance.now();
  await callWithin(longestMs, engine.client.call('simulate', shortRun));
  return { report, coldMs: between - start, warmMs: performance.now() - between };
}

/** What is the same whenever a prompt is run. */
function lasting({ plan, fidelity, quality, prompt, run }: RunReport): object {
  return { plan, fidelity, quality, prompt, calls: run.calls.total };
}

async function killOnce(engine: Engine, delayMs: number, expected: object): Promise<string> {
  const running = engine.client.call('simulate', shortRun).then(
    (report) => ({ report }),
    (error: unknown) => ({ error }),
  );
  const { pid } = engine;
  if (pid === undefined) {
    throw new Error('a call started no engine');
  }
  const isDone = await Promise.race([running.then(() => true), new Promise<false>((later) => setTimeout(() => later(false), delayMs))]);
  process.kill(pid, 'SIGKILL');
  const first = await callWithin(longestMs, running);
  if (
    'report' in first ? !isDeepStrictEqual(lasting(first.report), expected) : !/ended \(SIGKILL\); run again/.test(messageOf(first.error))
  ) {
    throw new Error('report' in first ? 'a killed run gave a wrong result' : `a killed run was refused with: ${messageOf(first.error)}`);
  }
  // A request that comes before the death is noticed is rejected, and says to run again: so it is, once.
  const again = engine.client.call('simulate', shortRun).catch((error: unknown) => {
    if (!/ended \(SIGKILL\); run again/.test(messageOf(error))) {
      throw error;
    }
    return engine.client.call('simulate', shortRun);
  });
  if (!isDeepStrictEqual(lasting(await callWithin(longestMs, again)), expected)) {
    throw new Error('the run after a kill gave a wrong result');
  }
  if (!(await within(longestMs, () => !isRunning(pid, true)))) {
    throw new Error('a killed engine is still there, or a zombie');
  }
  return 'error' in first ? 'rejected' : isDone ? 'killed between runs' : 'finished first';
}
