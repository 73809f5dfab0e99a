import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatCount } from '../../src/core/format';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { embeddedFolder, sampleText } from '../support/paths';
import { recordFrames, takeFrames, type EditorFrame } from './harness/frames';
import { useStage } from './harness/stage';
import { eventually, eventuallyText, until } from './harness/wait';

const stage = useStage('hints');

/** The blocks that a frame has hints of, with the end of the text of the line on which each stands. */
function blocksOf({ lines }: EditorFrame): Map<number, string> {
  return new Map(
    lines.flatMap(({ text, hint }) =>
      [...hint.matchAll(/block (\d+) · [\d,]+ calls? · <?[\d.]+%/g)].map(([, block]): [number, string] => [
        Number(block),
        text.trimEnd().slice(-12),
      ]),
    ),
  );
}

const isMarked = ({ lines, lenses, status }: EditorFrame): boolean[] => [
  lines.some(({ hint }) => /block \d+ .*?%…/.test(hint)),
  lenses.some((lens) => /tokens, .*…/.test(lens)),
  status.some((item) => / calls…/.test(item)),
];

/** Waits until lens, hints and status item have no mark, and for the frame that shows it. @param isNew whether the lens is the one that is waited for */
async function settled(isNew: (lens: string) => boolean): Promise<void> {
  await eventually('figures without a mark', async () => {
    const lens = (await stage.bench.editor.codeLenses()).find((shown) => shown.includes(' tokens, ')) ?? '';
    const seen = [lens, ...(await stage.bench.editor.hints()), ...(await stage.bench.statusItems())];
    // The mark stands behind the lens's headline, with other lenses after it on the line.
    const isMarkedStill = lens.includes('…') || seen.some((text) => text.endsWith('…'));
    return lens !== '' && isNew(lens) && !isMarkedStill ? { found: true } : { seen };
  });
  // What the wait saw may be newer than the last frame.
  await stage.bench.page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
}

/** The first line of the file that is in view. */
async function lineInView(): Promise<number> {
  return (await stage.bench.editor.state()).visibleLines[0][0];
}

/** What the editor shows, and where; not its last line in view, as hints that come or go make lines longer. */
async function view(): Promise<{ readonly lensAt: number | undefined; readonly line: number; readonly selections: unknown }> {
  const lens = await stage.bench.page.locator('.codelens-decoration').first().boundingBox();
  return { lensAt: lens?.y, line: await lineInView(), selections: await stage.bench.editor.selections() };
}

describe('hints', () => {
  it('stay at their words while a prompt of a megabyte is typed into', async () => {
    const text = sampleText()
      .repeat(70)
      .slice(0, 1024 * 1024);
    const typed = 'some words more, typed as quickly as fingers can, and then a few others still ';
    await stage.open('typing.md', text);
    await stage.hint(/block 3 · /);
    await stage.bench.editor.goToLine(3);
    await stage.bench.editor.focus();
    const at = text.indexOf('\n\n') + 2;
    let index = (await PromptTokenizer.load(embeddedFolder)).index(text.slice(0, at) + typed + text.slice(at));
    const { tokens } = index;
    await stage.bench.page.evaluate(recordFrames);
    await stage.bench.page.keyboard.type(typed, { delay: 20 });
    const typedText = async (): Promise<string> => (await stage.bench.editor.text()).slice(at, at + typed.length);
    await until('all that was typed', typedText, (seen) => seen === typed);
    // The plan of the last version, then whatever its hints still do.
    await settled((lens) => lens.startsWith(`${formatCount(tokens)} of 2,048 tokens, `));
    const frames = await stage.bench.page.evaluate(takeFrames);

    // Every version that there was, and the ends of the lines on which the blocks of its plan begin.
    const places = new Map<number, Set<string>>();
    for (let length = 0; length <= typed.length; length += 1) {
      const version = text.slice(0, at) + typed.slice(0, length) + text.slice(at);
      index = index.edited(version);
      for (const block of blocksOf(frames[0]).keys()) {
        const offset = index.offsetOf(256 * (block - 1));
        const end = version.indexOf('\n', offset);
        places.set(block, (places.get(block) ?? new Set()).add(version.slice(0, end).trimEnd().slice(-12)));
      }
    }
    expect(places.size).toBeGreaterThanOrEqual(3);
    for (const frame of frames) {
      const seen = blocksOf(frame);
      for (const [block, ends] of places) {
        const end = seen.get(block) ?? 'no hint';
        // A row that the editor broke may be shorter than that.
        expect(
          [...ends].some((each) => each.endsWith(end)),
          `block ${block} at ${end} in ${JSON.stringify(frame.lines)}`,
        ).toBe(true);
      }
    }
  });

  it('are marked with the status item while their figures lag behind', async () => {
    // So long that planning it anew takes longer than figures may lag without a mark; by another tokenizer, so that the page
    // has nothing to do meanwhile.
    const lines = sampleText()
      .repeat(560)
      .slice(0, 8 * 1024 * 1024)
      .split('\n');
    await stage.open('marks.md', lines.map((line, index) => `${line} (${index})`).join('\n'));
    await stage.hint(/block 1 · /);
    const before = await eventuallyText('the lens', () => stage.bench.editor.codeLenses(), /tokens, [\d,]+%/);
    await stage.bench.page.evaluate(recordFrames);
    await stage.bench.setSettings({ 'twoHeads.model': 'gpt2' });
    await settled((lens) => lens !== before);
    const frames = await stage.bench.page.evaluate(takeFrames);
    const marks = frames.map(isMarked);
    // The busier a machine, the later VS Code asks for lenses, also after the plan is there: a unit test holds that they are marked.
    expect(marks.some(([hints]) => hints) && marks.some(([, , status]) => status)).toBe(true);
    expect(marks[marks.length - 1]).toEqual([false, false, false]);
    expect(frames.every((frame) => blocksOf(frame).has(1))).toBe(true);
  });

  it('tell what the section of each heading costs, in Markdown only', async () => {
    const body = sampleText().slice(600, 3600).replaceAll('#', '');
    await stage.open(
      'sections.md',
      `# Task\n\n${body}\n\n## Data\n\n\`\`\`sh\n# no heading\n\`\`\`\n\n${body}\n\nAnswer\n------\n\nBriefly.\n`,
    );
    await stage.hint(/^§ 1,\d{3} tokens · 100%$/);
    const sections = async (): Promise<string[]> => (await stage.bench.editor.hints()).filter((seen) => seen.startsWith('§'));
    expect(await sections()).toHaveLength(1);
    const hover = await stage.bench.editor.hover('§ 1,');
    expect(hover).toMatch(/This section: tokens 1 to 1,\d{3}, .* \(100%\), causal/);
    await stage.bench.screenshot('21-section-hover-dark');
    await stage.bench.page.keyboard.press('Escape');
    await stage.bench.editor.goToLine((await stage.bench.editor.text()).split('\n').indexOf('## Data') + 1);
    const data = await stage.hint(/^§ \d{3} tokens · /);
    expect(await stage.bench.editor.hover(data)).toMatch(/of block \d+'s \d+ calls.* attention calls.*in proportion to its tokens/s);
    await stage.bench.page.keyboard.press('Escape');
    await stage.bench.setTheme('Default Light Modern');
    await stage.bench.screenshot('22-sections-light');
    await stage.bench.setSettings({ 'twoHeads.hints.headings': false });
    await until('no section', sections, (seen) => seen.length === 0);
    await stage.bench.setSettings({ 'twoHeads.hints.headings': undefined });
    await stage.open('sections.prompt', `# Task\n\n${body}`);
    await stage.hint(/block 1 · /);
    expect(await sections()).toEqual([]);
  });

  it('leave the text alone: no row breaks elsewhere, sticky scroll repeats none, and a diff has none', async () => {
    const { page, editor } = stage.bench;
    const body = `${sampleText().slice(700, 1500).replaceAll(/\s+/g, ' ')}\n\n| a | b |\n| - | - |\n| ${'cell '.repeat(60)} | c |\n\n`;
    const text = `# Task\n\n${body.repeat(8)}`;
    const rows = (): Promise<string[]> => page.locator('.editor-instance .view-line').allInnerTexts();
    await stage.open('alone.md', text);
    await stage.hint(/block 2 · /);
    await stage.bench.setSettings({ 'twoHeads.hints.placement': 'off' });
    await until(
      'no hint',
      () => editor.hints(),
      (seen) => seen.length === 0,
    );
    const before = await rows();
    await stage.bench.setSettings({ 'twoHeads.hints.placement': undefined });
    await stage.hint(/block 2 · /);
    expect(await rows()).toEqual(before);

    await editor.goToLine(30);
    const sticky = page.locator('.sticky-widget .sticky-line-content', { hasText: 'Task' });
    await sticky.first().waitFor();
    const widths = await sticky
      .locator('span[class*="ced-"]')
      .evaluateAll((spans) => spans.map((span) => (span as { readonly offsetWidth?: number }).offsetWidth ?? NaN));
    // Nothing but the space before it.
    expect(Math.max(...widths)).toBeLessThan(20);
    await stage.bench.screenshot('25-sticky-dark');

    await stage.bench.setSettings({ 'twoHeads.hints.placement': 'gutter' });
    await until(
      'no hint',
      () => editor.hints(),
      (seen) => seen.length === 0,
    );
    await page.locator('.editor-instance .glyph-margin-widgets [class*="ced-"]').first().waitFor();
    await stage.bench.screenshot('26-gutter-dark');
    await stage.bench.setSettings({ 'twoHeads.hints.placement': undefined });
    await stage.hint(/block \d+ · /);

    writeFileSync(stage.path('other.md'), text.replace('Task', 'Tasks'));
    const uri = (file: string): unknown => ({ uri: pathToFileURL(stage.path(file)).href });
    await stage.bench.run('vscode.diff', uri('alone.md'), uri('other.md'));
    await page.locator('.monaco-diff-editor .view-line', { hasText: 'Tasks' }).first().waitFor();
    expect(await page.locator('.monaco-diff-editor .view-line span[class*="ced-"]').count()).toBe(0);
  });

  it('lead from the palette to the most expensive blocks and sections, and back', async () => {
    await stage.open('expensive.md', sampleText());
    await stage.hint(/block 1 · /);
    await stage.lens(/tokens, \d+% · /);
    await stage.bench.editor.goToLine(5);
    const before = await view();
    const [[, lastLine]] = (await stage.bench.editor.state()).visibleLines;
    await stage.bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => stage.bench.quickInput.labels(), /^block 1\d · \d+ calls · /);
    const shares = (await stage.bench.quickInput.labels())
      .filter((label) => label.startsWith('block'))
      .map((label) => Number(/ ([\d.]+)%/.exec(label)?.[1]));
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    const previewed = await until('the preview', lineInView, (line) => line > lastLine);
    await stage.bench.screenshot('23-expensive-dark');
    expect(await stage.bench.editor.selections()).toEqual(before.selections);
    for (let step = 0; step < 6; step += 1) {
      await stage.bench.page.keyboard.press('ArrowDown');
    }
    await until('another preview', lineInView, (line) => line < previewed);
    await stage.bench.quickInput.dismiss();
    await until(`the editor as it was: ${JSON.stringify(before)}`, view, (seen) => isDeepStrictEqual(seen, before));
    await stage.bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => stage.bench.quickInput.labels(), /^block /);
    await stage.bench.page.keyboard.type('difficult');
    await stage.bench.quickPick('3. A Difficult Case');
    const line =
      sampleText()
        .split('\n')
        .findIndex((text) => text.startsWith('## 3.')) + 1;
    await until(
      'the cursor at the section',
      () => stage.bench.editor.selections(),
      ([seen]) => seen.startLine === line && seen.text === '',
    );
    await stage.bench.setTheme('Default Light Modern');
    await stage.bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => stage.bench.quickInput.labels(), /^block /);
    await stage.bench.screenshot('24-expensive-light');
  });
});
