import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { edit } from '../../support/workbench/documents';
import { messages, quickPicks, script, shownInputs, shownPicks, textsOf } from '../../support/workbench/dialogs';
import { decorationTypes, type FakeEditor, scroll, select } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { set, userSettings } from '../../support/workbench/settings';
import { executed } from '../../support/workbench/commands';
import { lensesRefreshed, shownLenses } from '../../support/workbench/languages';

const text = `# First\n\n${'The quick $(play) fox jumps over the lazy dog. '.repeat(60)}\n\n# \n\nShort.\n`;

describe('the choice of a scenario', () => {
  it('asks for its parameters, refuses wrong ones, and keeps what was chosen out of the settings', async () => {
    const { state } = await activated();
    const panel = new Panel();
    script.picks.push('Attention sink');
    script.inputs.push(['', 'many', '0', '1.5', '64'], ['-1', '8']);
    await run('chooseScenario');
    expect(shownPicks[0].items.find(({ description }) => description === 'current')?.label).toBeDefined();
    expect(shownInputs.map(({ refusals }) => refusals.length)).toEqual([4, 1]);
    expect(shownInputs[0].refusals[1]).toContain('many');
    expect(shownInputs[0].options.value).toBe('512');
    const { form, formError } = await panel.snapshot();
    expect(form).toMatchObject({ kind: 'attention-sink', parameters: { window: 64, sinks: 8 }, blockSize: 256 });
    expect(formError).toBeNull();
    expect(userSettings()).toEqual({});
    expect(state.choice).toMatchObject({ kind: 'attention-sink' });
    // A later change of the settings wins.
    set('twoHeads.scenario', 'full');
    expect((await panel.snapshot()).form).toMatchObject({ kind: 'full', parameters: { window: 512 } });
  });

  it.each<[string, () => void]>([
    ['the scenario', () => script.picks.push(undefined)],
    ['its first parameter', () => (script.picks.push('Sliding window'), script.inputs.push([undefined]))],
    ['its last parameter', () => (script.picks.push('Attention sink'), script.inputs.push(['64'], [undefined]))],
    ['its mask', () => (script.picks.push('Custom'), script.inputs.push(['k <', undefined]))],
  ])('changes nothing where %s is not answered', async (_, answer) => {
    const { state } = await activated();
    answer();
    await run('chooseScenario');
    expect(state).toEqual({});
    expect(script.picks.length + script.inputs.length).toBe(0);
  });

  it('takes a mask that means something', async () => {
    await activated();
    const panel = new Panel();
    script.picks.push('Custom');
    script.inputs.push(['k <= ', 'k <= x', 'k <= q and q - k < 9']);
    await run('chooseScenario');
    expect(shownInputs[0].refusals).toEqual([expect.any(String), expect.stringContaining('x')]);
    expect((await panel.snapshot()).form).toMatchObject({ kind: 'custom', parameters: { expression: 'k <= q and q - k < 9' } });
  });
});

describe('the menu of the status item', () => {
  it('offers what can be done now, and does it', async () => {
    const { engine } = await activated();
    const offered = (): string[] => (shownPicks.at(-1)?.items ?? []).map(({ label }) => label.replace(/^\$\([\w-]+\) /, ''));
    script.picks.push('$(split-horizontal) Open Panel');
    await run('showMenu');
    expect(offered()).not.toContain('Simulate This File');
    await openPrompt(text);
    script.picks.push('$(play) Simulate This File');
    const running = run('showMenu');
    const call = await engine.next('simulate');
    expect(offered()).toEqual(expect.arrayContaining(['Simulate This File', 'Go to Most Expensive Block', 'Choose Scenario']));
    script.picks.push('$(debug-stop) Cancel the Run');
    await run('showMenu');
    expect(offered()).not.toContain('Simulate This File');
    expect(call.argument).toMatchObject({ path: '/prompts/prompt.md' });
    await running;
    script.picks.push('$(settings-gear) Settings of Hints');
    await run('showMenu');
    expect(executed.at(-1)).toEqual({ command: 'workbench.action.openSettings', given: ['twoHeads.hints'] });
  });
});

describe('the choice of a block size', () => {
  it('refuses what is none', async () => {
    await activated();
    const panel = new Panel();
    script.inputs.push(['1', '3.5', '99999999999', '128']);
    await run('chooseBlockSize');
    expect(shownInputs[0].options.value).toBe('256');
    expect(shownInputs[0].refusals).toHaveLength(3);
    expect(shownInputs[0].refusals[0]).toMatch(/Block size M.*1/);
    expect((await panel.snapshot()).form.blockSize).toBe(128);
    script.inputs.push([undefined]);
    await run('chooseBlockSize');
    expect((await panel.snapshot()).form.blockSize).toBe(128);
  });
});

/** Opens the quick pick of expensive parts. */
async function openParts(editor: FakeEditor): Promise<{ pick: (typeof quickPicks)[number]; done: Promise<void> }> {
  select(editor, new vscode.Range(2, 5, 2, 5));
  await settled();
  const done = run('goToExpensiveBlock');
  await settled();
  return { pick: quickPicks[quickPicks.length - 1], done };
}

describe('the most expensive parts', () => {
  it('are listed with where they are, the largest share first, and nothing in them is taken for an icon', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { editor } = await openPrompt(text);
    const { pick, done } = await openParts(editor);
    const labels = pick.items.map(({ label, kind }) => (kind === vscode.QuickPickItemKind.Separator ? `-- ${label}` : label));
    const sections = labels.indexOf('-- sections');
    expect(labels[0]).toBe('-- blocks');
    expect(labels.slice(1, sections)).toEqual(labels.slice(1, sections).filter((label) => /^block \d+ · /.test(label)));
    expect(labels.slice(sections + 1)).toEqual(['First', 'Untitled section']);
    const shares = labels.slice(1, sections).map((label) => Number(/([\d.]+)%/.exec(label)?.[1]));
    expect(shares).toEqual([...shares].sort((one, other) => other - one));
    expect(sections).toBeGreaterThan(4);
    expect(pick.items[2]).toMatchObject({ description: 'line 3', detail: expect.stringContaining('\\$(play)') as string });
    expect(pick.items[sections + 1].description).toMatch(/% .*· line 1$/);
    pick.hide();
    await done;
    expect(pick.disposed).toBe(true);
  });

  it('are shown as the focus moves, and gone to', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { editor } = await openPrompt(text);
    const before = decorationTypes.size;
    const { pick, done } = await openParts(editor);
    const type = [...decorationTypes].at(-1);
    const item = pick.items[3] as (typeof pick.items)[number] & { range: vscode.Range };
    pick.focus([item]);
    expect(editor.decorations.get(type)).toEqual([item.range]);
    expect(editor.revealed.at(-1)?.range).toBe(item.range);
    pick.focus([]);
    expect(editor.decorations.get(type)).toEqual([]);
    pick.focus([item]);
    pick.accept();
    await done;
    expect(editor.selection.isEqual(new vscode.Selection(item.range.start, item.range.start))).toBe(true);
    expect(editor.revealed.at(-1)?.range).toBe(item.range);
    expect(decorationTypes.size).toBe(before);
  });

  it('leave the editor as it was without an answer', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { editor, document } = await openPrompt(text);
    scroll(editor, new vscode.Range(2, 0, 4, 0));
    const { pick, done } = await openParts(editor);
    pick.focus([pick.items[2]]);
    pick.hide();
    await done;
    const last = editor.revealed.at(-1);
    expect(last?.range.isEqual(new vscode.Range(2, 0, 2, 0))).toBe(true);
    expect(last?.how).toBe(vscode.TextEditorRevealType.AtTop);
    expect(editor.selection.isEqual(new vscode.Selection(2, 5, 2, 5))).toBe(true);
    expect(editor.document).toBe(document);
  });

  it('close as the text changes: they are of the text as it was', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { editor, document } = await openPrompt(text);
    const { pick, done } = await openParts(editor);
    edit(document, { from: 0, text: 'x' });
    await done;
    expect(pick.visible).toBe(false);
  });

  it('are only blocks where the text has no headings', async () => {
    await activated();
    const { editor } = await openPrompt('Plain text. '.repeat(300));
    const { pick, done } = await openParts(editor);
    expect(pick.items.every(({ kind }) => kind === undefined)).toBe(true);
    pick.hide();
    await done;
  });

  it('are of the text as it is: a plan under way is waited for', async () => {
    await activated();
    const { editor, document } = await openPrompt(text);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    edit(document, { from: 0, text: 'Now it is another text. ' });
    const done = run('goToExpensiveBlock');
    await settled();
    expect(quickPicks).toEqual([]);
    const planned = lensesRefreshed();
    vi.advanceTimersByTime(100);
    await planned;
    await settled();
    expect(quickPicks).toHaveLength(1);
    quickPicks[0].hide();
    await done;
    expect(editor.document).toBe(document);
  });

  it('are none where nothing could be planned', async () => {
    await activated();
    await openPrompt('');
    await run('goToExpensiveBlock');
    await run('planOnly');
    expect(textsOf('error')).toEqual(['Two Heads: This prompt is empty.', 'Two Heads: This prompt is empty.']);
  });
});

describe('the plan alone', () => {
  it('is shown with its arithmetic, and leads to the panel', async () => {
    await activated();
    const { document } = await openPrompt(text);
    script.press = () => 'Open Panel';
    await run('planOnly');
    expect(messages).toEqual([
      {
        kind: 'information',
        text: (await shownLenses(document))[0],
        modal: true,
        detail: expect.stringMatching(/^N = [^*`]*attention calls[^*`]*$/) as string,
        buttons: ['Open Panel'],
      },
    ]);
    expect(executed).toEqual([{ command: 'twoHeads.panel.focus', given: [] }]);
  });
});
