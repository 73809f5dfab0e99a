import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplePrompt } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

let workspace: string;
let bench: Workbench;
let frame: Frame;

const part = (testId: string): Locator => frame.locator(`[data-testid="${testId}"]`);
const lens = (wanted: RegExp): Promise<string> => eventuallyText('the lens', () => bench.editor.codeLenses(), wanted);

/** Chooses a scenario in the form, from the keyboard. */
async function choose(title: string): Promise<void> {
  await part('scenario').click();
  await part('scenario').locator('vscode-option', { hasText: title }).first().click();
}

/** Writes into a text field of the form and leaves it. */
async function write(testId: string, text: string): Promise<void> {
  const field = part(testId).locator('input');
  await field.fill(text);
  await field.press('Enter');
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-form-'));
  copyFileSync(samplePrompt, join(workspace, 'prompt.md'));
  bench = await Workbench.start({ ...packaged, workspace });
  await bench.open(join(workspace, 'prompt.md'));
  await bench.command('Two Heads: Open Panel');
  frame = await bench.webview(0);
  await part('scenario').waitFor();
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the form', () => {
  it('shows the parameters of the chosen scenario only', async () => {
    await choose('Attention sink');
    await lens(/attention-sink\(window 512, sinks 4\)/);
    expect(
      await Promise.all(['param-window', 'param-sinks', 'param-seed', 'param-expression'].map((name) => part(name).isVisible())),
    ).toEqual([true, true, false, false]);
  });

  it('plans anew at every movement of a slider, without a run', async () => {
    await choose('Sliding window');
    const before = await lens(/sliding-window\(window 512\)/);
    await part('param-window-slider').focus();
    await part('param-window-slider').press('ArrowLeft');
    await part('param-window-slider').press('ArrowLeft');
    expect(await lens(/sliding-window\(window 256\)/)).not.toBe(before);
    await part('block-size-slider').focus();
    await part('block-size-slider').press('ArrowRight');
    await part('block-size-slider').press('ArrowRight');
    await lens(/blocks of 512 .* sliding-window\(window 256\)/);
    expect(await bench.notifications()).toEqual([]);
  });

  it('takes a mask as an expression, says what is wrong with one while it is typed, and runs it like any other', async () => {
    await choose('Custom');
    await part('param-expression').locator('input').fill('k <= q and (q - k <');
    await eventuallyText('the complaint', async () => [await part('form-error').innerText()], /expected .* at column \d+/);
    await write('param-expression', 'k <= q and (q - k < 200 or k % 50 == 0)');
    await lens(/custom\(k <= q and \(q - k < 200 or k % 50 == 0\)\)/);
    await eventually('no complaint', async () =>
      (await part('form-error').isVisible()) ? { seen: await part('form-error').innerText() } : { found: true },
    );
    await part('simulate').click();
    await eventuallyText('the outcome', () => bench.notifications(), /calls, max abs error \d\.\de-[5-9]/, 60_000);
    await bench.clearNotifications();
    await bench.screenshot('61-custom-mask');
  });

  it('refuses a mask that hides a token from itself, in one line', async () => {
    await write('param-expression', 'k < q');
    await eventuallyText('the refusal', async () => [await part('form-error').innerText()], /hides token 0 from itself.*add "or k == q"/);
  });

  it('prints no error', () => {
    expect(bench.consoleErrors).toEqual([]);
  });
});
