import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { violations } from './harness/axe';
import { Panel } from './harness/panel';
import { useStage } from './harness/stage';
import { until } from './harness/wait';

const experiment = {
  version: 1,
  prompts: ['short.md'],
  model: 'tiny-docs-5m',
  scenarios: ['native', 'sliding-window:32', 'sliding-window:64', 'attention-sink:32:4', 'attention-sink:64:4'],
  blocks: [32, 64],
  context: 256,
  maximumWindows: 2,
  retrieval: { lengths: [64, 128], depths: [0, 0.5, 1] },
  results: 'small.results.jsonl',
};

const stage = useStage('lab-editor', {
  files: {
    'prompt.md': sampleText().slice(0, 9000),
    'short.md': sampleText().slice(0, 3000),
    'small.two-heads.json': JSON.stringify(experiment, null, 2),
  },
});

/** The page of a lab, by the title of its tab. */
async function lab(title: string): Promise<Panel> {
  return new Panel(await stage.bench.webview(title));
}

const themes = ['Default Light Modern', 'Default Dark Modern', 'Default High Contrast'];

describe('the lab beside a prompt', () => {
  it('measures where attention goes, and shares one selection with the text', async () => {
    await stage.open('prompt.md');
    await stage.lens(/calls/);
    await stage.bench.setSettings({ 'twoHeads.scenario': 'sliding-window', 'twoHeads.window': 256, 'twoHeads.blockSize': 64 });
    await stage.bench.command('Two Heads: Open Lab to the Side');
    const page = await lab('Lab: prompt.md');
    await page.text('lab-calls', /≤/);
    await page.part('lab-measure').click();
    await page.said('mass-map', /^Map of attention mass, all \d+ heads/);
    await page.text('mass-heading', /the mask cuts off/);
    await stage.bench.clearNotifications();

    const before = await stage.bench.ask('editor');
    const strip = page.part('token-strip');
    await strip.scrollIntoViewIfNeeded();
    const box = (await strip.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await stage.bench.page.mouse.move(box.x + 0.5 * box.width, box.y + 50);
    await stage.bench.page.mouse.down();
    await stage.bench.page.mouse.move(box.x + 0.6 * box.width, box.y + 50, { steps: 5 });
    await stage.bench.page.mouse.up();
    await page.text('lab-selected', /^Selected: tokens [\d,]+–[\d,]+$/);
    await page.text('strip-reading', /mean KL/);
    // The text is marked, and its cursor has not moved.
    expect(await stage.bench.ask('editor')).toEqual(before);
    await page.part('lab-reveal').click();
    await until(
      'a mark in the text',
      () => stage.bench.page.locator('.editor-instance .view-overlays [class*="ced-"]').count(),
      (count) => count > 0,
    );
    await page.part('heads-near').scrollIntoViewIfNeeded();
    await page.part('heads-near').click({ position: { x: 60, y: 40 } });
    await page.text('lab-selected', /layer \d+, head \d+$/);

    await stage.bench.page.setViewportSize({ width: 1800, height: 1500 });
    await stage.bench.run('workbench.action.closeSidebar');
    await page.part('mass-map').press('Control+Home');
    await page.scrollTo('lab-document');
    for (const theme of themes) {
      await stage.bench.setTheme(theme);
      await stage.bench.screenshot(`lab-prompt-${theme.split(' ').slice(1).join('-').toLowerCase()}`);
      expect({ theme, found: await violations(page.frame) }).toEqual({ theme, found: [] });
    }
  });
});

describe('the lab of an experiment', () => {
  it('shows its points before it runs and what came out of it, and its text is one command away', async () => {
    await stage.open('small.two-heads.json');
    await stage.bench.command('Two Heads: Open Lab to the Side');
    const page = await lab('small.two-heads.json');
    await page.text('lab-points', /^10$/);
    await page.text('lab-quality', /^–$/);
    expect(await violations(page.frame)).toEqual([]);
    await page.part('lab-run').click();
    await stage.notification(/Evaluated \d+ points? of \d+/);
    await stage.bench.clearNotifications();
    await page.text('lab-verdict', /exact/i);
    await page.said('frontier-chart', /^Mean divergence against .*; on the front: .*native|causal/);
    await page.text('retrieval', /at 50%/);
    await stage.bench.page.setViewportSize({ width: 1800, height: 1500 });
    for (const theme of themes) {
      await stage.bench.setTheme(theme);
      await stage.bench.screenshot(`lab-experiment-${theme.split(' ').slice(1).join('-').toLowerCase()}`);
      expect({ theme, found: await violations(page.frame) }).toEqual({ theme, found: [] });
    }
    await page.part('lab-text').click();
    await until(
      'the text',
      () => stage.bench.ask('text'),
      (text) => text?.includes('"sliding-window:32"') === true,
    );
  });
});
