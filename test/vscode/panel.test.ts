import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import type { Panel } from './harness/panel';
import { useStage } from './harness/stage';
import { until } from './harness/wait';

const themes = ['Default Light Modern', 'Default Dark Modern', 'Default High Contrast', 'Default High Contrast Light'];

const stage = useStage('panel', { files: { 'prompt.md': sampleText() } });

/** Gives the panel's page a size in CSS pixels. */
async function resize(panel: Panel, width: number, height: number): Promise<void> {
  await stage.bench.setSideBarWidth(width);
  const { page } = stage.bench;
  const innerHeight = (): Promise<number> => panel.frame.evaluate<number>('innerHeight');
  const viewport = page.viewportSize() ?? { width: 0, height: 0 };
  await page.setViewportSize({ ...viewport, height: viewport.height + height - (await innerHeight()) });
  await until('the panel’s height', innerHeight, (now) => now === height);
}

describe('the panel', () => {
  it('is one screen high at 300 by 650 pixels, with Run and Open Lab in view at a zoom of 150%', async () => {
    // The scenario with the most fields.
    await stage.bench.setSettings({ 'twoHeads.scenario': 'adaptive' });
    await stage.open('prompt.md');
    await stage.simulate();
    const panel = await stage.panel('prompt.md');
    await panel.text('outcome', /^Ran in /);
    await panel.said('glance-costs', /adaptive/);
    for (const theme of themes) {
      await stage.bench.setTheme(theme);
      await resize(panel, 300, 650);
      await stage.bench.screenshot(`70-panel-${theme.replaceAll(' ', '-').toLowerCase()}`);
      expect(await panel.frame.evaluate<number>('document.documentElement.scrollHeight')).toBeLessThanOrEqual(650);
    }
    // Zoomed, a window has fewer of CSS's pixels.
    await resize(panel, 200, 433);
    await stage.bench.screenshot('71-panel-zoomed');
    for (const part of ['simulate', 'open-lab']) {
      const box = `(({ top, bottom, left, right }) => [top, bottom, left, right])(document.querySelector('[data-testid="${part}"]').getBoundingClientRect())`;
      const [top, bottom, left, right] = await panel.frame.evaluate<number[]>(box);
      expect({ part, isIn: top >= 0 && bottom <= 433 && left >= 0 && right <= 200 }).toEqual({ part, isIn: true });
    }
  });
});
