import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { beforeAll, describe, it } from 'vitest';
import { standardKinds } from '../../src/core/scenario/scenario';
import { debianProgram } from '../harness/debian';
import { startWorker } from '../harness/fleet-processes';
import { TestRedis } from '../harness/redis';
import { root } from '../support/paths';
import type { Panel } from '../vscode/harness/panel';
import { useStage } from '../vscode/harness/stage';
import { eventuallyText, until } from '../vscode/harness/wait';
import { files } from './files';

/** Pictures of the README and of the documentation. */
const docs = join(root, 'docs', 'images');

const size = { width: 1280, height: 840 };
const dark = 'Default Dark Modern';
const light = 'Default Light Modern';
/** Of all pictures together. */
const limitMs = 3_600_000;

/** The lens of the sample. */
const planned = /^1,924 of 2,048 tokens, 94% · /;

const stage = useStage('docs', {
  files,
  artifacts: docs,
  settings: {
    'editor.wordWrap': 'on',
    'editor.fontSize': 13,
    'twoHeads.blockSize': 128,
    // The broker's port is no application's.
    'remote.autoForwardPorts': false,
  },
});

/** Writes the window without notifications. */
async function shoot(name: string): Promise<void> {
  await stage.bench.clearNotifications();
  await stage.bench.screenshot(name);
}

/** Writes a part of the lab. */
async function shootPart(lab: Panel, testId: string, name: string): Promise<void> {
  await lab.scrollTo(testId);
  await shoot(name);
}

/** A view of the side bar, by its name. */
function pane(name: string): Locator {
  const { page } = stage.bench;
  return page.locator('.pane', { has: page.locator('.pane-header .title', { hasText: new RegExp(`^${name}$`) }) });
}

async function openPrompt(): Promise<void> {
  await stage.open('prompt.md');
  await stage.lens(planned);
  const second = await stage.hint(/block 2 · /);
  await stage.bench.editor.hover(second);
  await stage.bench.screenshot('hover');
  await stage.bench.page.keyboard.press('Escape');
}

async function formAndMap(): Promise<void> {
  const panel = await stage.panel('prompt.md');
  await panel.part('glance-costs').waitFor();
  await shoot('panel-dark');
  await shootPart(await stage.lab('prompt.md'), 'section-tiles', 'map-dark');
}

async function calibratedMachine(): Promise<void> {
  await stage.bench.command('Two Heads: Calibrate This Machine');
  await stage.notification(/Calibrated /);
}

/** A run and its proof, with all scenarios beside it. */
async function runAndProof(): Promise<void> {
  await stage.bench.command('Two Heads: Compare Scenarios');
  await stage.notification(/Compared \d scenarios/);
  await stage.simulate();
  const lab = await stage.lab('prompt.md');
  await shootPart(lab, 'section-last-run', 'last-run-dark');
  await lab.chooseRadio('cost-metric', 'time');
  await stage.bench.setTheme(light);
  await shootPart(lab, 'section-costs', 'cost-light');
  await stage.bench.setTheme('Default High Contrast');
  await shootPart(lab, 'section-costs', 'cost-high-contrast');
  await stage.bench.setTheme(dark);
}

/** The lab's pictures of attention, under a mask that cuts some of it off. */
async function attention(): Promise<void> {
  await stage.bench.setSettings({ 'twoHeads.scenario': 'attention-sink', 'twoHeads.window': 60 });
  await stage.bench.command('Two Heads: Where Attention Goes');
  await stage.notification(/Measured where the attention/);
  const lab = await stage.lab('prompt.md');
  await lab.scrollTo('lab-document');
  await shoot('lab-dark');
  await shootPart(lab, 'section-lab-map', 'attention-dark');
  await shootPart(lab, 'section-lab-heads', 'heads-dark');
  await shootPart(lab, 'section-lab-strip', 'strip-dark');
  await shootPart(lab, 'section-lab-predicted', 'predicted-dark');
  await stage.bench.setSettings({ 'twoHeads.scenario': undefined, 'twoHeads.window': undefined });
}

async function quality(): Promise<void> {
  await stage.bench.setSettings({ 'twoHeads.window': 64 });
  await stage.bench.command('Two Heads: Evaluate Quality');
  await stage.bench.quickPick('Predictions and Retrieval');
  await stage.notification(/Evaluated \d points/);
  await shootPart(await stage.lab(), 'section-lab-frontier', 'frontier-dark');
  await shootPart(await stage.lab(), 'section-lab-needles', 'needles-dark');
  await stage.bench.setTheme(light);
  await shootPart(await stage.lab(), 'section-lab-quality', 'quality-light');
  await stage.bench.setTheme(dark);
  await stage.bench.setSettings({ 'twoHeads.window': undefined });
}

async function ledger(): Promise<void> {
  await stage.bench.command('Two Heads: Run the Ledger of Theorems');
  await stage.notification(/Ledger of \d+ rows/);
  await shootPart(await stage.lab(), 'section-ledger', 'ledger-dark');
}

async function runsCompared(): Promise<void> {
  // The lab would leave the comparison a third of the width.
  await stage.bench.run('workbench.action.closeAllEditors');
  await stage.bench.setSideBarWidth(360);
  await stage.bench.showView('Runs');
  await stage.bench.command('Two Heads: Compare Runs');
  const labels = await until(
    'the runs',
    () => stage.bench.quickInput.labels(),
    // What is shown at first is still the palette.
    (shown) => shown.length > 2 && !shown.some((label) => label.startsWith('Two Heads')),
  );
  // Results of other kinds are kept too, and do not compare with runs.
  const runs = labels.filter((label) => standardKinds.some((kind) => label.startsWith(kind)));
  await stage.bench.quickPick(runs);
  const frame = await stage.bench.webview(`Comparison of ${runs.length} Runs`);
  await frame.locator('svg').first().waitFor();
  await shoot('comparison-dark');
  await stage.bench.run('workbench.action.closeAllEditors');
}

/** The trees of the side bar: open prompts, and results as differences from a pinned one. */
async function trees(): Promise<void> {
  await stage.bench.setSideBarWidth(600);
  await stage.bench.showView('Runs');
  await pane('At a Glance').locator('.pane-header').click();
  await pane('Runs').locator('.monaco-list-row[aria-label^="causal, "]').first().click();
  await stage.bench.webview('Run: causal');
  await stage.bench.command('Two Heads: Pin as Baseline');
  await pane('Runs').locator('.monaco-list-row[aria-label*="time ×"]').first().waitFor();
  await shoot('trees-dark');
  await stage.bench.command('Two Heads: Unpin Baseline');
  await pane('At a Glance').locator('.pane-header').click();
  await stage.bench.run('workbench.action.closeAllEditors');
}

async function expensiveBlocks(): Promise<void> {
  await stage.open('prompt.md');
  await stage.lens(planned);
  await stage.bench.command('Two Heads: Go to Most Expensive Block');
  await eventuallyText('the blocks', () => stage.bench.quickInput.labels(), /^block /);
  await stage.bench.screenshot('expensive-dark');
  await stage.bench.quickInput.dismiss();
}

/** Prompts as people keep them, with hints: a chat, a prompt file, a text in Chinese, and a string of a program. */
async function keptPrompts(): Promise<void> {
  await stage.bench.setSettings({ 'twoHeads.blockSize': 64 });
  for (const [file, model, name] of [
    ['support.chat.jsonl', 'qwen3-8b', 'chat-dark'],
    ['review.prompt.md', undefined, 'prompt-file-dark'],
    ['chinese.prompt', 'qwen3-8b', 'chinese-dark'],
  ] as const) {
    await stage.bench.setSettings({ 'twoHeads.model': model });
    await stage.open(file);
    await stage.lens(/tokens, /);
    await stage.hint(/blocks? \d+/);
    await shoot(name);
  }
  await stage.bench.setSettings({ 'twoHeads.model': undefined });
  await stage.open('prompts.py');
  await stage.bench.editor.goToLine(4);
  await stage.bench.command('Two Heads: Treat as Prompt');
  await stage.hint(/block 2 · /);
  await shoot('python-dark');
  await stage.bench.setSettings({ 'twoHeads.blockSize': 128 });
}

/** An experiment file with what is wrong with it, and its budgets as a test. */
async function experimentFile(): Promise<void> {
  await stage.bench.run('workbench.action.closeAllEditors');
  await stage.open('masks.two-heads.json');
  await stage.lens(/Run Experiment/);
  await until(
    'both mistakes',
    () => stage.bench.page.locator('.squiggly-error').count(),
    (count) => count >= 2,
  );
  await stage.bench.showView('Testing');
  await stage.bench.page.locator('.test-explorer .monaco-list-row', { hasText: 'masks.two-heads.json' }).waitFor();
  await shoot('experiment-dark');
}

async function continuation(): Promise<void> {
  await stage.open('question.prompt');
  await stage.bench.setSettings({ 'twoHeads.scenario': 'attention-sink', 'twoHeads.window': 60 });
  await stage.bench.command('Two Heads: Continue Prompt');
  await stage.bench.quickInput.answer('Tokens to add', '48');
  await stage.bench.page.locator('.monaco-diff-editor [class*="TextEditorDecorationType"]').first().waitFor({ state: 'attached' });
  await shoot('continuation-dark');
}

/** An experiment on three workers of a broker, in the view of them. */
async function fleet(program: string): Promise<void> {
  const redis = await TestRedis.start({ program });
  const workers = await Promise.all([0, 1, 2].map(() => startWorker(redis.url)));
  try {
    await stage.bench.setSideBarWidth(520);
    await stage.bench.setSettings({ 'twoHeads.fleet.broker': redis.url });
    await stage.open('windows.two-heads.json');
    await stage.bench.command('Two Heads: Run Experiment on Fleet');
    await stage.dialog();
    await stage.bench.pressDialogButton('Run');
    await stage.bench.showView('Machine');
    await pane('At a Glance').locator('.pane-header').click();
    const lines = pane('Machine').locator('.monaco-list-row');
    const busy = lines.filter({ hasText: /rows a minute · / });
    await until(
      'three workers that have measured',
      () => busy.count(),
      (count) => count === 3,
    );
    await busy.first().locator('.monaco-tl-twistie').click();
    await lines.filter({ hasText: 'Version' }).waitFor();
    await stage.notification(/ left$/);
    await stage.bench.screenshot('fleet-machine');
    // Its job comes back once its lock has ended.
    await workers[0].signal('SIGKILL');
    await lines.filter({ hasText: '2 workers' }).waitFor();
    await stage.bench.screenshot('fleet-killed');
    // Queues are listed as long as workers wait for them.
    await eventuallyText(
      'no job that is left',
      () => lines.filter({ hasText: 'Jobs for tiny-docs-5m' }).allInnerTexts(),
      /0 waiting, 0 measured now/,
    );
    await stage.bench.screenshot('fleet-done');
  } finally {
    await Promise.all(workers.map((worker) => worker.dispose()));
    await redis.dispose();
  }
}

const redisServer = await debianProgram('redis-server', ['redis-server']);

beforeAll(async () => {
  mkdirSync(docs, { recursive: true });
  await stage.bench.page.setViewportSize(size);
});

describe('pictures', () => {
  it('are taken of the steps to get started', async () => {
    const { page } = stage.bench;
    await stage.bench.run('workbench.action.openWalkthrough', 'two-heads.two-heads#start');
    await page.frameLocator('.getting-started-media iframe').frameLocator('#active-frame').locator('svg').waitFor();
    await shoot('walkthrough-dark');
    await stage.bench.run('workbench.action.closeAllEditors');
  });

  // One story, as a user lives it who tries everything: each step builds on those before.
  it(
    'are taken of an open prompt, the form and the map, a calibrated machine, runs, attention, quality, the ledger, the trees, a continuation and an experiment',
    async () => {
      await keptPrompts();
      await openPrompt();
      await formAndMap();
      await calibratedMachine();
      await runAndProof();
      await attention();
      await quality();
      await ledger();
      await runsCompared();
      await trees();
      await expensiveBlocks();
      await continuation();
      await experimentFile();
    },
    limitMs,
  );

  it.skipIf(redisServer === undefined)('are taken of a fleet', () => fleet(redisServer ?? ''), limitMs);
});
