import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

const runLimitMs = 150_000;

let workspace: string;
let bench: Workbench;

/** The panel's page, brought to the front. */
async function panel(): Promise<Frame> {
  await bench.command('Two Heads: Open Panel');
  return bench.webview(0);
}

/** The raw number behind a figure of the panel. */
async function figure(frame: Frame, testId: string): Promise<number> {
  return Number(await frame.locator(`[data-testid="${testId}"]`).first().getAttribute('data-value'));
}

const notification = (wanted: RegExp): Promise<string> => eventuallyText('a notification', () => bench.notifications(), wanted, runLimitMs);
const lens = (wanted: RegExp): Promise<string> => eventuallyText('a lens', () => bench.editor.codeLenses(), wanted);

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-calibrate-'));
  bench = await Workbench.start({ ...packaged, workspace });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('calibration', () => {
  it('is offered by the panel where nothing is known, and makes lens, hints and panel tell the time', async () => {
    await bench.command('Two Heads: Open the Sample Prompt');
    expect(await lens(/^4,957 tokens · .* · causal/)).not.toMatch(/about/);
    const frame = await panel();
    const offer = frame.locator('[data-testid="calibrate"]');
    await offer.waitFor();
    await bench.screenshot('15-calibration-offered');
    await offer.click();
    await notification(/Calibrated cpu .* in /);
    await offer.waitFor({ state: 'hidden' });
    await lens(/^4,957 tokens · .* · causal · about [\d.,]+ m?s · [\d.,]+ MiB/);
    expect(await figure(frame, 'expected-time')).toBeGreaterThan(1);
    expect(await figure(frame, 'expected-memory')).toBeGreaterThan(await figure(frame, 'bytes'));
  });

  it('sets the expected time beside the measured one', async () => {
    await bench.command('Two Heads: Simulate This File');
    await notification(/tokens in .*: [\d,]+ calls, max abs error/);
    const frame = await panel();
    await eventually('both times', async () => {
      const [expected, measured] = [await figure(frame, 'run-expected'), await figure(frame, 'wall-time')];
      // A noisy machine may miss by much; another order of magnitude would be an error of ours.
      return expected > measured / 8 && expected < measured * 8 ? { found: true } : { seen: { expected, measured } };
    });
    await bench.clearNotifications();
    await bench.screenshot('16-expected-and-measured');
  });
});
