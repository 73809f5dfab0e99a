import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenMapper } from '../../src/engine/read/tokenizer/token-map';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { embeddedFolder, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { recordFrames, takeFrames, type EditorFrame } from './harness/frames';
import { eventually, eventuallyText, pause } from './harness/wait';
import { Workbench } from './harness/workbench';

let workspace: string;
let bench: Workbench;

/** Writes a prompt into the workspace and opens it. */
async function open(name: string, text: string): Promise<void> {
  const path = join(workspace, name);
  writeFileSync(path, text);
  await bench.open(path);
}

const hint = (wanted: RegExp): Promise<string> => eventuallyText('a hint', () => bench.editor.inlayHints(), wanted);

/** The blocks that a frame has hints of, with the characters behind each. */
function blocksOf({ lines }: EditorFrame): Map<number, string> {
  const found = lines.flatMap((line) => [...line.matchAll(/block (\d+) · [\d,]+ calls? · <?[\d.]+%[… ](.{0,12})/g)]);
  return new Map(found.map(([, block, behind]) => [Number(block), behind.trimEnd()]));
}

const isMarked = ({ lines, lenses, status }: EditorFrame): boolean[] => [
  lines.some((line) => /block \d+ .*?%…/.test(line)),
  lenses.some((lens) => /tokens .*…/.test(lens)),
  status.some((item) => / calls…/.test(item)),
];

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-hints-'));
  bench = await Workbench.start({
    ...packaged,
    workspace,
    // It repeats headings, with their hints, at the top.
    settings: { 'editor.stickyScroll.enabled': false },
  });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('hints', () => {
  it('stay at their words while a prompt of a megabyte is typed into', async () => {
    const text = sampleText()
      .repeat(70)
      .slice(0, 1024 * 1024);
    const typed = 'some words more, typed as quickly as fingers can, and then a few others still ';
    await open('typing.md', text);
    await hint(/block 3 · /);
    await bench.editor.goToLine(3);
    await bench.editor.focus();
    await bench.page.evaluate(recordFrames);
    await bench.page.keyboard.type(typed, { delay: 20 });
    const at = text.indexOf('\n\n') + 2;
    await eventually('all that was typed', async () => {
      const seen = (await bench.editor.text()).slice(at, at + typed.length);
      return seen === typed ? { found: true } : { seen };
    });
    await eventually('figures without a mark', async () => {
      const [line] = (await bench.editor.codeLenses()).filter((lens) => lens.includes(' tokens '));
      const marks = (await bench.editor.inlayHints()).filter((seen) => seen.endsWith('…'));
      return !line.endsWith('…') && marks.length === 0 ? { found: true } : { seen: [line, ...marks] };
    });
    await pause(1000);
    const frames = await bench.page.evaluate(takeFrames);

    // Every version that there was, and where the blocks of its plan begin.
    const mapper = new TokenMapper(await PromptTokenizer.load(embeddedFolder));
    const places = new Map<number, Set<string>>();
    for (let length = 0; length <= typed.length; length += 1) {
      const version = text.slice(0, at) + typed.slice(0, length) + text.slice(at);
      const map = await mapper.map(version, () => false);
      for (const block of blocksOf(frames[0]).keys()) {
        const behind = version.slice(map?.offsetOf(256 * (block - 1))).split('\n')[0];
        places.set(block, (places.get(block) ?? new Set()).add(behind.slice(0, 12).trimEnd()));
      }
    }
    expect(places.size).toBeGreaterThanOrEqual(3);
    for (const frame of frames) {
      const seen = blocksOf(frame);
      for (const [block, words] of places) {
        expect([...words], `block ${block} in ${JSON.stringify(frame.lines)}`).toContain(seen.get(block));
      }
    }
    await bench.command('File: Revert File');
  });

  it('are marked with lens and status while their figures lag behind', async () => {
    // So long that planning it anew takes a while on any machine; by another tokenizer, so that the page has nothing to do meanwhile.
    const lines = sampleText()
      .repeat(280)
      .slice(0, 4 * 1024 * 1024)
      .split('\n');
    await open('marks.md', lines.map((line, index) => `${line} (${index})`).join('\n'));
    await hint(/block 1 · /);
    const before = await eventuallyText('the lens', () => bench.editor.codeLenses(), /tokens · /);
    await bench.page.evaluate(recordFrames);
    await bench.setSettings({ 'twoHeads.model': 'gpt2' });
    await eventually(
      'other figures without a mark',
      async () => {
        const lens = (await bench.editor.codeLenses()).at(0);
        const seen = [lens ?? '', ...(await bench.editor.inlayHints()), ...(await bench.statusItems())];
        // The mark stands behind the lens's headline, with other lenses after it on the line.
        return lens !== undefined && lens !== before && !lens.includes('…') && !seen.some((text) => text.endsWith('…'))
          ? { found: true }
          : { seen };
      },
      60_000,
    );
    // What the wait saw may be newer than the last frame: one more is drawn before the recording ends.
    await bench.page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
    const frames = await bench.page.evaluate(takeFrames);
    const marks = frames.map(isMarked);
    expect([0, 1, 2].map((index) => marks.some((frame) => frame[index]))).toEqual([true, true, true]);
    expect(marks[marks.length - 1]).toEqual([false, false, false]);
    expect(frames.every((frame) => blocksOf(frame).has(1))).toBe(true);
    await bench.setSettings({ 'twoHeads.model': undefined });
  });

  it('tell what the section of each heading costs, in Markdown only', async () => {
    const body = sampleText().slice(600, 3600).replaceAll('#', '');
    await open('sections.md', `# Task\n\n${body}\n\n## Data\n\n\`\`\`sh\n# no heading\n\`\`\`\n\n${body}\n\nAnswer\n------\n\nBriefly.\n`);
    await hint(/^§ 1,\d{3} tokens · [\d,]+ calls · 100%$/);
    const hints = (await bench.editor.inlayHints()).filter((seen) => seen.startsWith('§'));
    expect(hints).toHaveLength(1);
    const hover = await bench.editor.hover('§ 1,');
    expect(hover).toMatch(/This section: tokens 1 to 1,\d{3}, .* \(100%\), causal/);
    await pause(500);
    await bench.screenshot('21-section-hover-dark');
    await bench.page.keyboard.press('Escape');
    await bench.editor.goToLine((await bench.editor.text()).split('\n').indexOf('## Data') + 1);
    const data = await hint(/^§ \d{3} tokens · /);
    expect(await bench.editor.hover(data)).toMatch(/of block \d+'s \d+ calls.* attention calls.*shared by tokens/s);
    await bench.page.keyboard.press('Escape');
    await bench.setTheme('Default Light Modern');
    await bench.screenshot('22-sections-light');
    await bench.setTheme('Default Dark Modern');
    await bench.setSettings({ 'twoHeads.hints.headings': false });
    await eventually('no section', async () => {
      const seen = (await bench.editor.inlayHints()).filter((text) => text.startsWith('§'));
      return seen.length === 0 ? { found: true } : { seen };
    });
    await bench.setSettings({ 'twoHeads.hints.headings': undefined });
    await open('sections.prompt', `# Task\n\n${body}`);
    await hint(/block 1 · /);
    expect((await bench.editor.inlayHints()).filter((seen) => seen.startsWith('§'))).toEqual([]);
  });

  it('lead from the palette to the most expensive blocks and sections, and back', async () => {
    await open('expensive.md', sampleText());
    await hint(/block 1 · /);
    await bench.editor.goToLine(5);
    const before = await bench.editor.state();
    await bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => bench.quickInput.labels(), /^block 1\d · \d+ calls · /);
    const shares = (await bench.quickInput.labels())
      .filter((label) => label.startsWith('block'))
      .map((label) => Number(/ ([\d.]+)%/.exec(label)?.[1]));
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    const lineInView = async (): Promise<number> => (await bench.editor.state()).visibleLines[0][0];
    const previewed = await eventually('the preview', async () => {
      const seen = await lineInView();
      return seen > before.visibleLines[0][1] ? { found: seen } : { seen };
    });
    await bench.screenshot('23-expensive-dark');
    expect((await bench.editor.state()).selections).toEqual(before.selections);
    for (let step = 0; step < 6; step += 1) {
      await bench.page.keyboard.press('ArrowDown');
    }
    await eventually('another preview', async () => {
      const seen = await lineInView();
      return seen < previewed ? { found: seen } : { seen };
    });
    await bench.quickInput.dismiss();
    await eventually('the editor as it was', async () => {
      const seen = await bench.editor.state();
      return JSON.stringify(seen) === JSON.stringify(before) ? { found: true } : { seen };
    });
    await bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => bench.quickInput.labels(), /^block /);
    await bench.page.keyboard.type('difficult');
    await bench.quickPick('3. A Difficult Case');
    await eventually('the cursor at the section', async () => {
      const [seen] = (await bench.editor.state()).selections;
      const line =
        sampleText()
          .split('\n')
          .findIndex((text) => text.startsWith('## 3.')) + 1;
      return seen.startLine === line && seen.text === '' ? { found: true } : { seen };
    });
    await bench.setTheme('Default Light Modern');
    await bench.command('Two Heads: Go to Most Expensive Block');
    await eventuallyText('the blocks', () => bench.quickInput.labels(), /^block /);
    await bench.screenshot('24-expensive-light');
    await bench.quickInput.dismiss();
    await bench.setTheme('Default Dark Modern');
  });

  it('print no error and ask nothing of the network', () => {
    expect(bench.consoleErrors).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
