import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockCost, blockLabel, planHeadline } from '../../src/core/hints/hints';
import { formatCount, formatError } from '../../src/core/format';
import { makePlan } from '../../src/core/plan/plan';
import type { RunReport } from '../../src/core/report/report';
import { TokenMapper } from '../../src/engine/read/tokenizer/token-map';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { cli } from '../support/cli';
import { embeddedFolder, samplePrompt, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually } from './harness/wait';
import { Workbench } from './harness/workbench';

const runLimitMs = 60_000;

let workspace: string;
let prompt: string;
let bench: Workbench;
let expected: RunReport;

/** The panel's page, brought to the front. */
async function panel(): Promise<Frame> {
  await bench.command('Two Heads: Open Panel');
  return bench.webview(0);
}

/** The raw number behind a figure of the panel. */
async function figure(frame: Frame, testId: string): Promise<number> {
  return Number(await frame.locator(`[data-testid="${testId}"]`).first().getAttribute('data-value'));
}

/** Waits for a notification that matches. */
function notification(wanted: RegExp): Promise<string> {
  return eventually(
    `a notification ${String(wanted)}`,
    async () => {
      const seen = await bench.notifications();
      const found = seen.find((text) => wanted.test(text));
      return found === undefined ? { seen } : { found };
    },
    runLimitMs,
  );
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-workspace-'));
  prompt = join(workspace, 'prompt.md');
  copyFileSync(samplePrompt, prompt);
  writeFileSync(join(workspace, 'long.md'), sampleText().repeat(6));
  bench = await Workbench.start({ ...packaged, workspace });
  expected = JSON.parse((await cli(['simulate', prompt, '--json'])).stdout) as RunReport;
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the packaged extension in a real VS Code', () => {
  it('shows the lens, the hints and the status item of an open prompt', async () => {
    await bench.open(prompt);
    const plan = makePlan({ ...expected, ...expected.plan, tokens: expected.prompt.tokens, model: expected.model.shape });
    await eventually('the lens', async () => {
      const seen = await bench.editor.codeLenses();
      return seen.some((lens) => lens.includes(planHeadline(plan))) ? { found: true } : { seen };
    });
    await eventually('the first hint', async () => {
      const seen = await bench.editor.inlayHints();
      return seen.some((hint) => hint.includes(blockLabel(blockCost(plan, 0)))) ? { found: true } : { seen };
    });
    expect((await bench.statusItems()).join()).toContain('1,500 calls');
    await bench.screenshot('1-prompt-dark');
  });

  it('runs from the palette, and the panel shows the numbers of the command line', async () => {
    await bench.command('Two Heads: Simulate This File');
    await notification(/1,500 calls/);
    const frame = await panel();
    await frame.locator('[data-testid="calls-measured"]').first().waitFor();
    expect(await frame.locator('[data-testid="calls-measured"]').first().innerText()).toContain(formatCount(expected.run.calls.total));
    expect(await figure(frame, 'fidelity-max-abs-error')).toBeCloseTo(expected.fidelity?.maxAbsError ?? NaN, 7);
    expect(await figure(frame, 'quality-perplexity')).toBeCloseTo(expected.quality?.perplexity ?? NaN, 4);
    await frame.locator('[data-testid="outcome"]').click();
    await eventually('the last run in view', async () => {
      const top = await frame.evaluate<number>(`document.querySelector('[data-testid="section-last-run"]').getBoundingClientRect().top`);
      return Math.abs(top) < 40 ? { found: true } : { seen: top };
    });
    const lastRun = `error ${formatError(expected.fidelity?.maxAbsError ?? NaN)}`;
    await eventually(`a lens with '${lastRun}'`, async () => {
      const seen = await bench.editor.codeLenses();
      return seen.some((lens) => lens.includes(lastRun)) ? { found: true } : { seen };
    });
    await bench.screenshot('2-result-dark');
    await bench.setTheme('Default Light Modern');
    await bench.screenshot('3-result-light');
    await bench.setTheme('Default Dark Modern');
  });

  it('selects the two token ranges of a tile that is chosen in the map', async () => {
    const text = readFileSync(prompt, 'utf8');
    const tokens = await new TokenMapper(await PromptTokenizer.load(embeddedFolder)).map(text, () => false);
    const block = (index: number): string => text.slice(tokens?.offsetOf(256 * index), tokens?.offsetOf(256 * (index + 1)));
    const selected = (what: string, wanted: readonly string[]): Promise<unknown> =>
      eventually(what, async () => {
        const seen = await bench.editor.selectedTexts();
        return JSON.stringify(seen) === JSON.stringify(wanted) ? { found: seen } : { seen };
      });
    const frame = await panel();
    const map = frame.locator('[data-testid="tile-map"]');

    // As a user does who looks for a tile: along a low row to the column, then up the column to the row.
    const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
    const info = frame.locator('[data-testid="tile-info"]');
    const pointAt = async (wanted: RegExp, positions: readonly { x: number; y: number }[]): Promise<{ x: number; y: number }> => {
      for (const position of positions) {
        await map.hover({ position });
        if (wanted.test(await info.innerText())) {
          return position;
        }
      }
      throw new Error(`No tile under the pointer says ${String(wanted)}; the last one says ${await info.innerText()}`);
    };
    const steps = Array.from({ length: 40 }, (_, index) => index * 0.024 + 0.02);
    const column = await pointAt(
      /reads key block 2 /,
      steps.map((share) => ({ x: share * width, y: 0.9 * height })),
    );
    const tile = await pointAt(
      /query block 5 .* reads key block 2 /,
      steps.map((share) => ({ ...column, y: (1 - share) * height })),
    );
    await map.click({ position: tile });
    await selected('the queries of block 5 and the keys of block 2', [block(4), block(1)]);
    await bench.screenshot('4-tile-selected');

    // The click made its tile the keyboard's; one step down is block 6 on block 2.
    await map.focus();
    await map.press('ArrowDown');
    await map.press('Enter');
    await selected('the queries of block 6 and the keys of block 2', [block(5), block(1)]);
  });

  it('cancels a long run', async () => {
    await bench.open(join(workspace, 'long.md'));
    await bench.command('Two Heads: Simulate This File');
    await eventually('an engine process', () => (bench.childProcesses('engine.js').length > 0 ? { found: true } : { seen: 'none' }));
    await bench.command('Two Heads: Cancel the Run');
    await notification(/was cancelled/);
  });

  it('survives the death of its engine, and runs again', async () => {
    await bench.open(join(workspace, 'long.md'));
    // The progress of the run cancelled above stays for a moment, and would be taken for that of this one.
    await eventually('the last run to leave the screen', async () => {
      const seen = await bench.notifications();
      return seen.some((text) => text.includes('layer')) ? { seen } : { found: true };
    });
    await bench.command('Two Heads: Simulate This File');
    await notification(/layer \d of 6/);
    bench.killChild('engine.js');
    await notification(/engine process ended/);
    await bench.open(prompt);
    await bench.clearNotifications();
    await bench.command('Two Heads: Simulate This File');
    await notification(/1,500 calls/);
  });

  it('prints no error and asks nothing of the network', () => {
    // VS Code prints error notifications to the console: the one about the engine that was killed is meant.
    expect(bench.consoleErrors.filter((error) => !error.includes('engine process ended (SIGKILL)'))).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
