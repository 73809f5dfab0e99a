import { describe, expect, it } from 'vitest';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { madeUpCalibration } from '../../support/calibration';
import { activated, openPrompt, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { script, textsOf } from '../../support/workbench/dialogs';
import { settled } from '../../support/workbench/events';
import { set } from '../../support/workbench/settings';
import { progresses } from '../../support/workbench/views';

describe('a run', () => {
  it('waits for another that is on, as things were when it was asked for, and can be cancelled', async () => {
    const { engine } = await activated();
    await openPrompt('First line.\nSecond line.\n');
    const first = run('simulateFile');
    await engine.next('simulate');
    set('twoHeads.scenario', 'full');
    const second = run('simulateFile');
    await settled();
    set('twoHeads.scenario', 'causal');
    const third = run('runLedger');
    await settled();
    expect(progresses.map(({ reports }) => reports)).toEqual([
      [{ message: 'native', increment: 0 }],
      [{ message: 'waits for what runs before it' }],
      [{ message: 'waits for what runs before it' }],
    ]);
    expect(engine.calls).toHaveLength(1);
    progresses[2].cancel();
    await third;
    await run('cancel');
    await first;
    expect((await engine.next('simulate')).argument.options.scenario).toEqual({ kind: 'full' });
    progresses[1].cancel();
    await second;
    expect(engine.calls).toHaveLength(2);
    expect(textsOf('information')).toEqual(Array(3).fill('Two Heads: the run was cancelled.'));
    expect(textsOf('error')).toEqual([]);
    // Where nothing runs there is nothing to cancel.
    await run('cancel');
  });

  it('is asked for first where it is expected to take long, and not made where it is not wanted', async () => {
    const { engine, globalStorage } = await activated();
    await new CalibrationStore(globalStorage).write(madeUpCalibration());
    set('twoHeads.threads', madeUpCalibration().threads);
    set('twoHeads.askAboveSeconds', 1);
    await openPrompt('word '.repeat(3000));
    const long = /^This is expected to take about .*\. Run it\?$/;
    await run('simulateFile');
    expect(textsOf('warning')).toEqual([expect.stringMatching(long)]);
    expect(engine.calls).toEqual([]);
    script.press = ({ buttons }) => buttons[0];
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    call.resolve(await reportFor(call));
    await running;
    expect(textsOf('warning')).toHaveLength(2);
    for (const never of [0, 1_000_000]) {
      set('twoHeads.askAboveSeconds', never);
      const next = run('simulateFile');
      const unasked = await engine.next('simulate');
      unasked.resolve(await reportFor(unasked));
      await next;
    }
    expect(textsOf('warning')).toHaveLength(2);
  });

  it('counts all that a command runs: the own attention of a continuation, and the many windows of an advice', async () => {
    const { engine, globalStorage } = await activated();
    await new CalibrationStore(globalStorage).write(madeUpCalibration());
    set('twoHeads.threads', madeUpCalibration().threads);
    set('twoHeads.scenario', 'sliding-window');
    set('twoHeads.window', 64);
    set('twoHeads.askAboveSeconds', 0.01);
    await openPrompt('word '.repeat(3000));
    const asked = async (command: string, ...inputs: string[]): Promise<number> => {
      script.inputs.push(...inputs.map((input) => [input]));
      await run(command);
      return secondsOf(/about (.*)\. Run it/.exec(textsOf('warning').at(-1) ?? '')?.[1] ?? '');
    };
    const [one, two, many] = [await asked('simulateFile'), await asked('continuePrompt', '8'), await asked('adviseMask', '0.02')];
    expect(two).toBeGreaterThan(1.5 * one);
    expect(many).toBeGreaterThan(10 * one);
    expect(engine.calls).toEqual([]);
  });
});

/** Seconds of a duration as it is shown, of seconds or minutes. */
function secondsOf(shown: string): number {
  const [, amount, unit] = /^([\d.,]+) (ms|s|min)/.exec(shown) ?? [];
  return Number(amount.replace(',', '')) * { ms: 0.001, s: 1, min: 60 }[unit as 's'];
}
