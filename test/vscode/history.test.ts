import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportsFrom } from '../../src/engine/read/report/reports';
import { sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

const runLimitMs = 60_000;

let workspace: string;
let prompt: string;
let bench: Workbench;

/** The pane of the view. */
const view = (): Locator => bench.page.locator('.pane', { has: bench.page.locator('.pane-header .title', { hasText: /^Runs$/ }) });

/** The lines of the tree that are runs, as a screen reader says them. */
const lines = (): Locator => view().locator('.monaco-list-row[aria-label*=" call"]');
const spoken = (): Promise<string[]> =>
  lines().evaluateAll((rows: readonly { getAttribute(name: string): string | null }[]) =>
    rows.map((row) => row.getAttribute('aria-label') ?? ''),
  );

const notification = (wanted: RegExp): Promise<string> => eventuallyText('a notification', () => bench.notifications(), wanted, runLimitMs);

/** Waits until the tree has so many runs, and returns them. */
const runs = (count: number): Promise<string[]> =>
  eventually(`${count} runs`, async () => {
    const seen = await spoken();
    return seen.length === count ? { found: seen } : { seen };
  });

/** Runs the prompt under a scenario. */
async function simulate(scenario: string): Promise<void> {
  await bench.clearNotifications();
  await bench.setSettings({ 'twoHeads.scenario': scenario });
  await bench.command('Two Heads: Simulate This File');
  await notification(/tokens in .* calls, max abs error/);
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-history-'));
  prompt = join(workspace, 'history prompt.md');
  writeFileSync(prompt, sampleText().slice(0, 1500));
  bench = await Workbench.start({
    ...packaged,
    workspace,
    settings: { 'twoHeads.blockSize': 64, 'twoHeads.window': 100 },
  });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the view of the runs', () => {
  it('says what it is for while it is empty', async () => {
    await bench.open(prompt);
    await bench.showView('Runs');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
  });

  it('lists runs by prompt, newest first, and says what they came to', async () => {
    await simulate('causal');
    await simulate('sliding-window');
    const [newest, oldest] = await runs(2);
    expect(newest).toMatch(
      /^sliding-window\(window 100\), (\d{4}-\d\d-\d\d )?\d\d:\d\d, [\d,]+ calls, [\d.]+ m?s, error [\d.]+e-\d, of history prompt\.md$/,
    );
    expect(oldest).toMatch(/^causal, /);
    expect(await view().locator('.monaco-list-row[aria-label="history prompt.md, 2 runs"]').count()).toBe(1);
    expect(await lines().first().innerText()).toMatch(/calls · /);
    await bench.screenshot('40-history-dark');
  });

  it('keeps them over a reload', async () => {
    const before = await spoken();
    await bench.reload();
    await bench.showView('Runs');
    expect(await runs(2)).toEqual(before);
    await bench.open(prompt);
  });

  it('opens a report from the keyboard', async () => {
    await lines()
      .first()
      .click({ modifiers: ['ControlOrMeta'] });
    await bench.page.keyboard.press('Enter');
    const frame = await bench.webview('Run: sliding-window(window 100)');
    expect(await frame.locator('h1').innerText()).toBe('Two Heads: 1 run');
    expect(await frame.locator('svg[role="img"]').count()).toBe(2);
  });

  it('compares what is selected', async () => {
    await lines().first().click();
    await lines()
      .nth(1)
      .click({ modifiers: ['ControlOrMeta'] });
    await bench.command('Two Heads: Compare Runs');
    const frame = await bench.webview('Comparison of 2 Runs');
    await eventuallyText(
      'the table',
      async () => [await frame.locator('table').first().innerText()],
      /causal[\s\S]*sliding-window\(window 100\)/,
    );
    await frame.locator('svg[aria-labelledby^="quality-cost"]').waitFor();
    await bench.screenshot('41-comparison-dark');
    await bench.setTheme('Default Light Modern');
    await bench.screenshot('42-comparison-light');
    await bench.setTheme('Default Dark Modern');
  });

  it('exports what is selected to a file', async () => {
    const target = join(workspace, 'two-heads-runs.json');
    await bench.clearNotifications();
    await lines().first().click();
    await lines()
      .nth(1)
      .click({ modifiers: ['ControlOrMeta'] });
    await bench.command('Two Heads: Export Runs...');
    await bench.quickPick('JSON');
    await bench.quickInput.answer('Export Runs', target);
    await notification(/2 runs exported to two-heads-runs\.json/);
    const exported = reportsFrom(readFileSync(target, 'utf8'), target);
    expect(exported.map(({ scenario }) => scenario.kind)).toEqual(['causal', 'sliding-window']);
    expect(exported[0].prompt.path).toBe('history prompt.md');
    expect(readdirSync(workspace).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('runs one again with its own options', async () => {
    await bench.clearNotifications();
    await bench.setSettings({ 'twoHeads.scenario': 'full', 'twoHeads.blockSize': 32 });
    await lines().nth(1).click();
    await bench.command('Two Heads: Re-run');
    await notification(/tokens in .* calls, max abs error/);
    const [again, , first] = await runs(3);
    expect(again).toMatch(/^causal, /);
    const calls = (line: string): string => /([\d,]+ calls)/.exec(line)?.[1] ?? '';
    expect(calls(again)).toBe(calls(first));
  });

  it('deletes one by its key, and all when told twice', async () => {
    await lines().first().click();
    await bench.page.keyboard.press('Delete');
    await runs(2);
    await bench.command('Two Heads: Clear Run History...');
    await eventuallyText('the question', async () => [(await bench.dialog()) ?? ''], /Delete 2 runs\?/);
    await bench.pressDialogButton('Delete');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
    await bench.reload();
    await bench.showView('Runs');
    await view().getByText('No prompt has run yet', { exact: false }).waitFor();
  });

  it('prints no error and asks nothing of the network', () => {
    expect(bench.consoleErrors).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
