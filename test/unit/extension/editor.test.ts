import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { madeUpCalibration } from '../../support/calibration';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { activated, openPrompt, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { closeDocument, edit, type FakeDocument, openDocument } from '../../support/workbench/documents';
import { closeEditor, focus, select, show } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { codeLenses, hoversAt, inlayHints, lensesRefreshed, refreshes, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { progresses, statusItems } from '../../support/workbench/views';

const paragraph = 'The quick brown fox jumps over the lazy dog and runs away. ';
const markdown = `# First\n\n${paragraph.repeat(10)}\n\n## Second\n\n${paragraph.repeat(20)}\n\n# Third\n\n${paragraph.repeat(5)}\n`;

function all(document: FakeDocument): vscode.Range {
  return new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
}

/** The hints of a document by what they begin with. */
async function hintsOf(
  document: FakeDocument,
  kind: 'block' | 'section',
  range = all(document),
): Promise<{ label: string; position: vscode.Position; tooltip: string }[]> {
  const hints = await inlayHints(document, range);
  return hints
    .map(({ label, position, tooltip }) => ({ label: label as string, position, tooltip: (tooltip as vscode.MarkdownString).value }))
    .filter(({ label }) => label.startsWith('block') === (kind === 'block'));
}

describe('hints', () => {
  it('stand at the first token of every block in sight, and share out the calls', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { document } = await openPrompt(markdown);
    const hints = await hintsOf(document, 'block');
    expect(hints.length).toBeGreaterThan(5);
    expect(hints.map(({ label }) => Number(/^block (\d+) /.exec(label)?.[1]))).toEqual(hints.map((_, index) => index + 1));
    expect(hints[0].position.isEqual(new vscode.Position(0, 0))).toBe(true);
    const calls = hints.map(({ label }) => Number(/· (\d+) calls? ·/.exec(label)?.[1]));
    const [headline] = await shownLenses(document);
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(Number(/\((\d+) attention\)/.exec(headline)?.[1]));
    expect(hints[2].tooltip).toContain('**Block 3 of');
    // Only what is in sight: the blocks that this line is in.
    const line = document.lineAt(2).range;
    const seen = await hintsOf(document, 'block', new vscode.Range(line.start, line.start.translate(0, 5)));
    expect(seen).toHaveLength(1);
  });

  it('are a few of those in a line that is as long as the prompt', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 2) });
    const { document } = await openPrompt(paragraph.repeat(60));
    expect(await hintsOf(document, 'block')).toHaveLength(250);
  });

  it('move with their words while the next plan is on its way, and go with them', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { document } = await openPrompt(markdown);
    const before = await hintsOf(document, 'block');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const offsets = before.map(({ position }) => document.offsetAt(position));
    edit(document, { from: 3, text: 'inserted' });
    const moved = await hintsOf(document, 'block');
    expect(moved.map(({ label }) => label)).toEqual(before.map(({ label }) => label));
    expect(moved.map(({ position }) => document.offsetAt(position))).toEqual([0, ...offsets.slice(1).map((offset) => offset + 8)]);
    // The words at the start of the third block are replaced: where it begins now only the next plan knows.
    edit(document, { from: offsets[2] + 8, to: offsets[2] + 28, text: 'else' });
    const left = await hintsOf(document, 'block');
    expect(left.map(({ label }) => label)).toEqual(before.filter((_, index) => index !== 2).map(({ label }) => label));
  });

  it('stand behind the headings of Markdown, and say what their sections cost', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { document } = await openPrompt(markdown);
    const hints = await hintsOf(document, 'section');
    expect(hints.map(({ position }) => document.lineAt(position).text)).toEqual(['# First', '## Second', '# Third']);
    hints.forEach(({ position }) => expect(position.isEqual(document.lineAt(position).range.end)).toBe(true));
    const shares = hints.map(({ label }) => Number(/([\d.]+)\s?%/.exec(label)?.[1]));
    // The first section holds the second.
    expect(shares[0]).toBeGreaterThan(shares[1]);
    expect(shares[0] + shares[2]).toBeCloseTo(100, -0.5);
    edit(document, { from: document.getText().indexOf('# Third'), to: document.getText().indexOf('# Third') + 7 });
    expect((await hintsOf(document, 'section')).map(({ position }) => document.lineAt(position).text)).toEqual(['# First', '## Second']);
    set('twoHeads.hints.headings', false);
    expect(await hintsOf(document, 'section')).toEqual([]);
    expect(await hintsOf(document, 'block')).not.toEqual([]);
  });

  it('are not behind what looks like a heading in a text that is no Markdown', async () => {
    await activated();
    const { document } = await openPrompt(markdown, '/prompts/prompt.txt');
    expect(await hintsOf(document, 'block')).not.toEqual([]);
    expect(await hintsOf(document, 'section')).toEqual([]);
  });

  it('go where they are switched off, with the lenses, the hovers and the status item', async () => {
    await activated();
    const { document } = await openPrompt(markdown);
    expect(statusItems.map(({ visible }) => visible)).toEqual([true]);
    const drawn = [refreshes('hints'), refreshes('lenses')];
    set('twoHeads.hints.enabled', false);
    drawn.forEach(({ count }) => expect(count).toBeGreaterThan(0));
    expect(await inlayHints(document, all(document))).toEqual([]);
    expect(await codeLenses(document)).toEqual([]);
    expect(await hoversAt(document, new vscode.Position(0, 0))).toEqual([]);
    expect(statusItems.map(({ visible }) => visible)).toEqual([false]);
    set('twoHeads.hints.enabled', true);
    expect(await codeLenses(document)).not.toEqual([]);
    expect(statusItems.map(({ visible }) => visible)).toEqual([true]);
  });
});

describe('the hover', () => {
  it('has the arithmetic at the word where a block begins, and that of the whole prompt at the first', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const { document } = await openPrompt(markdown);
    const first = await hoversAt(document, new vscode.Position(0, 0));
    expect(first).toHaveLength(3);
    expect(first[0]).toContain('N = ');
    expect(first[1]).toContain('Calibrate This Machine');
    expect(first[2]).toContain('**Block 1 of');
    const [, , third] = await hintsOf(document, 'block');
    // A token may begin with the space before its word.
    const at = document.getText().slice(document.offsetAt(third.position)).search(/\w/);
    expect(await hoversAt(document, third.position.translate(0, at))).toEqual([third.tooltip]);
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
    await shownLenses(document);
    const [headline] = await codeLenses(document);
    expect(headline.command?.tooltip).toMatch(
      /^Open the Two Heads panel\n\n.* tokens are an estimate by cl100k_base\. .* \+7\d\.?\d*% in other scripts\.$/,
    );
  });

  it('say what the last run of this very text and plan took', async () => {
    const { engine } = await activated();
    const { document } = await openPrompt(`${markdown}1`);
    const [headline] = await shownLenses(document);
    expect((await codeLenses(document)).map(({ command }) => command?.command)).toEqual(['twoHeads.openPanel', 'twoHeads.simulateFile']);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    const drawn = lensesRefreshed();
    call.resolve(await reportFor(call));
    await running;
    await drawn;
    expect((await shownLenses(document))[2]).toBe('last run 1.23 s, error 3.1e-7');
    const planned = lensesRefreshed();
    edit(document, { from: markdown.length, to: markdown.length + 1, text: '2' });
    await planned;
    // As many tokens, and yet another text.
    expect((await shownLenses(document))[0]).toBe(headline);
    expect(await codeLenses(document)).toHaveLength(2);
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
    const { document } = await openPrompt(markdown);
    expect((await shownLenses(document))[0]).toMatch(/about [\d.]+ (ms|s) \([\d.]+( m?s)? to [\d.]+( m?s)?\) · [\d.]+ MiB$/);
    const hints = await inlayHints(document, all(document));
    hints.forEach(({ label }) => expect(label).toMatch(/ · [\d.,]+ (ms|s|µs)\u00a0$/));
    expect((await hoversAt(document, new vscode.Position(0, 0)))[1]).toContain('Expected on cpu');
  });
});

describe('the context length', () => {
  const long = `${markdown}${paragraph.repeat(80)}`;

  it('is in lens and status item, without a warning while the prompt is within it', async () => {
    await activated();
    const { document } = await openPrompt(markdown);
    expect(await shownLenses(document)).toEqual([
      expect.stringMatching(/^\d+ of 2,048 tokens, \d+% · \d blocks? of 256 · /),
      expect.anything(),
    ]);
    expect(statusItems[0].text).toMatch(/^\$\(split-horizontal\) \d+ of 2,048 tokens, \d+% · [\d,]+ calls$/);
  });

  it('is warned of in lens, status item and hover once the prompt is past it', async () => {
    await activated();
    const { document } = await openPrompt(long);
    const note = /2,\d{3} tokens are past the 2,048 that the model was trained on/;
    const [headline, warning] = await codeLenses(document);
    expect(headline.command?.title).toMatch(/^2,\d{3} of 2,048 tokens, 1\d\d% · /);
    expect(warning.command?.title).toBe('$(warning) past the 2,048 tokens of training');
    expect(warning.command?.tooltip).toMatch(note);
    expect(statusItems[0].text).toMatch(/^\$\(warning\) 2,\d{3} of 2,048 tokens, 1\d\d% · /);
    expect((statusItems[0].tooltip as vscode.MarkdownString).value).toMatch(note);
    expect((await hoversAt(document, new vscode.Position(0, 0)))[0]).toMatch(note);
  });

  it('is a limit where positions are learned', async () => {
    await activated({ prepare: () => set('twoHeads.model', 'gpt2') });
    const { document } = await openPrompt(long);
    expect((await shownLenses(document)).slice(0, 2)).toEqual([
      expect.stringMatching(/^1,\d{3} of 1,024 tokens, 1\d\d% · /),
      '$(warning) past the model’s 1,024 positions',
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
    expect(item.command).toBe('twoHeads.openPanel');
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
