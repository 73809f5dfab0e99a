import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { beforeAll, describe, it } from 'vitest';
import { debianProgram } from '../harness/debian';
import { startWorker } from '../harness/fleet-processes';
import { TestRedis } from '../harness/redis';
import { firstPrompt, root, sampleText } from '../support/paths';
import type { Panel } from '../vscode/harness/panel';
import { useStage } from '../vscode/harness/stage';
import { eventuallyText, until } from '../vscode/harness/wait';

/** Pictures of the README and of the documentation. */
const docs = join(root, 'docs', 'images');

const size = { width: 1280, height: 840 };
const dark = 'Default Dark Modern';
const light = 'Default Light Modern';
/** Of all pictures together. */
const limitMs = 3_600_000;

/** The lens of the sample. */
const planned = /^1,924 of 2,048 tokens, 94% · /;

/** A conversation as fine-tuning files have it, on one line. */
const conversation = (question: string, answer: string): string =>
  JSON.stringify({
    messages: [
      { role: 'system', content: 'You answer questions about a document, briefly, and say so where you do not know.' },
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ],
  });

const asked = sampleText().slice(0, 1500);

/** A few sentences on what a window does, in Chinese. */
const chinese = Array.from(
  { length: 12 },
  (_, index) =>
    `第${index + 1}段。每个词只看它前面的五百个词，再加上最前面的四个词。窗口越小，计算越少，但模型看不到更早的内容。请根据上面的文字回答：哪些词被遮住了？如果不知道，就说不知道。`,
).join('\n\n');

const files = {
  'prompt.md': readFileSync(firstPrompt, 'utf8'),
  'question.prompt': sampleText().slice(0, 6000),
  'support.chat.jsonl': [
    conversation(`What does this say about blocks?\n\n${asked}`, 'That each call reads at most M tokens.'),
    conversation('Which masks are there?', 'Full, causal, windows with and without sinks, and those that you write.'),
  ].join('\n'),
  'review.prompt.md': `---\nmode: agent\ndescription: Review a change\ntools: ['search']\n---\n\n# Task\n\nReview the change below.\n\n${asked}\n`,
  'chinese.prompt': chinese,
  'long.md': sampleText(),
  'windows.two-heads.json': JSON.stringify(
    {
      version: 1,
      prompts: ['long.md'],
      model: 'tiny-docs-5m',
      scenarios: [8, 16, 32, 64, 128].map((window) => `sliding-window:${window}`),
      context: 256,
      provider: 'cpu',
      threads: 1,
    },
    null,
    2,
  ),
  'prompts.py': `from lab import ask\n\nREVIEW = """You review changes to documents.\n\n${asked}\n"""\n\nprint(ask(REVIEW, model="small"))\n`,
};

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

/** Writes a part of the panel, in a side bar of some width. */
async function shootPart(panel: Panel, testId: string, width: number, name: string): Promise<void> {
  await stage.bench.setSideBarWidth(width);
  await panel.scrollTo(testId);
  await shoot(name);
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
  await panel.part('tile-map').waitFor();
  await shoot('panel-dark');
  await shootPart(panel, 'section-tiles', 380, 'map-dark');
  await stage.bench.setSideBarWidth(300);
  await panel.frame.evaluate('scrollTo(0, 0)');
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
  const panel = await stage.panel('prompt.md');
  await shootPart(panel, 'section-last-run', 420, 'last-run-dark');
  await panel.chooseRadio('time');
  await stage.bench.setTheme(light);
  await shootPart(panel, 'section-costs', 860, 'cost-light');
  await stage.bench.setTheme('Default High Contrast');
  await shootPart(panel, 'section-costs', 420, 'cost-high-contrast');
  await stage.bench.setSideBarWidth(360);
  await stage.bench.setTheme(dark);
}

async function quality(): Promise<void> {
  await stage.bench.setSettings({ 'twoHeads.window': 64 });
  await stage.bench.command('Two Heads: Evaluate Quality');
  await stage.bench.quickPick('Predictions and Retrieval');
  await stage.notification(/Evaluated \d points/);
  await stage.bench.setTheme(light);
  await shootPart(await stage.panel(), 'section-quality', 860, 'quality-light');
  await stage.bench.setTheme(dark);
  await stage.bench.setSettings({ 'twoHeads.window': undefined });
}

async function ledger(): Promise<void> {
  await stage.bench.command('Two Heads: Run the Ledger of Theorems');
  await stage.notification(/Ledger of \d+ rows/);
  await shootPart(await stage.panel(), 'section-ledger', 860, 'ledger-dark');
}

async function runsCompared(): Promise<void> {
  await stage.bench.setSideBarWidth(360);
  await stage.bench.showView('Runs');
  await stage.bench.command('Two Heads: Compare Runs');
  const labels = await until(
    'the runs',
    () => stage.bench.quickInput.labels(),
    // What is shown at first is still the palette.
    (shown) => shown.length > 2 && !shown.some((label) => label.startsWith('Two Heads')),
  );
  await stage.bench.quickPick(labels);
  const frame = await stage.bench.webview(`Comparison of ${labels.length} Runs`);
  await frame.locator('svg').first().waitFor();
  await shoot('comparison-dark');
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

async function continuation(): Promise<void> {
  await stage.open('question.prompt');
  await stage.bench.setSettings({ 'twoHeads.scenario': 'attention-sink', 'twoHeads.window': 60 });
  await stage.bench.command('Two Heads: Continue Prompt');
  await stage.bench.quickInput.answer('Tokens to add', '48');
  const lines = stage.bench.page.locator('.view-lines');
  await eventuallyText('the continuation', async () => [(await lines.allInnerTexts()).join('\n')], /own.attention/);
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
    const { page } = stage.bench;
    const pane = (name: string): Locator =>
      page.locator('.pane', { has: page.locator('.pane-header .title', { hasText: new RegExp(`^${name}$`) }) });
    await pane('Lab').locator('.pane-header').click();
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
    await until(
      'no job that is left',
      () => lines.filter({ hasText: 'Jobs for' }).count(),
      (count) => count === 0,
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
  // One story, as a user lives it who tries everything: each step builds on those before.
  it(
    'are taken of an open prompt, the form and the map, a calibrated machine, runs, quality, the ledger and a continuation',
    async () => {
      await keptPrompts();
      await openPrompt();
      await formAndMap();
      await calibratedMachine();
      await runAndProof();
      await quality();
      await ledger();
      await runsCompared();
      await expensiveBlocks();
      await continuation();
    },
    limitMs,
  );

  it.skipIf(redisServer === undefined)('are taken of a fleet', () => fleet(redisServer ?? ''), limitMs);
});
