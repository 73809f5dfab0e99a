import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { staleNote } from '../../../src/core/hints/hints';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { madeUpCalibration } from '../../support/calibration';
import { activated, openPrompt, run } from '../../support/host';
import { textsOf } from '../../support/workbench/dialogs';
import { edit } from '../../support/workbench/documents';
import { settled } from '../../support/workbench/events';
import { closeEditor } from '../../support/workbench/editors';
import { hoversAt, inlayHints, lensesRefreshed, refreshes, shownLenses } from '../../support/workbench/languages';
import { restrict, trust, openFolders } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';
import { ConfigurationTarget } from '../../support/workbench/values';
import { statusItems } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const tokensOf = (lenses: readonly string[]): number => Number(/([\d,]+) of [\d,]+ tokens/.exec(lenses[0])?.[1].replaceAll(',', ''));

/** From here on time passes only where the test says so: what reads files takes none. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('the plans of prompts', () => {
  it('follow the text', async () => {
    await activated();
    const { document } = await openPrompt(text);
    const before = tokensOf(await shownLenses(document));
    let planned = lensesRefreshed();
    edit(document, { from: 0, text: 'Once more: ' }, { from: 45, to: 90 });
    await planned;
    // On a slow machine lenses refresh once more before the plan, to be marked as stale.
    while (tokensOf(await shownLenses(document)) === before) {
      planned = lensesRefreshed();
      await planned;
    }
    const after = tokensOf(await shownLenses(document));
    expect(before).toBeGreaterThan(300);
    expect(after).toBeLessThan(before);
    expect(after).toBeGreaterThan(before - 15);
  });

  it('wait for a pause in typing: hardly any after a quick update', async () => {
    await activated();
    const { document } = await openPrompt(text);
    stopTime();
    const drawn = refreshes('lenses');
    edit(document, { from: 0, text: 'a' });
    await vi.advanceTimersByTimeAsync(1);
    // The first plan may have been slow: it read the model.
    const first = lensesRefreshed();
    await vi.advanceTimersByTimeAsync(100);
    await first;
    expect(drawn.count).toBe(1);
    // That update took no time at all.
    edit(document, { from: 0, text: 'b' });
    await vi.advanceTimersByTimeAsync(4);
    await settled();
    expect(drawn.count).toBe(1);
    const second = lensesRefreshed();
    await vi.advanceTimersByTimeAsync(1);
    await second;
    expect(drawn.count).toBe(2);
  });

  it('wait longer after a slow update, and once for many keystrokes', async () => {
    await activated();
    const { document } = await openPrompt(text);
    stopTime();
    edit(document, { from: 0, text: 'a' });
    await vi.advanceTimersByTimeAsync(100);
    edit(document, { from: 0, text: 'b' });
    vi.advanceTimersToNextTimer();
    const slow = lensesRefreshed();
    // The update is under way, and takes this long.
    vi.advanceTimersByTime(40);
    await slow;
    const drawn = refreshes('lenses');
    for (const letter of 'cde') {
      edit(document, { from: 0, text: letter });
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(drawn.count).toBe(0);
    const planned = lensesRefreshed();
    await vi.advanceTimersByTimeAsync(50);
    await planned;
    expect(drawn.count).toBe(1);
  });

  it('are marked as stale where they lag behind, until the next is there', async () => {
    await activated({ prepare: () => set('twoHeads.hints.placement', 'inline') });
    const { document } = await openPrompt(text);
    const everything = new vscode.Range(0, 0, 0, text.length);
    const shown = async (): Promise<string[]> => {
      const hints = await inlayHints(document, everything);
      const hovers = await hoversAt(document, new vscode.Position(0, 0));
      const [{ tooltip }] = hints as { tooltip: vscode.MarkdownString }[];
      return [(await shownLenses(document))[0], statusItems[0].text, hints[0].label as string, tooltip.value, hovers.join()];
    };
    const fresh = await shown();
    stopTime();
    const drawn = refreshes('lenses');
    // Too fast for any pause, so that nothing is planned.
    const type = (keys: number): void => {
      for (let key = 0; key < keys; key += 1) {
        edit(document, { from: text.length - 1, text: 'x' });
        vi.advanceTimersByTime(4);
      }
    };
    type(62);
    expect(await shown()).toEqual(fresh);
    expect(drawn.count).toBe(0);
    type(1);
    const stale = await shown();
    expect(drawn.count).toBe(1);
    expect(stale.slice(0, 3)).toEqual([expect.stringMatching(/…$/), expect.stringMatching(/…$/), expect.stringMatching(/…$/)]);
    expect(stale.slice(3)).toEqual([expect.stringContaining(staleNote()), expect.stringContaining(staleNote())]);
    // A mark at every keystroke would blink.
    type(70);
    expect(drawn.count).toBe(1);
    const planned = lensesRefreshed();
    vi.advanceTimersByTime(100);
    await planned;
    const after = await shown();
    expect(tokensOf(after)).toBeGreaterThan(tokensOf(fresh));
    expect(after.join()).not.toMatch(/…|Outdated by the last edit/);
  });

  it('say what is wrong in place of figures', async () => {
    await activated();
    const { document } = await openPrompt('');
    expect(await shownLenses(document)).toEqual(['This prompt is empty.']);
    const planned = lensesRefreshed();
    edit(document, { from: 0, text: 'no longer' });
    await planned;
    expect(tokensOf(await shownLenses(document))).toBeGreaterThan(0);
  });

  it('follow the settings, and refuse those that mean nothing', async () => {
    await activated();
    const { document } = await openPrompt(text);
    const change = async (name: string, value: unknown): Promise<string> => {
      set(`twoHeads.${name}`, value);
      for (;;) {
        await lensesRefreshed();
        const [first] = await shownLenses(document);
        // The settings themselves redraw the lenses too, before the plan that comes of them.
        if (first !== last) {
          return (last = first);
        }
      }
    };
    let [last] = await shownLenses(document);
    expect(await change('blockSize', 64)).toContain('64');
    expect(await change('scenario', 'sliding-window')).toContain('sliding-window');
    expect(await change('blockSize', 1)).toMatch(/Block size.*1.*2/);
    await change('blockSize', 64);
    expect(await change('oracleLayers', 'many')).toContain('twoHeads.oracleLayers');
    await change('oracleLayers', undefined);
    expect(await change('model', '/nowhere')).toContain('/nowhere');
    // A model that was broken may have been mended.
    expect(await change('model', undefined)).toContain('sliding-window');
  });

  it('are forgotten with their documents', async () => {
    await activated();
    const { document, editor } = await openPrompt(text);
    closeEditor(editor);
    expect(document.isClosed).toBe(true);
    stopTime();
    edit(document, { from: 0, text: 'more' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('expect a time on a machine that is calibrated, from the calibration on', async () => {
    const { engine, globalStorage } = await activated();
    const { document } = await openPrompt(text);
    expect(await shownLenses(document)).not.toContainEqual(expect.stringContaining('about'));
    const calibrating = run('calibrate');
    const call = await engine.next('calibrate');
    expect(call.argument).toEqual({ provider: 'auto', threads: 0 });
    const calibration = madeUpCalibration();
    await new CalibrationStore(globalStorage).write(calibration);
    const planned = lensesRefreshed();
    call.resolve(calibration);
    await calibrating;
    await planned;
    expect((await shownLenses(document))[0]).toContain(' · about ');
    expect(statusItems[0].text).toMatch(/ · [\d.]+ (ms|s) \([\d.]+( m?s)? to [\d.]+( m?s)?\)$/);
    expect(textsOf('information')).toEqual([expect.stringMatching(/^Two Heads: Calibrated cpu \(.*\) in 1\.00 s\.$/)]);
  });
});

describe('a model of a workspace that is not trusted', () => {
  it('is refused until the workspace is', async () => {
    const { folder } = await activated({ prepare: restrict });
    openFolders(folder);
    set('twoHeads.model', folder);
    const { document } = await openPrompt(text);
    expect(await shownLenses(document)).toEqual([expect.stringContaining('is in a workspace that is not trusted; trust the workspace')]);
    await run('simulateFile');
    expect(textsOf('error')).toEqual([expect.stringContaining('is in a workspace that is not trusted')]);
    const planned = lensesRefreshed();
    trust();
    await planned;
    // It may be read now: there is no model in it.
    expect((await shownLenses(document))[0]).toContain('config.json');
  });

  it('is not taken from its settings', async () => {
    await activated({ prepare: restrict });
    set('twoHeads.model', '/of/the/workspace', ConfigurationTarget.Workspace);
    const { document } = await openPrompt(text);
    expect((await shownLenses(document)).length).toBeGreaterThan(1);
  });
});
