import { CancelledError, messageOf } from '../../src/core/errors';
import { defaultOptions } from '../../src/core/options/table';
import { nextOf } from '../support/mutate';
import { type Campaign, countOf, seedOf, Tally, within } from './campaign';
import { callWithin, Engine, isRunning, sampleText, shortRun } from './engine';

/** Longest time until a cancelled call is rejected, in milliseconds: 3 s that the engine has, and as long for a busy machine. */
const longestMs = 8000;

/** The engine stands still (SIGSTOP) at a random moment of a run, and the run is cancelled: it is killed, and the next call runs. */
export const engineStopped: Campaign = {
  title: 'engine stopped (SIGSTOP) and the run cancelled',
  run: async (context) => {
    const tally = new Tally(engineStopped.title);
    const engine = new Engine();
    const long = { path: 'prompt.md', text: sampleText(), options: { ...defaultOptions, threads: 1 } };
    for (let index = 0; index < countOf(context, 60, 1); index += 1) {
      const delayMs = nextOf(seedOf(context.seed, 'stopped', index))(1500);
      try {
        const cancel = new AbortController();
        const running = engine.client.call('simulate', long, { signal: cancel.signal }).catch((error: unknown) => error);
        const { pid } = engine;
        await new Promise((later) => setTimeout(later, delayMs));
        if (pid === undefined) {
          throw new Error('a call started no engine');
        }
        process.kill(pid, 'SIGSTOP');
        cancel.abort();
        const end = await callWithin(longestMs, running);
        if (!(end instanceof CancelledError)) {
          throw new Error(`a cancelled run ended with: ${messageOf(end)}`);
        }
        if (!(await within(longestMs, () => !isRunning(pid, true)))) {
          throw new Error('a stopped engine is still there, or a zombie');
        }
        if ((await callWithin(60_000, engine.client.call('simulate', shortRun))).fidelity === null) {
          throw new Error('the next run was not verified');
        }
        tally.ended('cancelled');
      } catch (error) {
        tally.failed(messageOf(error), `--seed ${context.seed}, try ${index}, stopped ${delayMs} ms after the call`);
        engine.stop();
      }
    }
    engine.stop();
    return [tally];
  },
};
