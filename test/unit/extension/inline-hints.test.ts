import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt } from '../../support/host';
import { edit, type FakeDocument } from '../../support/workbench/documents';
import { inlayHints, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';

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

describe('hints in the text', () => {
  const inline = (blockSize = 64) =>
    activated({
      prepare: () => {
        set('twoHeads.hints.placement', 'inline');
        set('twoHeads.blockSize', blockSize);
      },
    });

  it('stand before the word with which a block begins, and share out the calls', async () => {
    await inline();
    const { document } = await openPrompt(markdown);
    const hints = await hintsOf(document, 'block');
    expect(hints.length).toBeGreaterThan(5);
    expect(hints.map(({ label }) => Number(/^block (\d+) /.exec(label)?.[1]))).toEqual(hints.map((_, index) => index + 1));
    // Nothing comes before a heading's marks.
    expect(hints[0].position.isEqual(document.lineAt(0).range.end)).toBe(true);
    for (const { position } of hints) {
      expect(
        document
          .lineAt(position.line)
          .text.slice(position.character - 1)
          .slice(0, 2),
      ).not.toMatch(/^\w\w/);
    }
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
    await inline(2);
    const { document } = await openPrompt(paragraph.repeat(60));
    expect(await hintsOf(document, 'block')).toHaveLength(250);
  });

  it('move with their words while the next plan is on its way, and go with them', async () => {
    await inline();
    const { document } = await openPrompt(markdown);
    const before = await hintsOf(document, 'block');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const offsets = before.map(({ position }) => document.offsetAt(position));
    edit(document, { from: 3, text: 'inserted' });
    const moved = await hintsOf(document, 'block');
    expect(moved.map(({ label }) => label)).toEqual(before.map(({ label }) => label));
    expect(moved.map(({ position }) => document.offsetAt(position))).toEqual(offsets.map((offset) => offset + 8));
    // The words at the start of the third block are replaced: where it begins now only the next plan knows.
    edit(document, { from: offsets[2] + 8, to: offsets[2] + 38, text: 'else' });
    const left = await hintsOf(document, 'block');
    expect(left.map(({ label }) => label)).toEqual(before.filter((_, index) => index !== 2).map(({ label }) => label));
  });

  it('stand behind the headings of Markdown, and say what their sections cost', async () => {
    await inline();
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
    await inline();
    const { document } = await openPrompt(markdown, '/prompts/prompt.txt');
    expect(await hintsOf(document, 'block')).not.toEqual([]);
    expect(await hintsOf(document, 'section')).toEqual([]);
  });
});
