import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCount, formatNumberOf } from '../../src/core/format';
import type { LedgerReport } from '../../src/core/ledger/report';
import type { PlanDocument } from '../../src/core/report/report';
import { cli } from '../support/cli';
import { samplePrompt, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

const runLimitMs = 120_000;

let workspace: string;
let bench: Workbench;
let expected: LedgerReport;

/** The panel's page, brought to the front. */
async function panel(): Promise<Frame> {
  await bench.command('Two Heads: Open Panel');
  return bench.webview(0);
}

/** The raw number behind a figure of the panel. */
async function figure(frame: Frame, testId: string): Promise<number> {
  return Number(await frame.locator(`[data-testid="${testId}"]`).first().getAttribute('data-value'));
}

/** The cells of each row of the ledger: the text of those in words, the raw number of those in figures. */
async function ledgerRows(frame: Frame): Promise<readonly Readonly<Record<string, string>>[]> {
  const rows = await frame.locator('[data-testid="ledger-table"] tbody tr').all();
  return Promise.all(
    rows.map(async (row) => {
      const cells = await row.locator('[data-testid]').all();
      return Object.fromEntries(
        await Promise.all(
          cells.map(async (cell) => [
            (await cell.getAttribute('data-testid'))?.replace('ledger-', '') ?? '',
            (await cell.getAttribute('data-value')) ?? (await cell.textContent()) ?? '',
          ]),
        ),
      ) as Readonly<Record<string, string>>;
    }),
  );
}

const notification = (wanted: RegExp): Promise<string> => eventuallyText('a notification', () => bench.notifications(), wanted, runLimitMs);
const lens = (wanted: RegExp): Promise<string> => eventuallyText('a lens', () => bench.editor.codeLenses(), wanted);

/** What the command line plans for the sample prompt. */
async function plan(...flags: readonly string[]): Promise<PlanDocument> {
  return JSON.parse((await cli(['plan', samplePrompt, '--json', ...flags])).stdout) as PlanDocument;
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-ledger-'));
  bench = await Workbench.start({ ...packaged, workspace });
  expected = JSON.parse((await cli(['ledger', '--json'])).stdout) as LedgerReport;
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the ledger of theorems', () => {
  it('starts and stops from its section, by the keyboard and without a prompt', async () => {
    const frame = await panel();
    expect(await frame.locator('[data-testid="document"]').innerText()).toBe('No prompt open');
    const run = frame.locator('[data-testid="ledger-run"]');
    await run.focus();
    await run.press('Enter');
    const cancel = frame.locator('[data-testid="ledger-cancel"]');
    await cancel.waitFor();
    await frame.locator('[data-testid="ledger-progress"][data-value]').waitFor();
    expect(await run.getAttribute('disabled')).not.toBeNull();
    // The focus went from the button that was pressed to its neighbour.
    await bench.page.keyboard.press('Enter');
    await notification(/was cancelled/);
    await cancel.waitFor({ state: 'hidden' });
    await bench.clearNotifications();
  });

  it('runs from the palette without a prompt, and shows the numbers of the command line', async () => {
    await bench.command('Two Heads: Run the Ledger of Theorems');
    await notification(new RegExp(`Ledger of ${expected.rows.length} rows: all exact or within`));
    const frame = await panel();
    await frame.locator('[data-testid="ledger-row-11"]').waitFor();
    const rows = await ledgerRows(frame);
    expect(rows.length).toBeGreaterThanOrEqual(12);
    for (const { counted, exact, verdict } of rows) {
      expect(Number(counted)).toBeGreaterThan(0);
      expect(counted).toBe(exact);
      expect(['exact', 'within']).toContain(verdict);
    }
    expect(
      rows.map(({ statement, construction, counted, bound, 'lower-bound': lowerBound }) => [
        statement,
        construction,
        counted,
        bound,
        lowerBound,
      ]),
    ).toEqual(expected.rows.map((row) => [row.statement, row.construction, row.countedCalls, row.bound.calls, row.lowerBound].map(String)));
    const { seeds, within, sample } = expected.sampling;
    expect(await frame.locator('[data-testid="ledger-sampling-within"]').innerText()).toBe(
      `${formatCount(within)} of ${formatCount(seeds)}`,
    );
    expect(await figure(frame, 'ledger-sampling-sample')).toBe(sample);
    expect(await figure(frame, 'ledger-sampling-needed')).toBeCloseTo(expected.sampling.logNeededLength, 6);
  });

  it('fits a narrow side bar and a wide one', async () => {
    const frame = await panel();
    await bench.clearNotifications();
    await frame.locator('[data-testid="section-ledger"]').scrollIntoViewIfNeeded();
    await bench.screenshot('10-ledger-dark');
    await bench.setTheme('Default Light Modern');
    await frame.locator('[data-testid="ledger-sampling"]').scrollIntoViewIfNeeded();
    await bench.screenshot('11-ledger-sampling-light');
    await bench.setSideBarWidth(1150);
    await frame.locator('[data-testid="ledger-run"]').scrollIntoViewIfNeeded();
    const { x, width } = (await frame.locator('[data-testid="ledger-row-0"] [data-testid="ledger-verdict"]').boundingBox()) ?? {
      x: 0,
      width: 0,
    };
    const table = (await frame.locator('[data-testid="ledger"] .wide-scroller').boundingBox()) ?? { x: 0, width: 0 };
    expect(x + width).toBeLessThanOrEqual(table.x + table.width + 1);
    await bench.screenshot('12-ledger-wide-light');
    await bench.setTheme('Default Dark Modern');
    await bench.screenshot('13-ledger-wide-dark');
    await bench.setSideBarWidth(420);
  });
});

describe('the choice of the construction', () => {
  it('plans and runs the sample prompt through a black box', async () => {
    const { plan: planned, prompt } = await plan('--construction', 'tight');
    await bench.setSettings({ 'twoHeads.construction': 'tight' });
    await bench.command('Two Heads: Open the Sample Prompt');
    await lens(new RegExp(`^${formatNumberOf(prompt.tokens, 'token')} .* ${formatNumberOf(planned.calls.total, 'call')} `));
    await bench.command('Two Heads: Simulate This File');
    await notification(/tokens in .*: [\d,]+ calls, max abs error/);
    const frame = await panel();
    await eventually('the last run', async () => {
      const seen = await frame.locator('[data-testid="run-construction"]').innerText();
      return seen === 'tight' ? { found: true } : { seen };
    });
    expect(await frame.locator('[data-testid="construction"]').innerText()).toBe('tight');
    expect(await frame.locator('[data-testid="history-construction"]').first().innerText()).toBe('tight');
    const retries = (await frame.locator('[data-testid="retries"]').count()) === 0 ? 0 : await figure(frame, 'retries');
    expect(await figure(frame, 'calls-attention')).toBe(planned.calls.attention);
    expect(await figure(frame, 'measured-attention')).toBe(planned.calls.attention + retries);
    expect(await figure(frame, 'measured-tokenwise')).toBe(planned.calls.tokenwise);
    expect(await figure(frame, 'fidelity-max-abs-error')).toBeLessThan(1e-3);
    await lens(/last run .*, error /);
    await frame.locator('[data-testid="last-run"]').scrollIntoViewIfNeeded();
    await bench.screenshot('14-tight-run');
  });

  it('plans for the small transformer that the settings describe', async () => {
    const { plan: planned } = await plan('--construction', 'tight', '--oracle-layers', '2', '--oracle-heads', '2');
    await bench.setSettings({ 'twoHeads.oracleLayers': 2, 'twoHeads.oracleHeads': 2 });
    await lens(new RegExp(` ${formatNumberOf(planned.calls.total, 'call')} `));
    const frame = await panel();
    await frame.locator('[data-testid="last-run-empty"]').waitFor();
    await bench.setSettings({ 'twoHeads.construction': 'loose' });
    await lens(/Construction "loose" is unknown; use one of fused, tight, paper/);
    await bench.setSettings({ 'twoHeads.construction': 'tight', 'twoHeads.oracleLayers': undefined, 'twoHeads.oracleHeads': undefined });
  });

  it('names the scenarios that a black box cannot have, and compares the others', async () => {
    const short = join(workspace, 'short.md');
    writeFileSync(short, sampleText().slice(0, 3000));
    await bench.open(short);
    await lens(/tokens · /);
    const complaint = /A window of 512 is not below the block size of 256, as theorem 5\.1 needs/;
    const frame = await panel();
    await eventuallyText('the note', async () => [await frame.locator('[data-testid="costs-impossible"]').innerText()], complaint);
    await bench.clearNotifications();
    await bench.command('Two Heads: Compare Scenarios');
    const outcome = await notification(/Compared 3 scenarios/);
    expect(outcome).toMatch(
      /Left out sliding-window\(window 512\) and attention-sink\(window 512, sinks 4\) and local-window\(window 512\): /,
    );
    expect(outcome).toMatch(complaint);
  });

  it('prints no error and asks nothing of the network', () => {
    expect(bench.consoleErrors).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
