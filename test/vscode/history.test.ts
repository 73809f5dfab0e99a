import { readdirSync, readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { reportsFrom } from '../../src/engine/read/report/reports';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { eventuallyText, until } from './harness/wait';

const prompt = 'history prompt.md';
const stage = useStage('history', {
  files: { [prompt]: sampleText().slice(0, 1500) },
  settings: { 'twoHeads.blockSize': 64, 'twoHeads.window': 100 },
});

/** The pane of the view. */
const view = (): Locator => {
  const { page } = stage.bench;
  return page.locator('.pane', { has: page.locator('.pane-header .title', { hasText: /^Runs$/ }) });
};

/** The lines of the tree that are runs, as a screen reader says them. */
const lines = (): Locator => view().locator('.monaco-list-row[aria-label*=" call"]');
const spoken = (): Promise<string[]> =>
  lines().evaluateAll((rows: readonly { getAttribute(name: string): string | null }[]) =>
    rows.map((row) => row.getAttribute('aria-label') ?? ''),
  );

/** Waits until the tree has so many runs, and returns them. */
const runs = (count: number): Promise<string[]> => until(`${count} runs`, spoken, (seen) => seen.length === count);

/** Runs the prompt under a scenario. */
async function simulate(scenario: string): Promise<void> {
  await stage.bench.setSettings({ 'twoHeads.scenario': scenario });
  await stage.simulate();
}

/** Opens the prompt and the view, with a run under each of two scenarios: those of a test before, where they are as it found them. */
async function openTwoRuns(): Promise<readonly string[]> {
  await stage.open(prompt);
  await stage.bench.showView('Runs');
  const kept = await spoken();
  if (kept.length !== 2 || !kept[0].startsWith('sliding-window(window 100), ') || !kept[1].startsWith('causal, ')) {
    await stage.clearHistory();
    await runs(0);
    await simulate('causal');
    await simulate('sliding-window');
  }
  const two = await runs(2);
  // None is selected.
  await view().locator('.monaco-list').focus();
  await stage.bench.page.keyboard.press('Escape');
  await until(
    'no selection',
    () => view().locator('.monaco-list-row.selected').count(),
    (count) => count === 0,
  );
  return two;
}

/** Selects both runs; the first click opens its report. */
async function selectBoth(): Promise<void> {
  await lines().first().click();
  await stage.bench.webview('Run: sliding-window(window 100)');
  await lines()
    .nth(1)
    .click({ modifiers: ['ControlOrMeta'] });
  await until(
    'both selected',
    () => view().locator('.monaco-list-row.selected').count(),
    (count) => count === 2,
  );
}

/** In a page: whether each picture has its body's colours, of ground and text. */
const groundsAndTexts = `[...document.querySelectorAll('svg')].map((picture) => {
  const body = getComputedStyle(document.body);
  const fill = (selector) => getComputedStyle(picture.querySelector(selector)).fill;
  return [
    fill(':scope > rect') === body.backgroundColor ? 'ground' : fill(':scope > rect'),
    fill(':scope > text') === body.color ? 'text' : fill(':scope > text'),
  ].join(', ');
})`;

describe('the view of the runs', () => {
  it('says what it is for while it is empty', async () => {
    await stage.open(prompt);
    await stage.clearHistory();
    await stage.bench.showView('Runs');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
  });

  it('lists runs by prompt, newest first, and says what they came to', async () => {
    const [newest, oldest] = await openTwoRuns();
    expect(newest).toMatch(
      /^sliding-window\(window 100\), (\d{4}-\d\d-\d\d )?\d\d:\d\d, [\d,]+ calls, [\d.]+ m?s, error [\d.]+e-\d, KL [\d.]+, of history prompt\.md$/,
    );
    expect(oldest).toMatch(/^causal, /);
    expect(await view().locator('.monaco-list-row[aria-label="history prompt.md, 2 runs"]').count()).toBe(1);
    expect(await lines().first().innerText()).toMatch(/calls · /);
    await stage.bench.screenshot('40-history-dark');
  });

  it('keeps them over a reload', async () => {
    const before = await openTwoRuns();
    await stage.bench.reload();
    await stage.bench.showView('Runs');
    expect(await runs(2)).toEqual(before);
  });

  it('opens a report from the keyboard', async () => {
    await openTwoRuns();
    await lines()
      .first()
      .click({ modifiers: ['ControlOrMeta'] });
    await stage.bench.page.keyboard.press('Enter');
    const frame = await stage.bench.webview('Run: sliding-window(window 100)');
    await eventuallyText('the report', () => frame.locator('h1').allInnerTexts(), /^Two Heads: 1 run$/);
    expect(await frame.locator('svg[role="img"]').count()).toBe(2);
  });

  it('compares what is selected', async () => {
    await openTwoRuns();
    await selectBoth();
    await stage.bench.command('Two Heads: Compare Runs');
    const frame = await stage.bench.webview('Comparison of 2 Runs');
    await eventuallyText(
      'the table',
      async () => [await frame.locator('table').first().innerText()],
      /causal[\s\S]*sliding-window\(window 100\)/,
    );
    await frame.locator('svg[aria-labelledby^="quality-cost"]').waitFor();
    await stage.bench.screenshot('41-comparison-dark');
    // In every theme a picture stands on the page's ground, in colours that are not those of paper.
    const shown = (): Promise<string[]> => frame.evaluate<string[]>(groundsAndTexts);
    expect(new Set(await shown())).toEqual(new Set(['ground, text']));
    await stage.bench.setTheme('Default Light Modern');
    await until('the light theme', shown, (grounds) => grounds.every((each) => each === 'ground, text'));
    await stage.bench.screenshot('42-comparison-light');
  });

  it('keeps a continuation over a reload, and shows runs as differences from a pinned one', async () => {
    await openTwoRuns();
    await stage.bench.setSettings({ 'twoHeads.scenario': 'sliding-window', 'twoHeads.window': 16 });
    await stage.bench.command('Two Heads: Continue Prompt');
    await stage.bench.quickInput.answer('Tokens to add', '8');
    await stage.bench.page.locator('.tab.active', { hasText: /Continuation of history prompt\.md/ }).waitFor();
    await stage.bench.reload();
    await stage.bench.showView('Runs');
    // The pinned run is what the other is held against.
    await view().locator('.monaco-list-row[aria-label^="causal, "]').click();
    await stage.bench.webview('Run: causal');
    await stage.bench.command('Two Heads: Pin as Baseline');
    await view().locator('.monaco-list-row[aria-label^="causal, "][aria-label*="pinned baseline"]').waitFor();
    await view().locator('.monaco-list-row[aria-label^="sliding-window"][aria-label*="time ×"]').waitFor();
    await stage.bench.screenshot('43-records-dark');
    await view().locator('.monaco-list-row[aria-label^="Continuation, sliding-window(window 16)"]').click();
    await stage.bench.page.locator('.monaco-diff-editor [class*="TextEditorDecorationType"]').first().waitFor({ state: 'attached' });
    await stage.bench.screenshot('44-continuation-again-dark');
    await stage.bench.command('Two Heads: Unpin Baseline');
    await stage.clearHistory();
  });

  it('keeps an advice, as a page with all masks that were measured and the file that repeats it', async () => {
    await stage.open(prompt);
    await stage.bench.setSettings({ 'twoHeads.blockSize': undefined });
    await stage.bench.command('Two Heads: Advise a Mask');
    await stage.bench.quickInput.answer('Mean KL divergence', '0.05');
    await stage.notification(/Masks with \d+% of the attention calls and \d+% of the time keep the mean KL at 0\.0\d+/);
    await stage.bench.clearNotifications();
    await stage.bench.showView('Runs');
    await view().locator('.monaco-list-row[aria-label^="Masks within a mean KL of 0.05"]').click();
    const page = await stage.bench.webview(`Masks within a mean KL of 0.05: ${prompt}`);
    expect(await page.locator('path.point').count()).toBeGreaterThan(3);
    expect(await page.locator('path.limit').count()).toBe(1);
    expect(await page.locator('pre').innerText()).toContain(`"${prompt}"`);
    await stage.bench.screenshot('45-advice-dark');
  });

  it('exports what is selected to a file', async () => {
    await openTwoRuns();
    const target = stage.path('two-heads-runs.json');
    await selectBoth();
    await stage.bench.command('Two Heads: Export Runs...');
    await stage.bench.quickPick('JSON');
    await stage.bench.quickInput.proposedFile('Export Runs', '.json');
    await stage.bench.quickInput.takeFile(target);
    await stage.notification(/2 runs exported to two-heads-runs\.json/);
    const exported = reportsFrom(readFileSync(target, 'utf8'), target);
    expect(exported.map(({ scenario }) => scenario.kind)).toEqual(['causal', 'sliding-window']);
    expect(exported[0].prompt.path).toBe(prompt);
    expect(readdirSync(stage.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('runs one again with its own options', async () => {
    await openTwoRuns();
    await stage.bench.setSettings({ 'twoHeads.scenario': 'full', 'twoHeads.blockSize': 32 });
    await lines().nth(1).click();
    await stage.bench.webview('Run: causal');
    await stage.bench.command('Two Heads: Re-run');
    await stage.notification(/tokens in .* calls, max abs error/);
    const [again, , first] = await runs(3);
    expect(again).toMatch(/^causal, /);
    const calls = (line: string): string => /([\d,]+ calls)/.exec(line)?.[1] ?? '';
    expect(calls(again)).toBe(calls(first));
  });

  it('deletes one by its key, and all when told twice', async () => {
    await openTwoRuns();
    await lines().first().click();
    await stage.bench.webview('Run: sliding-window(window 100)');
    await stage.bench.page.keyboard.press('Delete');
    await runs(1);
    await stage.bench.command('Two Heads: Clear Run History...');
    expect(await stage.dialog()).toMatch(/Delete 1 run\?/);
    await stage.bench.pressDialogButton('Delete');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
    await stage.bench.reload();
    await stage.bench.showView('Runs');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
  });
});
