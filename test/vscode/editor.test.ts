import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { eventually, eventuallyText, until } from './harness/wait';

/** What elements are of. */
const classNames = (elements: readonly { readonly className: string }[]): string[] => elements.map(({ className }) => className);

const stage = useStage('editor', { meant: /sinks are more than the window|can be planned, not run/ });

/** Opens a prompt of six blocks, and waits until it is planned. */
async function openPrompt(): Promise<void> {
  await stage.open('choice.md', sampleText().slice(0, 6000));
  await stage.lens(/tokens, \d+% · /);
}

/** Chooses the sliding window from the palette, and waits until the lens has it. */
async function chooseSlidingWindow(window: number): Promise<void> {
  await stage.bench.command('Two Heads: Choose Scenario');
  await stage.bench.quickPick('Sliding window');
  await stage.bench.quickInput.answer('Window r', String(window));
  await stage.lens(new RegExp(`sliding-window\\(window ${window}\\)`));
}

describe('the editor', () => {
  it('shows hints in a .prompt file, with the arithmetic in the hover', async () => {
    await stage.open('short.prompt', sampleText().slice(0, 3000));
    await stage.lens(/^[\d,]+ of 2,048 tokens, \d+% · \d blocks of 256/);
    await stage.hint(/block 1 · 6 calls/);
    const hover = await stage.bench.editor.hover('block 1 · 6 calls');
    expect(hover).toMatch(/Block 1 of \d: tokens 1 to 256, causal/);
    expect(hover).toMatch(/1 tile × 8 heads ÷ 8 instances a call × 6 layers = 6 attention calls/);
    await stage.bench.screenshot('5-hover');
  });

  it('shows nothing in other files until their language is a prompt language', async () => {
    await stage.open('data.json', '{ "prompt": "no" }');
    const isWithoutPlan = (items: readonly string[]): boolean =>
      items.includes('JSON') && !items.some((item) => /tokens, .* calls/.test(item));
    await until('the status bar of a JSON file, without a plan', () => stage.bench.statusItems(), isWithoutPlan);
    expect(await stage.bench.editor.codeLenses()).toEqual([]);
    await stage.bench.setSettings({ 'twoHeads.languages': ['markdown', 'plaintext', 'json'] });
    await stage.lens(/tokens, <?\d+% · 1 block of 256/);
  });

  it('asks for the scenario with its parameters, and for the block size', async () => {
    await openPrompt();
    await stage.bench.command('Two Heads: Choose Scenario');
    await stage.bench.quickPick('Attention sink');
    await stage.bench.quickInput.answer('Window r', '300');
    await stage.bench.quickInput.answer('Sinks s', '2');
    await stage.lens(/attention-sink\(window 300, sinks 2\)/);
    await stage.bench.command('Two Heads: Choose Block Size');
    await stage.bench.quickInput.answer('Block size M', '128');
    await stage.lens(/blocks of 128 .* attention-sink/);
  });

  it('plans without a run, and simulates a selection', async () => {
    await stage.bench.setSettings({ 'twoHeads.scenario': 'attention-sink', 'twoHeads.window': 300, 'twoHeads.blockSize': 128 });
    await openPrompt();
    await stage.bench.command('Two Heads: Plan Only (No Run)');
    const text = await stage.dialog();
    expect(text).toMatch(/T = ⌈N\/M⌉/);
    expect(text).toMatch(/Theorem 5\.1, attention sinks/);
    await stage.bench.page.keyboard.press('Escape');
    await until(
      'no dialog',
      () => stage.bench.dialog(),
      (shown) => shown === undefined,
    );
    await stage.bench.editor.focus();
    await stage.bench.page.keyboard.press('Control+A');
    await until(
      'a selection',
      () => stage.bench.editor.selectedTexts(),
      ([selected]) => selected.length > 0,
    );
    await stage.bench.command('Two Heads: Simulate Selection');
    await stage.notification(/tokens in .*: [\d,]+ calls, max abs error/);
  });

  it('shows the costs of the scenarios that the parameters fit, and names those they do not fit', async () => {
    await stage.bench.setSettings({ 'twoHeads.sinks': 2, 'twoHeads.construction': 'paper', 'twoHeads.maxTokens': 300 });
    await openPrompt();
    await chooseSlidingWindow(1);
    const panel = await stage.lab('choice.md');
    await panel.text('costs-impossible', /2 sinks are more than the window of 1, .*choose 1 or fewer/);
    await stage.bench.command('Two Heads: Compare Scenarios');
    await stage.notification(/2 sinks are more than the window of 1/);
  });

  it('compares every scenario, and lists the runs', async () => {
    await stage.clearHistory();
    await openPrompt();
    await stage.simulate();
    await chooseSlidingWindow(200);
    await stage.bench.command('Two Heads: Compare Scenarios');
    await stage.notification(/Compared 8 scenarios/);
    const panel = await stage.lab('choice.md');
    const rows = panel.frame.locator('[data-testid="history-row"]');
    await until(
      'nine runs in the history',
      () => rows.count(),
      (count) => count === 9,
    );
    await panel.scrollTo('section-costs');
    await stage.bench.screenshot('6-panel-costs-dark');
    await stage.bench.setTheme('Default High Contrast');
    await panel.scrollTo('last-run');
    await stage.bench.screenshot('7-panel-last-run-high-contrast');
    await stage.bench.setTheme('Default Light Modern');
    await panel.scrollTo('history');
    await stage.bench.screenshot('8-panel-history-light');
  });

  it('continues the prompt under the scenario and under full attention, as a diff beside it with the first difference marked', async () => {
    await openPrompt();
    await chooseSlidingWindow(16);
    await stage.bench.command('Two Heads: Continue Prompt');
    await stage.bench.quickInput.answer('Tokens to add', '12');
    const { page } = stage.bench;
    await page.locator('.tab.active', { hasText: /Continuation of .*: causal against sliding-window\(window 16\)/ }).waitFor();
    // In a column as narrow as this one VS Code shows the changes in line.
    const modified = page.locator('.monaco-diff-editor .modified');
    await until(
      'the text under the mask, with a mark',
      async () => [
        await modified.locator('.view-lines[role="presentation"]').last().innerText(),
        ...(await modified.locator('[class*="ced-"]').evaluateAll(classNames)),
      ],
      ([text, ...marks]) => text.trim() !== '' && marks.some((name) => name.includes('TextEditorDecorationType')),
    );
    await stage.bench.screenshot('17-continuation');
    // The prompt stays in front: what is shown beside it is no prompt.
    await stage.lens(/sliding-window\(window 16\)/);
  });

  it('plans for a model without weights, and says that its tokens are estimated', async () => {
    await stage.open('preset.md', sampleText().slice(0, 6000));
    await stage.bench.setSettings({ 'twoHeads.model': 'llama-3.1-8b' });
    await stage.lens(/^1,\d{3} of 131,072 tokens, \d% · /);
    const panel = await stage.lab('preset.md');
    await panel.text('notes', /tokens are an estimate by cl100k_base\. .* in other scripts/);
    await stage.bench.command('Two Heads: Simulate This File');
    await stage.notification(/llama-3\.1-8b can be planned, not run/);
  });

  it('plans a prompt of a megabyte anew while it is typed', async () => {
    const text = sampleText()
      .repeat(70)
      .slice(0, 1024 * 1024);
    await stage.open('megabyte.md', text);
    const before = await eventuallyText('a lens', () => stage.bench.editor.codeLenses(), /^3\d\d,\d{3} of 2,048 tokens, /);
    await stage.bench.editor.type('one more sentence. ');
    const after = await eventually('another count', async () => {
      const seen = (await stage.bench.editor.codeLenses()).find((shown) => shown.includes(' tokens, '));
      return seen !== undefined && seen !== before ? { found: seen } : { seen };
    });
    expect(after).toMatch(/^3\d\d,\d{3} of 2,048 tokens, /);
    await until(
      'all that was typed',
      () => stage.bench.editor.text(),
      (shown) => shown === `one more sentence. ${text}`,
    );
    await stage.hint(/block 1 · /);
    await stage.bench.screenshot('9-megabyte');
  });

  it('switches the hints off', async () => {
    await stage.open('off.md', sampleText().slice(0, 3000));
    await stage.lens(/tokens, \d+% · /);
    await stage.bench.setSettings({ 'twoHeads.hints.placement': 'off' });
    const shown = async (): Promise<string[]> => [
      ...(await stage.bench.editor.codeLenses()),
      ...(await stage.bench.editor.hints()),
      ...(await stage.bench.statusItems()).filter((item) => /tokens, .* calls/.test(item)),
    ];
    await until('no lens, hint or status item', shown, (seen) => seen.length === 0);
    await stage.bench.setSettings({ 'twoHeads.hints.placement': undefined });
    await stage.lens(/tokens, \d+% · /);
  });
});
