import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, ImpactValue } from 'axe-core';
import type { Frame } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';

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

const stage = useStage('access', { files: { 'prompt.md': sampleText() } });

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

describe('the panel, by axe', () => {
  it('finds nothing before a prompt is open', async () => {
    const { frame } = await stage.panel('No prompt in front');
    expect(await violations(frame)).toEqual([]);
  });

  it('finds what is wrong where something is', async () => {
    const { frame } = await stage.panel();
    await frame.evaluate('document.body.append(Object.assign(document.createElement("img"), { src: "data:,", id: "wrong" }))');
    expect((await violations(frame)).map(({ rule }) => rule)).toContain('image-alt');
    await frame.evaluate('document.getElementById("wrong").remove()');
  });

  it('finds nothing with a plan, a tile, runs and a ledger, in every theme, narrow and wide', async () => {
    await stage.open('prompt.md');
    await stage.bench.command('Two Heads: Run the Ledger of Theorems');
    await stage.notification(/Ledger of \d+ rows/);
    await stage.simulate();
    // A tile with its text, and a step of the run: the map's parts that are not there at first.
    const panel = await stage.panel('prompt.md');
    await panel.part('ledger-row-0').waitFor();
    await panel.part('last-run').waitFor({ state: 'visible' });
    await panel.part('step-on').click();
    await panel.part('tile-map').focus();
    await panel.part('tile-queries').waitFor({ state: 'visible' });
    for (const theme of themes) {
      await stage.bench.setTheme(theme);
      for (const width of widths) {
        await stage.bench.setSideBarWidth(width);
        const found = await violations((await stage.panel('prompt.md')).frame);
        expect({ theme, width, found }).toEqual({ theme, width, found: [] });
      }
    }
  });
});
