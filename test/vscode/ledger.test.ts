import { describe, expect, it } from 'vitest';
import { formatCount, formatNumberOf } from '../../src/core/format';
import type { LedgerReport } from '../../src/core/ledger/report';
import type { PlanDocument } from '../../src/core/report/report';
import { cli } from '../support/cli';
import { firstPrompt, sampleText } from '../support/paths';
import { violations } from './harness/axe';
import type { Panel } from './harness/panel';
import { useStage } from './harness/stage';
import { eventuallyText, until } from './harness/wait';

const stage = useStage('ledger');

/** The cells of each row of the ledger: the text of those in words, the raw number of those in figures. */
async function ledgerRows({ frame }: Panel): Promise<readonly Readonly<Record<string, string>>[]> {
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

/** What the command line plans for the sample prompt. */
async function plan(...flags: readonly string[]): Promise<PlanDocument> {
  return JSON.parse((await cli(['plan', firstPrompt, '--json', ...flags])).stdout) as PlanDocument;
}

describe('the ledger of theorems', () => {
  it('starts and stops from its section, by the keyboard and without a prompt', async () => {
    const panel = await stage.lab('No prompt in front');
    const run = panel.part('ledger-run');
    await run.focus();
    await run.press('Enter');
    const cancel = panel.part('ledger-cancel');
    await cancel.waitFor();
    await panel.frame.locator('[data-testid="ledger-progress"][data-value]').waitFor();
    expect(await run.getAttribute('disabled')).not.toBeNull();
    // The focus went from the button that was pressed to its neighbour.
    await stage.bench.page.keyboard.press('Enter');
    await stage.notification(/was cancelled/);
    await cancel.waitFor({ state: 'hidden' });
  });

  it('runs from the palette without a prompt, shows the numbers of the command line, fits the lab, and is accessible', async () => {
    // The rows, and what theorem 4.1 asks for, are those of any number of seeds.
    const expected = JSON.parse((await cli(['ledger', '--seeds', '1', '--json'])).stdout) as LedgerReport;
    await stage.bench.command('Two Heads: Run the Ledger of Theorems');
    await stage.notification(`Ledger of ${expected.rows.length} rows: all exact or within their stated errors.`);
    const panel = await stage.lab('No prompt in front');
    await panel.part('ledger-row-11').waitFor();
    const rows = await ledgerRows(panel);
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
    const { sample, logNeededLength } = expected.sampling;
    expect(await panel.part('ledger-sampling-within').innerText()).toBe('100 of 100');
    expect(await panel.figure('ledger-sampling-sample')).toBe(sample);
    expect(await panel.figure('ledger-sampling-needed')).toBeCloseTo(logNeededLength, 6);

    await stage.bench.clearNotifications();
    await panel.scrollTo('section-ledger');
    await stage.bench.screenshot('10-ledger-dark');
    expect(await violations(panel.frame)).toEqual([]);
    await stage.bench.setTheme('Default Light Modern');
    await panel.scrollTo('ledger-sampling');
    await stage.bench.screenshot('11-ledger-sampling-light');
    await panel.scrollTo('ledger-run');
    const nowhere = { x: 0, width: 0 };
    const { x, width } =
      (await panel.frame.locator('[data-testid="ledger-row-0"] [data-testid="ledger-verdict"]').boundingBox()) ?? nowhere;
    const table = (await panel.frame.locator('[data-testid="ledger"] .wide-scroller').boundingBox()) ?? nowhere;
    expect(x + width).toBeLessThanOrEqual(table.x + table.width + 1);
    await stage.bench.screenshot('12-ledger-wide-light');
    expect(await violations(panel.frame)).toEqual([]);
    await stage.bench.setTheme('Default Dark Modern');
    await stage.bench.screenshot('13-ledger-wide-dark');

    for (const width of [465, 1000]) {
      await stage.resizeLab(panel, width);
      expect({ width, tall: await panel.tallSections() }).toEqual({ width, tall: [] });
      expect(await violations(panel.frame)).toEqual([]);
      await stage.bench.screenshot(`16-ledger-${width}`);
    }
    // The end of the table is reached by the keyboard.
    const body = panel.frame.locator('[data-testid="section-ledger"] .section-body');
    await body.focus();
    await body.press('End');
    await until(
      'the ledger to scroll',
      () => body.evaluate((node) => (node as unknown as { scrollTop: number }).scrollTop),
      (top) => top > 0,
    );

    // It is kept: after a restart the lab shows it, and Runs opens it.
    await stage.bench.reload();
    await (await stage.lab()).part('ledger-row-11').waitFor();
    await stage.bench.showView('Runs');
    await stage.bench.page.locator('.monaco-list-row[aria-label^="Ledger of theorems"]').click();
    const report = await stage.bench.webview('Ledger of theorems');
    await eventuallyText('the report', () => report.locator('h1').allInnerTexts(), /^Two Heads: ledger of \d+ rows$/);
    await stage.bench.screenshot('15-ledger-kept-dark');
  });
});

describe('the choice of the construction', () => {
  it('plans and runs the sample prompt through a black box', async () => {
    const { plan: planned, prompt } = await plan('--construction', 'tight');
    await stage.bench.setSettings({ 'twoHeads.construction': 'tight' });
    await stage.bench.command('Two Heads: Open the Sample Prompt');
    await stage.lens(new RegExp(`^${formatCount(prompt.tokens)} of 2,048 tokens, .* ${formatNumberOf(planned.calls.total, 'call')} `));
    await stage.simulate();
    const panel = await stage.lab();
    await panel.text('run-construction', /^tight$/);
    expect(await panel.part('construction').innerText()).toBe('tight');
    expect(await panel.part('history-construction').innerText()).toBe('tight');
    const retries = (await panel.part('retries').count()) === 0 ? 0 : await panel.figure('retries');
    expect(await panel.figure('calls-attention')).toBe(planned.calls.attention);
    expect(await panel.figure('measured-attention')).toBe(planned.calls.attention + retries);
    expect(await panel.figure('measured-tokenwise')).toBe(planned.calls.tokenwise);
    expect(await panel.figure('fidelity-max-abs-error')).toBeLessThan(1e-3);
    await stage.lens(/^Last run: .*, error /);
    await panel.scrollTo('last-run');
    await stage.bench.screenshot('14-tight-run');
  });

  it('plans for the small transformer that the settings describe', async () => {
    const { plan: planned } = await plan('--construction', 'tight', '--oracle-layers', '2', '--oracle-heads', '2');
    await stage.bench.setSettings({ 'twoHeads.construction': 'tight', 'twoHeads.oracleLayers': 2, 'twoHeads.oracleHeads': 2 });
    await stage.bench.command('Two Heads: Open the Sample Prompt');
    await stage.lens(new RegExp(` ${formatNumberOf(planned.calls.total, 'call')} `));
    await (await stage.lab()).part('last-run-empty').waitFor();
    await stage.bench.setSettings({ 'twoHeads.construction': 'loose' });
    await stage.lens(/Setting twoHeads\.construction of "loose" is not possible; use one of fused, tight, paper/);
  });

  it('names the scenarios that a black box cannot have, and compares the others', async () => {
    await stage.bench.setSettings({ 'twoHeads.construction': 'paper' });
    await stage.open('short.md', sampleText().slice(0, 3000));
    await stage.lens(/tokens, \d+% · /);
    const complaint = /A window of 512 is not below the block size of 256, as the proof of theorem 5\.1 needs/;
    const panel = await stage.lab('short.md');
    await panel.text('costs-impossible', complaint);
    await stage.bench.command('Two Heads: Compare Scenarios');
    const outcome = await stage.notification(/Compared 3 scenarios/);
    expect(outcome).toMatch(
      /Skipped sliding-window\(window 512\) and attention-sink\(window 512, sinks 4\) and local-window\(window 512\) and top-k\(.*\) and adaptive\(.*\): /,
    );
    expect(outcome).toMatch(complaint);
  });
});
