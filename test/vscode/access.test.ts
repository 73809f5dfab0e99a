import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults, ImpactValue } from 'axe-core';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplePrompt } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

/** What axe found: the rule, how bad, and the elements with what is wrong with each. */
interface Violation {
  readonly rule: string;
  readonly impact: ImpactValue | undefined;
  readonly elements: readonly string[];
}

const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
const themes = ['Default Dark Modern', 'Default Light Modern', 'Default High Contrast', 'Default High Contrast Light'];
/** Of the side bar, in pixels: as narrow as a panel gets in use, and wide. */
const widths = [300, 700];

let workspace: string;
let bench: Workbench;

/** Runs every rule of axe, those for contrast of 4.5 to 1 among them, on the panel's page. */
async function violations(frame: Frame): Promise<Violation[]> {
  // An evaluated script is not under the page's content security policy.
  await frame.evaluate(axe);
  // The page is transparent, and axe takes what it cannot see behind it for white.
  await frame.evaluate('document.body.style.backgroundColor = "var(--vscode-sideBar-background)"');
  const results = await frame.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return results.violations.map(({ id, impact, nodes }) => ({
    rule: id,
    impact,
    elements: nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)}: ${failureSummary ?? ''}`),
  }));
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-access-'));
  copyFileSync(samplePrompt, join(workspace, 'prompt.md'));
  bench = await Workbench.start({ ...packaged, workspace });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the panel, by axe', () => {
  it('finds nothing before a prompt is open', async () => {
    await bench.command('Two Heads: Open Panel');
    expect(await violations(await bench.webview(0))).toEqual([]);
  });

  it('finds what is wrong where something is', async () => {
    const frame = await bench.webview(0);
    await frame.evaluate('document.body.append(Object.assign(document.createElement("img"), { src: "data:,", id: "wrong" }))');
    expect((await violations(frame)).map(({ rule }) => rule)).toContain('image-alt');
    await frame.evaluate('document.getElementById("wrong").remove()');
  });

  it('finds nothing with a plan, a tile, runs and a ledger, in every theme, narrow and wide', async () => {
    await bench.open(join(workspace, 'prompt.md'));
    await bench.command('Two Heads: Run the Ledger of Theorems');
    await eventuallyText('the ledger', () => bench.notifications(), /Ledger of \d+ rows/, 120_000);
    await bench.command('Two Heads: Simulate This File');
    await eventuallyText('the run', () => bench.notifications(), /max abs error/, 60_000);
    await bench.clearNotifications();
    await bench.command('Two Heads: Open Panel');
    // A tile with its text, and a step of the run: the map's parts that are not there at first.
    const page = await bench.webview(0);
    await page.locator('[data-testid="step-on"]').click();
    await page.locator('[data-testid="tile-map"]').focus();
    await page.locator('[data-testid="tile-queries"]').waitFor({ state: 'visible' });
    for (const theme of themes) {
      await bench.setTheme(theme);
      for (const width of widths) {
        await bench.setSideBarWidth(width);
        const found = await violations(await bench.webview(0));
        expect({ theme, width, found }).toEqual({ theme, width, found: [] });
      }
    }
  });
});
