import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/core/report/report';
import { CalibrationStore } from '../../src/engine/store/calibrations';
import { madeUpCalibration } from '../support/calibration';
import { cli } from '../support/cli';
import { samplePrompt, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

const runLimitMs = 150_000;

let workspace: string;
let prompt: string;
let short: string;
let experiment: string;
let bench: Workbench;

/** The panel's page, brought to the front. */
async function panel(): Promise<Frame> {
  await bench.command('Two Heads: Open Panel');
  return bench.webview(0);
}

const at = (testId: string): string => `[data-testid="${testId}"]`;
const notification = (wanted: RegExp): Promise<string> => eventuallyText('a notification', () => bench.notifications(), wanted, runLimitMs);
/** What a chart says of itself to those who do not see it. */
const said = async (frame: Frame, chart: string): Promise<string> =>
  (await frame.locator(at(chart)).first().getAttribute('aria-label')) ?? '';

/** A screenshot of a part of the panel, scrolled to its start. */
async function shoot(frame: Frame, part: string, name: string): Promise<void> {
  await frame
    .locator(at(part))
    .first()
    .evaluate((node) => (node as unknown as { scrollIntoView(): void }).scrollIntoView());
  await bench.screenshot(name);
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-charts-'));
  prompt = join(workspace, 'prompt.md');
  copyFileSync(samplePrompt, prompt);
  short = join(workspace, 'short.md');
  writeFileSync(short, sampleText().slice(0, 4000));
  experiment = join(workspace, 'sweep.two-heads.json');
  const scenarios = ['sliding-window:16', 'sliding-window:64', 'sliding-window:128', 'attention-sink:64:4', 'causal'];
  writeFileSync(
    experiment,
    JSON.stringify({ version: 1, prompts: ['short.md'], scenarios, blocks: [64], context: 256, maximumWindows: 3 }),
  );
  bench = await Workbench.start({ ...packaged, workspace });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the cost view', () => {
  it('counts every scenario in calls, FLOPs and bytes, at this length and at any', async () => {
    await bench.open(prompt);
    const frame = await panel();
    await frame.locator(at('growth-chart')).waitFor();
    const planned = JSON.parse((await cli(['plan', prompt, '--json'])).stdout) as PlanDocument;
    const row = frame.locator(`${at('costs-table')} ${at('cost-causal')}`);
    const cells = await row
      .locator('td')
      .evaluateAll((nodes) => nodes.map((node) => Number((node as unknown as { dataset: { value?: string } }).dataset.value)));
    const { calls, bound, flops, bytes } = planned.plan;
    expect(cells.slice(0, 5)).toEqual([calls.attention, calls.tokenwise, bound.calls, flops, bytes]);
    expect(await said(frame, 'growth-chart')).toMatch(/attention calls over N.* from .* at 128 tokens to .* at 1,048,576/);
    await bench.setSideBarWidth(300);
    await shoot(frame, 'section-costs', '20-cost-calls-narrow-dark');
    await frame.locator('vscode-radio[value="flops"]').click();
    expect(await said(frame, 'costs-chart')).toMatch(/FLOPs per scenario: full .*FLOP/);
    await shoot(frame, 'growth-chart', '21-cost-flops-narrow-dark');
    // From the keyboard: the next way to count.
    await frame.locator('vscode-radio[value="flops"]').press('ArrowRight');
    await eventually('bytes', async () => {
      const seen = await said(frame, 'costs-chart');
      return seen.startsWith('Bytes per scenario') ? { found: true } : { seen };
    });
  });

  it('tells the time and the break-even of a calibrated device', async () => {
    const frame = await panel();
    await frame.locator('vscode-radio[value="time"]').click();
    expect(await frame.locator(at('costs-unknown')).isVisible()).toBe(true);
    // A calibration of round numbers: a real one takes half a minute, and charts look alike with it.
    await new CalibrationStore(bench.storageOf('two-heads.two-heads')).write(madeUpCalibration());
    await bench.setSettings({ 'twoHeads.threads': cpus().length, 'twoHeads.quality': false, 'twoHeads.verify': 'none' });
    await bench.command('Two Heads: Compare Scenarios');
    await notification(/Compared 6 scenarios/);
    await bench.clearNotifications();
    expect(await frame.locator(at('break-even')).innerText()).toMatch(/^Break-even: /);
    const text = await frame.locator(at('costs-table')).textContent();
    expect(text).not.toContain('–');
    await shoot(frame, 'section-costs', '22-cost-time-narrow-dark');
    await frame.locator(at('growth-chart')).focus();
    await frame.locator(at('growth-chart')).press('ArrowRight');
    await shoot(frame, 'growth-chart', '23-cost-time-keyboard-dark');
    await bench.setTheme('Default Light Modern');
    await bench.setSideBarWidth(1150);
    await shoot(frame, 'section-costs', '24-cost-time-wide-light');
    await bench.setTheme('Default High Contrast');
    await frame.locator('vscode-radio[value="calls"]').click();
    await shoot(frame, 'section-costs', '25-cost-calls-wide-contrast');
    await bench.setTheme('Default Dark Modern');
  });
});

describe('predictions beside measurements', () => {
  it('are set side by side by phase and by layer', async () => {
    const frame = await panel();
    await bench.setSideBarWidth(300);
    expect(await said(frame, 'phases-chart')).toMatch(/attend .*, expected /);
    expect(await said(frame, 'layers-chart')).toMatch(/1 took .*, expected .*, 6 took .*, expected /);
    const layers = await frame
      .locator(`${at('layers-table')} [data-testid^="layer-"]`)
      .evaluateAll((nodes) => nodes.map((node) => Number((node as unknown as { dataset: { value?: string } }).dataset.value)));
    expect(layers).toHaveLength(6);
    const wall = Number(await frame.locator(at('wall-time')).getAttribute('data-value'));
    expect(layers.reduce((sum, time) => sum + time, 0)).toBeLessThanOrEqual(wall);
    await shoot(frame, 'phases-chart', '26-phases-layers-narrow-dark');
  });
});

describe('the quality view', () => {
  it('evaluates the prompt in front, by position and with needles', async () => {
    await bench.open(short);
    await bench.setSettings({ 'twoHeads.window': 64 });
    await bench.clearNotifications();
    await bench.command('Two Heads: Evaluate Quality');
    await bench.quickPick('Predictions and Needles');
    await notification(/Evaluated \d points of \d on 1 prompt/);
    const frame = await panel();
    await frame.locator(at('divergence-chart')).waitFor();
    expect(await said(frame, 'divergence-chart')).toMatch(/mean KL divergence, nats by position: .*sliding-window\(window 64\) .* at /);
    expect(await said(frame, 'perplexity-chart')).toContain('the model’s own attention');
    expect(await frame.locator(at('quality-statistics')).innerText()).toContain('perplexity');
    expect(await frame.locator('.needle-grid').count()).toBeGreaterThan(1);
    await bench.clearNotifications();
    await shoot(frame, 'section-quality', '27-quality-narrow-dark');
    await shoot(frame, 'quality-statistics', '28-quality-statistics-narrow-dark');
    await shoot(frame, 'needles', '29-needles-narrow-dark');
    await bench.setSideBarWidth(1150);
    await bench.setTheme('Default Light Modern');
    await shoot(frame, 'section-quality', '30-quality-wide-light');
    await shoot(frame, 'needles', '31-needles-wide-light');
  });

  it('stops where it is told to', async () => {
    const frame = await panel();
    await bench.open(prompt);
    await frame.locator(at('quality-run')).click();
    await bench.quickPick('Predictions by Position');
    await frame.locator(at('quality-cancel')).click();
    await notification(/was cancelled/);
    await bench.clearNotifications();
  });

  it('draws the Pareto front of an experiment file', async () => {
    await bench.command('Two Heads: Run Experiment');
    await notification(/open an experiment file/);
    await bench.open(experiment);
    await bench.command('Two Heads: Run Experiment');
    await notification(/Evaluated 5 points of 5 on 1 prompt/);
    const frame = await panel();
    expect(await said(frame, 'front-chart')).toMatch(/on the Pareto front: sliding-window\(window 64\): .*; causal: 0 nats/);
    expect(await frame.locator(`${at('front-table')} tbody tr`).count()).toBe(5);
    await bench.clearNotifications();
    await shoot(frame, 'front-chart', '32-front-wide-light');
    await bench.setTheme('Default Dark Modern');
    await bench.setSideBarWidth(300);
    await shoot(frame, 'front-chart', '33-front-narrow-dark');
  });
});

describe('the charts', () => {
  it('print no error and ask nothing of the network', () => {
    expect(bench.consoleErrors).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
