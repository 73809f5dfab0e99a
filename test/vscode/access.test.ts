import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { violations } from './harness/axe';
import { useStage } from './harness/stage';

const themes = ['Default Dark Modern', 'Default Light Modern', 'Default High Contrast', 'Default High Contrast Light'];
/** Of the side bar, in pixels: as narrow as a panel gets in use, and wide. */
const widths = [300, 700];

const stage = useStage('access', { files: { 'prompt.md': sampleText() } });

describe('panel and lab, by axe', () => {
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

  it('finds nothing with a plan, a tile and runs, in every theme, narrow and wide', async () => {
    await stage.open('prompt.md');
    await stage.simulate();
    // A tile with its text, and a step of the run: the map's parts that are not there at first.
    const lab = await stage.lab('prompt.md');
    await lab.part('last-run').waitFor({ state: 'visible' });
    await lab.part('step-on').click();
    await lab.part('tile-map').focus();
    await lab.part('tile-queries').waitFor({ state: 'visible' });
    for (const theme of themes) {
      await stage.bench.setTheme(theme);
      for (const width of widths) {
        await stage.bench.setSideBarWidth(width);
        const found = await violations((await stage.panel('prompt.md')).frame);
        expect({ theme, width, found }).toEqual({ theme, width, found: [] });
      }
      expect({ theme, found: await violations(lab.frame) }).toEqual({ theme, found: [] });
    }
  });
});
