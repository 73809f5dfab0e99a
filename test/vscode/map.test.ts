import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { excerptOf } from '../../src/core/text/printable';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { embeddedFolder, sampleText } from '../support/paths';
import { LOOK_LIMIT_MS } from './harness/limits';
import { recordRectangles, recordSteps, takeRectangles, takeSteps } from './harness/map-recordings';
import { packaged } from './harness/packaged';
import type { Panel } from './harness/panel';
import { useStage } from './harness/stage';
import { eventuallyText, until } from './harness/wait';

const stage = useStage('map');

/** Opens a prompt and the panel beside it, and waits until the map is one of its plan, and all of it. */
async function open(name: string, content: string, summary = /^Tile map, causal/): Promise<Panel> {
  await stage.open(name, content);
  const panel = await stage.lab(name);
  await panel.said('tile-map', summary);
  await panel.part('tile-map').scrollIntoViewIfNeeded();
  await panel.part('tile-map').press('0');
  await panel.text('zoom-level', /^1×$/);
  return panel;
}

/** Makes the text what is active: a press in the lab beside it has made that the lab, sooner or later. */
async function focusText(): Promise<void> {
  await stage.bench.run('workbench.action.focusFirstEditorGroup');
  await until(
    'the text in front',
    () => stage.bench.ask('editor'),
    (seen) => seen !== null,
  );
}

/** The middle of the map, where a causal tile of the diagonal lies. */
async function middle(panel: Panel): Promise<{ x: number; y: number }> {
  const { width, height } = (await panel.part('tile-map').boundingBox()) ?? { width: 0, height: 0 };
  return { x: width / 2, y: height * 0.6 };
}

/** Rests the mouse on the middle of the map until it tells the text of the tile there: the page may move under the mouse. */
function hover(panel: Panel): Promise<string> {
  return eventuallyText(
    'tile-queries',
    async () => {
      await panel.part('tile-map').hover({ position: await middle(panel), timeout: LOOK_LIMIT_MS });
      return [await panel.part('tile-queries').innerText({ timeout: LOOK_LIMIT_MS })];
    },
    /\w{3}/,
  );
}

/** Saves a picture through VS Code's dialog, and returns what was written. */
async function save(panel: Panel, format: 'svg' | 'png', name: string): Promise<Buffer> {
  await panel.part(`save-${format}`).click();
  const file = `${name}-tile-map.${format}`;
  await stage.bench.quickInput.proposedFile('Save the Tile Map', file);
  await stage.bench.quickInput.takeFile(stage.path(file));
  await stage.notification(file);
  expect(existsSync(stage.path(file))).toBe(true);
  return readFileSync(stage.path(file));
}

describe('the tile map', () => {
  it('explains the tile under the pointer: ranges, calls, operations and text', async () => {
    const panel = await open('prompt.md', sampleText());
    const queries = await hover(panel);
    await panel.text('tile-info', /query block \d+ \(tokens [\d,–]+\) reads key block \d+ \(tokens [\d,–]+\)/);
    await panel.text('tile-cost', /^Calls? [\d–]+ of \d+ in each of 6 layers · [\d.]+ MFLOP in all/);
    expect(sampleText()).toContain(queries.split(' … ')[0]);
    await panel.part('tile-keys').scrollIntoViewIfNeeded();
    await stage.bench.screenshot('map-1-hover-narrow');
  });

  it('shows what the editor shows', async () => {
    const panel = await open('prompt.md', sampleText());
    await panel.text('visible-blocks', /in the editor: blocks? 1/);
    await focusText();
    await stage.bench.editor.goToLine(60);
    await panel.text('visible-blocks', /in the editor: blocks? ([2-9]|\d\d)/);
  });

  it('zooms and moves by buttons, keys, wheel and drag', async () => {
    const panel = await open('prompt.md', sampleText());
    const map = panel.part('tile-map');
    // Where it zooms to: a tile with others on all sides, so that the map can move in every direction.
    for (const key of ['Control+Home', ...Array<string>(5).fill('PageDown'), 'End']) {
      await map.press(key);
    }
    await panel.text('tile-info', /query block 11 .* reads key block 11 /);
    await panel.part('zoom-in').click();
    await panel.text('zoom-level', /^2×$/);
    await map.focus();
    await map.press('+');
    await panel.text('zoom-level', /^4×$/);
    await stage.bench.screenshot('map-2-zoomed-dark');
    const { x, y } = await middle(panel);
    await map.hover({ position: { x, y } });
    const before = await panel.text('tile-info', /reads key/);
    const box = (await map.boundingBox()) ?? { x: 0, y: 0 };
    await stage.bench.page.mouse.move(box.x + x, box.y + y);
    await stage.bench.page.mouse.down();
    await stage.bench.page.mouse.move(box.x + x + 60, box.y + y + 60, { steps: 6 });
    await stage.bench.page.mouse.up();
    // What was under the pointer has moved along; and a drag selects nothing, as is seen below.
    await panel.text('tile-info', new RegExp(before.split('\n')[0].replace(/[()]/g, '\\$&')));
    await stage.bench.page.keyboard.down('Control');
    await stage.bench.page.mouse.wheel(0, 100);
    await panel.text('zoom-level', /^[23](\.\d)?×$/);
    await stage.bench.page.keyboard.up('Control');
    await map.focus();
    await map.press('Shift+ArrowUp');
    await map.press('0');
    await panel.text('zoom-level', /^1×$/);
    await focusText();
    expect((await stage.bench.editor.selectedTexts()).join('')).toBe('');
  });

  it('steps through the calls, and plays them where motion is wanted', async () => {
    const panel = await open('prompt.md', sampleText());
    expect(await panel.part('play').isVisible()).toBe(false);
    await panel.part('step-on').click();
    await panel.text('play-step', /^Query block 1 of \d+ of a run, the same for every head of layers 1–6: all of its calls$/);
    await panel.part('step-on').click();
    await panel.text('play-step', /^Query block 2 of /);
    await stage.bench.screenshot('map-3-step');
    await stage.bench.setSettings({ 'workbench.reduceMotion': 'off' });
    await panel.part('play').waitFor({ state: 'visible' });
    // Watched from within: a look from here may come after the last step.
    await panel.frame.evaluate(recordSteps);
    await panel.part('play').click();
    await panel.text('play-step', /^Query block (\d+) of \1 /);
    await panel.text('play', /Play/);
    const { steps, labels } = await panel.frame.evaluate(takeSteps);
    expect(labels).toContain('Pause');
    expect(steps).toEqual([...steps].sort((one, other) => one - other));
    // From the step that was shown, and not in one leap to the last.
    expect(steps[0]).toBe(2);
    expect(steps.length).toBeGreaterThan(2);
    await panel.part('play-leave').click();
    await panel.part('play-step').waitFor({ state: 'hidden' });
  });

  it('is saved as SVG and as PNG', async () => {
    const panel = await open('prompt.md', sampleText());
    // What is said of a tile under the pointer stays, and so do the buttons below.
    await hover(panel);
    const svg = (await save(panel, 'svg', 'prompt')).toString('utf8');
    expect(svg).toMatch(/^<svg [^>]*role="img"/);
    expect(svg).toContain('Tile map, causal');
    const png = await save(panel, 'png', 'prompt');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    writeFileSync(join(packaged.artifacts, 'map-saved.png'), png);
    writeFileSync(join(packaged.artifacts, 'map-saved.svg'), svg);
  });

  // Else the buttons below leave the mouse that is pressed on them, and there is no click.
  it('keeps what is below it in its place when the keyboard leaves it', async () => {
    const text = sampleText().slice(0, 9000);
    const tokens = (await PromptTokenizer.load(embeddedFolder)).index(text);
    const [from, to] = [256, 512].map((token) => tokens.offsetOf(token));
    const panel = await open('keyboard.md', text);
    await panel.part('tile-map').press('Control+Home');
    await panel.part('tile-map').press('ArrowDown');
    // What is read of the tile may come late, and until then what was read of another stays.
    const excerpt = excerptOf((start, end) => text.slice(start, end), from, to);
    await until(
      'the text of block 2',
      () => panel.part('tile-queries').textContent(),
      (seen) => seen === excerpt,
    );
    const place = async (): Promise<unknown> =>
      panel.part('save-svg').evaluate((button) => (button as unknown as { offsetTop: number }).offsetTop);
    const before = await place();
    await panel.part('step-on').focus();
    expect(await place()).toBe(before);
  });

  it('holds a million tokens, and shows single tiles of them', async () => {
    const panel = await open('million.md', sampleText().repeat(230), /[34],\d{3} query blocks/);
    const map = panel.part('tile-map');
    const presses = 10;
    const { height } = (await map.boundingBox()) ?? { height: 0 };
    await panel.frame.evaluate(recordRectangles);
    await map.focus();
    for (let press = 0; press < presses; press += 1) {
      await map.press('+');
    }
    await panel.text('zoom-level', /^\d{3,4}×$/);
    // It draws lines of pixels, however many tiles there are.
    expect(await panel.frame.evaluate(takeRectangles)).toBeLessThan(10 * (presses + 1) * height);
    await panel.part('step-back').click();
    await panel.text('play-step', /^Step ([\d,]+) of \1 /);
    await panel.part('play-leave').click();
    await stage.bench.screenshot('map-4-million-zoomed');
    await map.press('0');
    await hover(panel);
    await stage.bench.screenshot('map-5-million');
  });

  it('can be read in light and high-contrast themes, and beside a long text', async () => {
    const short = await open('short.md', sampleText().slice(0, 2000));
    await stage.bench.setTheme('Default Light Modern');
    await hover(short);
    await stage.bench.screenshot('map-6-short-light');
    await stage.bench.setTheme('Default High Contrast');
    await short.part('step-on').click();
    await short.part('save-svg').scrollIntoViewIfNeeded();
    await stage.bench.screenshot('map-7-short-high-contrast');
    await stage.bench.setTheme('Default Dark Modern');
    const long = await open('prompt.md', sampleText());
    await hover(long);
    await stage.bench.screenshot('map-8-wide');
  });
});
