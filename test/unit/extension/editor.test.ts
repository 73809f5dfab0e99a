import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { madeUpCalibration } from '../../support/calibration';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { activated, openPrompt, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { registeredCommands } from '../../support/workbench/commands';
import { closeDocument, edit, type FakeDocument, openDocument } from '../../support/workbench/documents';
import { closeEditor, focus, lineHints, select, show } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { codeLenses, hoversAt, inlayHints, lensesRefreshed, refreshes, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { progresses, statusItems } from '../../support/workbench/views';

const paragraph = 'The quick brown fox jumps over the lazy dog and runs away. ';
const markdown = `# First\n\n${paragraph.repeat(10)}\n\n## Second\n\n${paragraph.repeat(20)}\n\n# Third\n\n${paragraph.repeat(5)}\n`;

function all(document: FakeDocument): vscode.Range {
  return new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
}

/** The commands that a hover leads to, of which every one is there. */
function commandsIn(markdown: string): string[] {
  const names = [...markdown.matchAll(/\(command:twoHeads\.(\w+)\)/g)].map(([, name]) => name);
  expect(registeredCommands()).toEqual(expect.arrayContaining(names.map((name) => `twoHeads.${name}`)));
  return names;
}

describe('nothing', () => {
  it('is shown where it is switched off: no lens, hover, hint or status item', async () => {
    await activated();
    const { document, editor } = await openPrompt(markdown);
    expect(statusItems.map(({ visible }) => visible)).toEqual([true]);
    expect(lineHints(editor).size).toBeGreaterThan(0);
    const drawn = refreshes('lenses');
    set('twoHeads.hints.placement', 'off');
    expect(drawn.count).toBeGreaterThan(0);
    expect(await inlayHints(document, all(document))).toEqual([]);
    expect([...editor.decorations.values()].flat()).toEqual([]);
    expect(await codeLenses(document)).toEqual([]);
    expect(await hoversAt(document, new vscode.Position(0, 0))).toEqual([]);
    expect(statusItems.map(({ visible }) => visible)).toEqual([false]);
    set('twoHeads.hints.placement', 'endOfLine');
    expect(await codeLenses(document)).not.toEqual([]);
    expect(statusItems.map(({ visible }) => visible)).toEqual([true]);
  });
});

describe('the hover', () => {
  it('has the arithmetic at the word where a block begins, and that of the whole prompt at the first', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { document } = await openPrompt(markdown);
    const first = await hoversAt(document, new vscode.Position(0, 0));
    expect(first).toHaveLength(4);
    expect(first[0]).toContain('N = ');
    expect(first[1]).toContain('Calibrate This Machine');
    expect(first[2]).toContain('**Block 1 of');
    expect(commandsIn(first[3])).toEqual(['simulateFile', 'chooseScenario', 'calibrate', 'goToExpensiveBlock', 'openPanel']);
    set('twoHeads.hints.placement', 'inline');
    const hints = await inlayHints(document, all(document));
    const third = hints.filter(({ label }) => /^block/.test(label as string))[2];
    const [arithmetic, links] = await hoversAt(document, third.position.translate(0, 1));
    expect(arithmetic).toBe((third.tooltip as vscode.MarkdownString).value);
    expect(commandsIn(links)).toEqual(['goToExpensiveBlock', 'openPanel']);
    expect(await hoversAt(document, third.position.translate(0, 30))).toEqual([]);
  });

  it('has none where there is no plan', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 1) });
    const { document } = await openPrompt(markdown);
    expect(await hoversAt(document, new vscode.Position(0, 0))).toEqual([]);
    expect(await inlayHints(document, all(document))).toEqual([]);
    expect(statusItems.map(({ text, tooltip, visible }) => [text, tooltip, visible])).toEqual([
      ['$(warning) Two Heads', (await shownLenses(document))[0], true],
    ]);
  });
});

describe('the lenses', () => {
  it('say on hover that tokens are an estimate, and how far it is off', async () => {
    await activated({ prepare: () => set('twoHeads.model', 'llama-3.1-8b') });
    const { document } = await openPrompt(markdown);
    expect((await shownLenses(document)).join()).toMatch(/tokens are an estimate by cl100k_base\. .* \+7\d\.?\d*% in other scripts\./);
  });

  it('say what the last run of this very text and plan took', async () => {
    const { engine } = await activated();
    const { document } = await openPrompt(`${markdown}1`);
    const [headline] = await shownLenses(document);
    const commands = await codeLenses(document);
    // What can be done comes first, then one fact.
    expect(commands.map(({ command }) => command?.command)).toEqual(['twoHeads.simulateFile', 'twoHeads.openPanel']);
    expect(commands.map(({ command }) => command?.title)).toEqual([
      '$(play) Simulate',
      expect.stringMatching(/^\d+ of 2,048 tokens, \d+%$/),
    ]);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    const drawn = lensesRefreshed();
    call.resolve(await reportFor(call));
    await running;
    await drawn;
    expect((await shownLenses(document))[1]).toBe('Last run: 1.23 s, error 3.1e-7');
    const planned = lensesRefreshed();
    edit(document, { from: markdown.length, to: markdown.length + 1, text: '2' });
    await planned;
    // As many tokens, and yet another text.
    expect((await shownLenses(document))[0]).toBe(headline);
    expect((await shownLenses(document)).join()).not.toContain('Last run');
  });

  it('are drawn once more a while after a run, for an editor that just lost the focus', async () => {
    const { engine } = await activated();
    await openPrompt(markdown);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    const drawn = refreshes('lenses');
    call.resolve(await reportFor(call));
    await running;
    expect(drawn.count).toBe(1);
    vi.advanceTimersByTime(1499);
    expect(drawn.count).toBe(1);
    vi.advanceTimersByTime(1);
    expect(drawn.count).toBe(2);
    vi.advanceTimersByTime(10_000);
    expect(drawn.count).toBe(2);
  });

  it('and hints expect a time on a machine that is calibrated', async () => {
    const { globalStorage } = await activated();
    await new CalibrationStore(globalStorage).write(madeUpCalibration());
    const { document, editor } = await openPrompt(markdown);
    expect((await shownLenses(document))[0]).toMatch(/about [\d.]+ (ms|s) \([\d.]+( m?s)? to [\d.]+( m?s)?\) · [\d.]+ MiB$/);
    expect((await codeLenses(document))[0].command?.title).toMatch(/^\$\(play\) Simulate, about [\d.,]+ (ms|s)$/);
    lineHints(editor).forEach(({ label }) => expect(label).toMatch(/ · [\d.,]+% · [\d.,]+ (ms|s|µs)/));
    expect((await hoversAt(document, new vscode.Position(0, 0)))[1]).toContain('Expected on cpu');
  });
});

describe('the context length', () => {
  const long = `${markdown}${paragraph.repeat(80)}`;

  it('is in lens and status item, without a warning while the prompt is within it', async () => {
    await activated();
    const { document } = await openPrompt(markdown);
    const [headline, ...rest] = await shownLenses(document);
    expect(headline).toMatch(/^\d+ of 2,048 tokens, \d+% · \d blocks? of 256 · /);
    expect(rest).toEqual(['Open the Two Heads panel']);
    expect(statusItems[0].text).toMatch(/^\$\(split-horizontal\) \d+ of 2,048 tokens, \d+% · [\d,]+ calls$/);
  });

  it('is warned of in lens, status item and hover once the prompt is past it', async () => {
    await activated();
    const { document } = await openPrompt(long);
    const note = /2,\d{3} tokens are past the 2,048 that the model was trained on/;
    const [, fact] = await codeLenses(document);
    expect(fact.command?.title).toMatch(/^\$\(warning\) 2,\d{3} of 2,048 tokens, 1\d\d%$/);
    expect(fact.command?.tooltip).toMatch(note);
    expect(statusItems[0].text).toMatch(/^\$\(warning\) 2,\d{3} of 2,048 tokens, 1\d\d% · /);
    expect((statusItems[0].tooltip as vscode.MarkdownString).value).toMatch(note);
    expect((await hoversAt(document, new vscode.Position(0, 0)))[0]).toMatch(note);
  });

  it('is a limit where positions are learned', async () => {
    await activated({ prepare: () => set('twoHeads.model', 'gpt2') });
    const { document } = await openPrompt(long);
    expect((await shownLenses(document)).slice(0, 2)).toEqual([
      expect.stringMatching(/^1,\d{3} of 1,024 tokens, 1\d\d% · /),
      expect.stringMatching(/^The model has 1,024 positions and cannot run /),
    ]);
  });
});

describe('the status item', () => {
  it('shows the prompt in front, and a run while it is on', async () => {
    const { engine } = await activated();
    const { document, editor } = await openPrompt(markdown);
    const [item] = statusItems;
    const idle = item.text;
    expect(idle).toMatch(/^\$\(split-horizontal\) .*\d/);
    expect(item.command).toBe('twoHeads.showMenu');
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    expect(item.text).toBe('$(loading~spin) native 0%');
    call.progress(0.5);
    expect(item.text).toMatch(/^\$\(loading~spin\) native 50(\.0)?%$/);
    expect(item.tooltip).toBe('Two Heads is running');
    progresses[0].cancel();
    await running;
    expect(item.text).toBe(idle);
    focus(undefined);
    expect(item.visible).toBe(true);
    expect(editor.document).toBe(document);
    closeDocument(document);
  });

  it('counts the tokens of what is selected, by every cursor, and those of no other editor', async () => {
    await activated();
    const { document, editor } = await openPrompt(markdown);
    const [item] = statusItems;
    const totals = item.text;
    const tokens = Number(/(\d+) of/.exec(totals)?.[1]);
    const selected = async (...ranges: readonly [from: number, to: number][]): Promise<number> => {
      select(editor, ...ranges.map(([from, to]) => new vscode.Range(document.positionAt(from), document.positionAt(to))));
      await settled();
      expect(item.text).toMatch(new RegExp(`^\\$\\(split-horizontal\\) \\d+ of ${tokens} tokens selected$`));
      return Number(/(\d+) of/.exec(item.text)?.[1]);
    };
    const end = markdown.length;
    expect(await selected([0, end])).toBe(tokens);
    // Every token begins in one part, wherever the text is cut.
    for (const cut of [1, 9, 10, 11, 100, 333, end - 1]) {
      const first = await selected([0, cut]);
      expect((await selected([cut, end])) + first, `cut at ${cut}`).toBe(tokens);
      expect(await selected([0, cut], [cut, end])).toBe(tokens);
    }
    // A cursor that selects nothing adds nothing.
    expect(await selected([0, 9], [20, 20])).toBe(await selected([0, 9]));
    const plain = show(openDocument('/README.md', markdown), { viewColumn: 2, preserveFocus: true });
    select(plain, new vscode.Range(0, 0, 2, 0));
    await settled();
    expect(Number(/(\d+) of/.exec(item.text)?.[1])).toBe(await selected([0, 9]));
    select(editor, new vscode.Range(0, 0, 0, 0));
    await settled();
    expect(item.text).toBe(totals);
    focus(plain);
    select(plain, new vscode.Range(0, 0, 3, 0));
    await settled();
    expect(item.visible).toBe(false);
  });

  it('counts what is selected of a prompt that is cut, in the text before the last edits, and marks that', async () => {
    await activated({ prepare: () => set('twoHeads.maxTokens', 50) });
    const { document, editor } = await openPrompt(markdown);
    const [item] = statusItems;
    select(editor, all(document));
    await settled();
    expect(item.text).toContain(' 50 of 50 tokens selected');
    select(editor, new vscode.Range(document.positionAt(markdown.length - 20), document.positionAt(markdown.length)));
    await settled();
    expect(item.text).toContain(' 0 of 50 tokens selected');

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const selectFirstWords = async (from: number): Promise<string> => {
      select(editor, new vscode.Range(document.positionAt(from), document.positionAt(from + 30)));
      await settled();
      return item.text;
    };
    const before = await selectFirstWords(0);
    edit(document, { from: 0, text: '> '.repeat(9) });
    expect(await selectFirstWords(18)).toBe(before);
    // Too fast for any pause, so that nothing is planned.
    for (let key = 0; key < 63; key += 1) {
      edit(document, { from: markdown.length, text: 'x' });
      vi.advanceTimersByTime(4);
    }
    expect(await selectFirstWords(18)).toBe(`${before}…`);
    closeEditor(editor);
    expect(item.visible).toBe(false);
  });
});
