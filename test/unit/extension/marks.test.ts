import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, run } from '../../support/host';
import { edit, openDocument } from '../../support/workbench/documents';
import { decorationTypes, type FakeEditor, lineHints, scroll, setColumn, show } from '../../support/workbench/editors';
import { lensesRefreshed, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';

const paragraph = 'The quick brown fox jumps over the lazy dog and runs away.';
const markdown = `# First\n\n${`${paragraph}\n`.repeat(20)}\n## Second\n\n| a | b |\n| - | - |\n${`| ${paragraph} | c |\n`.repeat(20)}\n### Short\n\nEnd.\n`;

const withBlocks = (blockSize = 64) => activated({ prepare: () => set('twoHeads.blockSize', blockSize) });

const labels = (editor: FakeEditor): string[] => [...lineHints(editor).values()].map(({ label }) => label);

/** What the decorations that have an option cover. */
function covered(editor: FakeEditor, option: string): vscode.Range[] {
  return [...editor.decorations]
    .filter(([type]) => option in (type as { readonly options: object }).options)
    .flatMap(([, ranges]) => ranges as vscode.Range[]);
}

describe('hints at the ends of lines', () => {
  it('are there by default, on each line on which a block or a section begins, and share out the calls', async () => {
    await withBlocks();
    const { document, editor } = await openPrompt(markdown);
    const hints = lineHints(editor);
    const blocks = labels(editor).flatMap((label) => [...label.matchAll(/block (\d+) · (\d+) calls?/g)]);
    expect(blocks.map(([, block]) => Number(block))).toEqual(blocks.map((_, index) => index + 1));
    const calls = blocks.reduce((sum, [, , count]) => sum + Number(count), 0);
    expect(calls).toBe(Number(/\((\d+) attention\)/.exec((await shownLenses(document))[0])?.[1]));
    expect(hints.get(0)?.label).toMatch(/^§ [\d,]+ tokens · 100% {3}block 1 · /);
    expect(hints.get(0)?.hover).toMatch(/\*\*This section\*\*.*\n\n[^]*\*\*Block 1 of [^]*\[Open Panel\]\(command:twoHeads\.openPanel\)/);
    // Too small a section says nothing.
    expect(labels(editor).filter((label) => label.startsWith('§'))).toHaveLength(2);
    editor.decorations.forEach((each) => each.forEach((one) => 'renderOptions' in one && expect(one.range.isEmpty).toBe(true)));
  });

  it('are one for all blocks of a line, and short', async () => {
    await withBlocks(2);
    const { editor } = await openPrompt(paragraph.repeat(60), '/prompts/prompt.txt');
    expect(labels(editor)).toEqual([expect.stringMatching(/^blocks 1–\d{3} · [\d,]+ calls · 100%$/)]);
    expect(lineHints(editor).get(0)?.hover).toMatch(/\n\nAnd \d+ blocks more on this line\./);
  });

  it('are left out of prompts and sections that are too small, by a setting', async () => {
    await withBlocks();
    const { editor } = await openPrompt(markdown);
    set('twoHeads.hints.minimumTokens', 0);
    expect(labels(editor).filter((label) => label.startsWith('§'))).toHaveLength(3);
    set('twoHeads.hints.minimumTokens', 1_000_000);
    expect(labels(editor)).toEqual([]);
    set('twoHeads.hints.minimumTokens', undefined);
    set('twoHeads.hints.headings', false);
    expect(labels(editor).join()).not.toContain('§');
  });

  it('are in no editor without a column, such as that of a diff, though the file is open beside it', async () => {
    await withBlocks();
    const { document, editor } = await openPrompt(markdown);
    const other = show(document, { viewColumn: 2, preserveFocus: true });
    expect(labels(other)).toEqual(labels(editor));
    setColumn(other, undefined);
    expect(labels(other)).toEqual([]);
    expect(labels(editor)).not.toEqual([]);
  });

  it('are those of the lines in sight and some around them, however long the prompt is', async () => {
    await withBlocks(4);
    const { editor } = await openPrompt(`${paragraph}\n`.repeat(1000));
    const lines = (): number[] => [...lineHints(editor).keys()];
    scroll(editor, new vscode.Range(0, 0, 30, 0));
    const sets = vi.spyOn(editor, 'setDecorations');
    set('twoHeads.hints.headings', false);
    expect(Math.max(...lines())).toBeLessThanOrEqual(90);
    sets.mockClear();
    scroll(editor, new vscode.Range(40, 0, 70, 0));
    expect(sets).not.toHaveBeenCalled();
    scroll(editor, new vscode.Range(500, 0, 530, 0));
    expect([Math.min(...lines()), Math.max(...lines())]).toEqual([440, 590]);
  });

  it('are not touched by an edit until the next plan, which the editor bridges, and marked where that is late', async () => {
    await withBlocks();
    const { document, editor } = await openPrompt(markdown);
    const before = labels(editor);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const sets = vi.spyOn(editor, 'setDecorations');
    // Too fast for any pause, so that nothing is planned.
    for (let key = 0; key < 62; key += 1) {
      edit(document, { from: markdown.length - 1, text: 'x' });
      vi.advanceTimersByTime(4);
    }
    expect(sets).not.toHaveBeenCalled();
    edit(document, { from: markdown.length - 1, text: 'x' });
    vi.advanceTimersByTime(4);
    expect(labels(editor)).toEqual(before.map((label) => `${label}…`));
    const planned = lensesRefreshed();
    vi.advanceTimersByTime(100);
    await planned;
    expect(labels(editor).join()).not.toContain('…');
  });

  it('go where the text ceases to be a prompt', async () => {
    await withBlocks();
    const { editor } = await openPrompt(markdown);
    await run('stopTreatingAsPrompt');
    expect(labels(editor)).toEqual([]);
    expect(covered(editor, 'overviewRulerColor')).toEqual([]);
  });
});

describe('hints in the gutter', () => {
  it('are a number at the line where a block begins, and a strip of shades', async () => {
    await withBlocks();
    const { document, editor } = await openPrompt(markdown);
    const lines = [...lineHints(editor)].filter(([, { label }]) => label.includes('block')).map(([line]) => line);
    const types = decorationTypes.size;
    set('twoHeads.hints.placement', 'gutter');
    expect(labels(editor)).toEqual([]);
    expect(covered(editor, 'gutterIconSize').map(({ start }) => start.line)).toEqual(lines);
    // The shades cover all lines of the text, from the first to the last.
    const strip = covered(editor, 'isWholeLine').filter(({ start, end }) => start.line !== end.line);
    expect(Math.min(...strip.map(({ start }) => start.line))).toBe(0);
    expect(Math.max(...strip.map(({ end }) => end.line))).toBeGreaterThanOrEqual(document.lineCount - 2);
    set('twoHeads.hints.placement', 'endOfLine');
    expect(covered(editor, 'gutterIconSize')).toEqual([]);
    expect(labels(editor)).not.toEqual([]);
    // Pictures of numbers go; only the shades of the strip stay, for the next time.
    expect(decorationTypes.size).toBe(types + 5);
  });
});

describe('heat', () => {
  it('is that of cost in the overview ruler, or none', async () => {
    await withBlocks();
    const { editor } = await openPrompt(markdown);
    expect(covered(editor, 'overviewRulerColor').length).toBeGreaterThan(3);
    set('twoHeads.hints.heat', 'kl');
    // Nothing was evaluated yet.
    expect(covered(editor, 'overviewRulerColor')).toEqual([]);
    set('twoHeads.hints.heat', 'off');
    expect(covered(editor, 'overviewRulerColor')).toEqual([]);
    set('twoHeads.hints.heat', 'cost');
    expect(covered(editor, 'overviewRulerColor').length).toBeGreaterThan(3);
  });

  it('is not made before a prompt is on screen', async () => {
    await activated();
    const before = decorationTypes.size;
    show(openDocument('/README.md', markdown));
    expect(decorationTypes.size).toBe(before);
  });
});
