import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
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

const lens = (wanted: RegExp): Promise<string> => eventuallyText('a lens', () => bench.editor.codeLenses(), wanted);

/** Chooses the sliding window from the palette, and waits until the lens has it. */
async function chooseSlidingWindow(window: number): Promise<void> {
  await bench.command('Two Heads: Choose Scenario');
  await bench.quickPick('Sliding window');
  await bench.quickInput.answer('Window r', String(window));
  await lens(new RegExp(`sliding-window\\(window ${window}\\)`));
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-editor-'));
  bench = await Workbench.start({ ...packaged, workspace });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the editor', () => {
  it('shows hints in a .prompt file, with the arithmetic in the hover', async () => {
    await open('short.prompt', sampleText().slice(0, 3000));
    await lens(/^\d+ tokens · \d blocks of 256/);
    await eventuallyText('a hint', () => bench.editor.inlayHints(), /block 1 · 6 calls/);
    const hover = await bench.editor.hover('block 1 · 6 calls');
    expect(hover).toMatch(/Block 1 of \d: tokens 1 to 256, causal/);
    expect(hover).toMatch(/1 tile × 8 heads ÷ 8 instances a call × 6 layers = 6 attention calls/);
    // VS Code fades a hover in.
    await pause(500);
    await bench.screenshot('5-hover');
    await bench.page.keyboard.press('Escape');
  });

  it('shows nothing in other files until their language is a prompt language', async () => {
    await open('data.json', '{ "prompt": "no" }');
    await eventually('the status bar of a JSON file, without a plan', async () => {
      const seen = await bench.statusItems();
      return seen.includes('JSON') && !seen.some((item) => item.includes(' tok ')) ? { found: true } : { seen };
    });
    expect(await bench.editor.codeLenses()).toEqual([]);
    await bench.setSettings({ 'twoHeads.languages': ['markdown', 'plaintext', 'json'] });
    await lens(/tokens · 1 block of 256/);
    await bench.setSettings({ 'twoHeads.languages': undefined });
  });

  it('asks for the scenario with its parameters, and for the block size', async () => {
    await open('choice.md', sampleText().slice(0, 6000));
    await bench.command('Two Heads: Choose Scenario');
    await bench.quickPick('Attention sink');
    await bench.quickInput.answer('Window r', '300');
    await bench.quickInput.answer('Sinks s', '2');
    await lens(/attention-sink\(window 300, sinks 2\)/);
    await bench.command('Two Heads: Choose Block Size');
    await bench.quickInput.answer('Block size M', '128');
    await lens(/blocks of 128 .* attention-sink/);
  });

  it('plans without a run, and simulates a selection', async () => {
    await bench.command('Two Heads: Plan Only (No Run)');
    const text = await eventually('the plan', async () => {
      const seen = await bench.dialog();
      return seen === undefined ? { seen: 'no dialog' } : { found: seen };
    });
    expect(text).toMatch(/T = ⌈N\/M⌉/);
    expect(text).toMatch(/Theorem 5\.1, attention sinks/);
    await bench.page.keyboard.press('Escape');
    await bench.editor.focus();
    await bench.page.keyboard.press('Control+A');
    await bench.command('Two Heads: Simulate Selection');
    await eventuallyText('the result', () => bench.notifications(), /tokens in .*: [\d,]+ calls, max abs error/, 60_000);
    await bench.clearNotifications();
  });

  it('shows the costs of the scenarios that the parameters fit, and names those they do not fit', async () => {
    await chooseSlidingWindow(1);
    await bench.command('Two Heads: Open Panel');
    const frame = await bench.webview(0);
    const impossible = frame.locator('[data-testid="costs-impossible"]');
    await eventuallyText(
      'the note',
      async () => [await impossible.innerText()],
      /2 sinks are more than the window of 1; choose 1 or fewer/,
    );
    await bench.command('Two Heads: Compare Scenarios');
    await eventuallyText('the refusal', () => bench.notifications(), /2 sinks are more than the window of 1/);
    await bench.clearNotifications();
  });

  it('compares every scenario, and lists the runs', async () => {
    await chooseSlidingWindow(200);
    await bench.command('Two Heads: Compare Scenarios');
    await eventuallyText('the comparison', () => bench.notifications(), /Compared 6 scenarios/, 90_000);
    await bench.command('Two Heads: Open Panel');
    const frame = await bench.webview(0);
    await eventually('seven runs in the history', async () => {
      const seen = await frame.locator('[data-testid="history-row"]').count();
      return seen === 7 ? { found: true } : { seen };
    });
    await frame.locator('[data-testid="section-costs"]').scrollIntoViewIfNeeded();
    await bench.screenshot('6-panel-costs-dark');
    await bench.setTheme('Default High Contrast');
    await frame.locator('[data-testid="last-run"]').scrollIntoViewIfNeeded();
    await bench.screenshot('7-panel-last-run-high-contrast');
    await bench.setTheme('Default Light Modern');
    await frame.locator('[data-testid="history"]').scrollIntoViewIfNeeded();
    await bench.screenshot('8-panel-history-light');
    await bench.setTheme('Default Dark Modern');
  });

  it('continues the prompt under the scenario and under full attention, beside it', async () => {
    await chooseSlidingWindow(16);
    await bench.command('Two Heads: Continue Prompt');
    await bench.quickInput.answer('Tokens to add', '12');
    const text = await eventuallyText(
      'the continuation',
      async () => [(await bench.page.locator('.view-lines').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')],
      /own attention/,
      60_000,
    );
    expect(text).toMatch(/sliding-window\(window 16\):\s+\| /);
    expect(text).toMatch(/causal, the model's own attention:/);
    await bench.screenshot('17-continuation');
    // The prompt stays in front: what is shown beside it is no prompt.
    await lens(/sliding-window\(window 16\)/);
    await bench.command('View: Close All Editors');
  });

  it('plans for a model without weights, and says that its tokens are estimated', async () => {
    await open('preset.md', sampleText().slice(0, 6000));
    await bench.setSettings({ 'twoHeads.model': 'llama-3.1-8b' });
    await lens(/^1,\d{3} tokens · /);
    await bench.command('Two Heads: Open Panel');
    const frame = await bench.webview(0);
    await eventuallyText(
      'the note',
      async () => [await frame.locator('[data-testid="notes"]').innerText()],
      /tokens are an estimate by cl100k_base/,
    );
    await bench.command('Two Heads: Simulate This File');
    await eventuallyText('the refusal', () => bench.notifications(), /llama-3\.1-8b can be planned, not run/, 30_000);
    await bench.clearNotifications();
    await bench.setSettings({ 'twoHeads.model': undefined });
  });

  it('plans a prompt of a megabyte anew while it is typed', async () => {
    await open(
      'megabyte.md',
      sampleText()
        .repeat(70)
        .slice(0, 1024 * 1024),
    );
    const before = await lens(/^3\d\d,\d{3} tokens/);
    await bench.editor.type('one more sentence. ');
    const after = await eventually('another count', async () => {
      const seen = (await bench.editor.codeLenses()).find((text) => text.includes(' tokens '));
      return seen !== undefined && seen !== before ? { found: seen } : { seen };
    });
    expect(after).toMatch(/^3\d\d,\d{3} tokens/);
    expect(await bench.editor.text()).toMatch(/^one more sentence\. /);
    await eventuallyText('the first hint', () => bench.editor.inlayHints(), /block 1 · /);
    await bench.screenshot('9-megabyte');
    await bench.command('File: Revert File');
  });

  it('switches the hints off', async () => {
    await open('off.md', sampleText().slice(0, 3000));
    await lens(/tokens · /);
    await bench.setSettings({ 'twoHeads.hints.enabled': false });
    await eventually('no lens, hint or status item', async () => {
      const seen = [
        await bench.editor.codeLenses(),
        await bench.editor.inlayHints(),
        (await bench.statusItems()).filter((item) => item.includes(' tok ')),
      ].flat();
      return seen.length === 0 ? { found: true } : { seen };
    });
    await bench.setSettings({ 'twoHeads.hints.enabled': undefined });
    await lens(/tokens · /);
  });

  it('prints no error and asks nothing of the network', () => {
    expect(bench.consoleErrors.filter((error) => !/sinks are more than the window|can be planned, not run/.test(error))).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
