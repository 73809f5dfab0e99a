import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { root, samplePrompt, sampleText } from '../support/paths';
import { packaged } from '../vscode/harness/packaged';
import { eventuallyText, pause } from '../vscode/harness/wait';
import { Workbench } from '../vscode/harness/workbench';

/** Pictures of the README, and those of the walkthrough, which ships. */
const docs = join(root, 'docs', 'images');
const walkthrough = join(root, 'media', 'walkthrough');

const size = { width: 1280, height: 840 };
const dark = 'Default Dark Modern';
const light = 'Default Light Modern';
const runLimitMs = 300_000;

let workspace: string;
let bench: Workbench;

const at = (testId: string): string => `[data-testid="${testId}"]`;

function said(wanted: RegExp): Promise<string> {
  return eventuallyText('a notification', () => bench.notifications(), wanted, runLimitMs);
}

async function panel(): Promise<Frame> {
  await bench.command('Two Heads: Open Panel');
  return bench.webview(0);
}

/** Writes the window as it is. */
async function shoot(path: string): Promise<void> {
  await bench.clearNotifications();
  // Hovers and notifications fade.
  await pause(800);
  await bench.page.screenshot({ path });
}

/** Writes a part of the panel, in a side bar of some width. */
async function shootPart(frame: Frame, testId: string, width: number, name: string): Promise<void> {
  await bench.setSideBarWidth(width);
  await frame.locator(at(testId)).scrollIntoViewIfNeeded();
  await frame.evaluate(`document.querySelector('${at(testId)}').scrollIntoView({ block: 'start' })`);
  await shoot(join(docs, `${name}.png`));
}

beforeAll(async () => {
  mkdirSync(docs, { recursive: true });
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-docs-'));
  copyFileSync(samplePrompt, join(workspace, 'long-prompt.md'));
  writeFileSync(join(workspace, 'question.prompt'), sampleText().slice(0, 6000));
  bench = await Workbench.start({ ...packaged, workspace, artifacts: docs, settings: { 'editor.wordWrap': 'on', 'editor.fontSize': 13 } });
  await bench.page.setViewportSize(size);
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

// One after another, as a user who tries everything: each step builds on those before.
describe('pictures of', () => {
  it('an open prompt, before anything is run', async () => {
    await bench.open(join(workspace, 'long-prompt.md'));
    await eventuallyText('the lens', () => bench.editor.codeLenses(), /1,500 calls/);
    await eventuallyText('a hint', () => bench.editor.inlayHints(), /block 2/);
    await shoot(join(walkthrough, 'open.png'));
    await bench.editor.hover('block 2 · 12 calls');
    await shootOpen('hover');
    await bench.page.keyboard.press('Escape');
  });

  it('the form and the map of tiles', async () => {
    const frame = await panel();
    await frame.locator(at('tile-map')).waitFor();
    await shoot(join(docs, 'panel-dark.png'));
    await shootPart(frame, 'section-tiles', 380, 'map-dark');
    await bench.setSideBarWidth(300);
    await frame.evaluate('scrollTo(0, 0)');
    await bench.setTheme(light);
    await shoot(join(walkthrough, 'choose.png'));
    await bench.setTheme(dark);
  });

  it(
    'a calibrated machine',
    async () => {
      await bench.command('Two Heads: Calibrate This Machine');
      await said(/Calibrated /);
      await shoot(join(walkthrough, 'calibrate.png'));
    },
    runLimitMs,
  );

  it(
    'a run and its proof, with all scenarios beside it',
    async () => {
      await bench.command('Two Heads: Compare Scenarios');
      await said(/Compared \d scenarios/);
      await bench.command('Two Heads: Simulate This File');
      await said(/max abs error/);
      const frame = await panel();
      await shootPart(frame, 'section-last-run', 420, 'last-run-dark');
      copyFileSync(join(docs, 'last-run-dark.png'), join(walkthrough, 'run.png'));
      await frame.locator('vscode-radio[value="time"]').click();
      await bench.setTheme(light);
      await shootPart(frame, 'section-costs', 860, 'cost-light');
      await bench.setTheme('Default High Contrast');
      await shootPart(frame, 'section-costs', 420, 'cost-high-contrast');
      await bench.setSideBarWidth(360);
      await bench.setTheme(dark);
    },
    runLimitMs,
  );

  it(
    'what masks do to predictions',
    async () => {
      await bench.setSettings({ 'twoHeads.window': 64 });
      await bench.command('Two Heads: Evaluate Quality');
      await bench.quickPick('Predictions and Needles');
      await said(/Evaluated \d points/);
      await bench.setTheme(light);
      await shootPart(await panel(), 'section-quality', 860, 'quality-light');
      await bench.setTheme(dark);
      await bench.setSettings({ 'twoHeads.window': undefined });
    },
    runLimitMs,
  );

  it(
    'the ledger of theorems',
    async () => {
      await bench.command('Two Heads: Run the Ledger of Theorems');
      await said(/Ledger of \d+ rows/);
      await shootPart(await panel(), 'section-ledger', 860, 'ledger-dark');
      copyFileSync(join(docs, 'ledger-dark.png'), join(walkthrough, 'ledger.png'));
    },
    runLimitMs,
  );

  it('the runs, compared', async () => {
    await bench.setSideBarWidth(360);
    await bench.showView('Runs');
    await bench.command('Two Heads: Compare Runs');
    const rows = bench.page.locator('.quick-input-list .monaco-list-row');
    await rows.first().waitFor();
    for (const row of await rows.all()) {
      await row.click();
    }
    await bench.page.keyboard.press('Enter');
    const frame = await bench.webview('Comparison of 7 Runs');
    await frame.locator('svg').first().waitFor();
    await shoot(join(docs, 'comparison-dark.png'));
    await bench.command('View: Close All Editors');
  });

  it(
    'the most expensive blocks, and a continuation',
    async () => {
      await bench.open(join(workspace, 'long-prompt.md'));
      await eventuallyText('the lens', () => bench.editor.codeLenses(), /1,500 calls/);
      await bench.command('Two Heads: Go to Most Expensive Block');
      await shootOpen('expensive-dark');
      await bench.page.keyboard.press('Escape');
      await bench.open(join(workspace, 'question.prompt'));
      await bench.setSettings({ 'twoHeads.scenario': 'attention-sink', 'twoHeads.window': 60 });
      await bench.command('Two Heads: Continue Prompt');
      await bench.quickInput.answer('Tokens to add', '48');
      await eventuallyText(
        'the continuation',
        async () => [(await bench.page.locator('.view-lines').allInnerTexts()).join('\n')],
        /own.attention/,
        runLimitMs,
      );
      await shoot(join(docs, 'continuation-dark.png'));
    },
    runLimitMs,
  );
});

/** Writes the window without a command, which would close what is open. */
async function shootOpen(name: string): Promise<void> {
  await pause(800);
  await bench.page.screenshot({ path: join(docs, `${name}.png`) });
}
