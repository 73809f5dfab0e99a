import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventually, eventuallyText, pause } from './harness/wait';
import { Workbench } from './harness/workbench';

let workspace: string;
let bench: Workbench;
let frame: Frame;

const part = (testId: string): Locator => frame.locator(`[data-testid="${testId}"]`);
/** Waits for the text of a part of the map. */
const text = (testId: string, wanted: RegExp): Promise<string> =>
  eventuallyText(testId, async () => [await part(testId).innerText()], wanted);

/** Opens a prompt of its own and the panel beside it, and waits until the map is one of its plan. */
async function open(name: string, content: string, summary: RegExp): Promise<void> {
  const path = join(workspace, name);
  writeFileSync(path, content);
  await bench.open(path);
  await bench.command('Two Heads: Open Panel');
  frame = await bench.webview(0);
  await eventuallyText('the map', async () => [(await part('tile-map').getAttribute('aria-label')) ?? ''], summary);
  await part('tile-map').scrollIntoViewIfNeeded();
}

/** The middle of the map, where a causal tile of the diagonal lies. */
async function middle(): Promise<{ x: number; y: number }> {
  const { width, height } = (await part('tile-map').boundingBox()) ?? { width: 0, height: 0 };
  return { x: width / 2, y: height * 0.6 };
}

/** Saves a picture through VS Code's dialog, and returns what was written. */
async function save(format: 'svg' | 'png', name: string): Promise<Buffer> {
  await part(`save-${format}`).click();
  const path = join(workspace, `${name}-tile-map.${format}`);
  const box = bench.page.locator('.quick-input-widget .quick-input-box input');
  await eventually('the save dialog with its name', async () => {
    const seen = await box.inputValue();
    return seen.endsWith(`${name}-tile-map.${format}`) ? { found: seen } : { seen };
  });
  await bench.page.keyboard.press('Enter');
  await eventuallyText('the news that it is saved', () => bench.notifications(), new RegExp(`${name}-tile-map.${format}`));
  expect(existsSync(path)).toBe(true);
  return readFileSync(path);
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-map-'));
  bench = await Workbench.start({ ...packaged, workspace });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('the tile map', () => {
  it('explains the tile under the pointer: ranges, calls, operations and text', async () => {
    await open('prompt.md', sampleText(), /^Tile map, causal/);
    await part('tile-map').hover({ position: await middle() });
    await text('tile-info', /query block \d+ \(tokens [\d,–]+\) reads key block \d+ \(tokens [\d,–]+\)/);
    await text('tile-cost', /^Calls? [\d–]+ of \d+ in each of 6 layers · [\d.]+ MFLOP in all/);
    const queries = await text('tile-queries', /\w{3}/);
    expect(sampleText()).toContain(queries.split(' … ')[0]);
    await part('tile-keys').scrollIntoViewIfNeeded();
    await bench.screenshot('map-1-hover-narrow');
    await part('tile-map').scrollIntoViewIfNeeded();
  });

  it('shows what the editor shows', async () => {
    await text('visible-blocks', /in the editor: blocks? 1/);
    await bench.editor.goToLine(60);
    await text('visible-blocks', /in the editor: blocks? ([2-9]|\d\d)/);
  });

  it('zooms and moves by buttons, keys, wheel and drag', async () => {
    const map = part('tile-map');
    await text('zoom-level', /^1×$/);
    await part('zoom-in').click();
    await text('zoom-level', /^2×$/);
    await map.focus();
    await map.press('+');
    await text('zoom-level', /^4×$/);
    await bench.screenshot('map-2-zoomed-dark');
    const { x, y } = await middle();
    await map.hover({ position: { x, y } });
    const before = await text('tile-info', /reads key/);
    const box = (await map.boundingBox()) ?? { x: 0, y: 0 };
    await bench.page.mouse.move(box.x + x, box.y + y);
    await bench.page.mouse.down();
    await bench.page.mouse.move(box.x + x + 60, box.y + y + 60, { steps: 6 });
    await bench.page.mouse.up();
    // What was under the pointer has moved along, and a drag selects nothing.
    await text('tile-info', new RegExp(before.split('\n')[0].replace(/[()]/g, '\\$&')));
    expect((await bench.editor.selectedTexts()).join('')).toBe('');
    await bench.page.keyboard.down('Control');
    await bench.page.mouse.wheel(0, 100);
    await bench.page.keyboard.up('Control');
    await text('zoom-level', /^[23](\.\d)?×$/);
    await map.focus();
    await map.press('Shift+ArrowUp');
    await map.press('0');
    await text('zoom-level', /^1×$/);
  });

  it('steps through the calls, and plays them where motion is wanted', async () => {
    expect(await part('play').isVisible()).toBe(false);
    await part('step-on').click();
    await text('play-step', /^Step 1 of \d+ of a run, the same for every head of layers 1–6: query blocks? /);
    await part('step-on').click();
    await text('play-step', /^Step 2 of /);
    await bench.screenshot('map-3-step');
    await bench.setSettings({ 'workbench.reduceMotion': 'off' });
    await part('play').waitFor({ state: 'visible' });
    await part('play').click();
    const start = Date.now();
    await text('play', /Pause/);
    await pause(2500);
    await bench.screenshot('map-3-playing');
    await text('play', /Play/);
    expect(Date.now() - start).toBeLessThan(12_000);
    await text('play-step', /^Step (\d+) of \1 /);
    await part('play-leave').click();
    await bench.setSettings({ 'workbench.reduceMotion': 'on' });
  });

  it('is saved as SVG and as PNG', async () => {
    const svg = (await save('svg', 'prompt')).toString('utf8');
    expect(svg).toMatch(/^<svg [^>]*role="img"/);
    expect(svg).toContain('Tile map, causal');
    const png = await save('png', 'prompt');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    writeFileSync(join(root, 'artifacts', 'screenshots', 'map-saved.png'), png);
    writeFileSync(join(root, 'artifacts', 'screenshots', 'map-saved.svg'), svg);
    await bench.clearNotifications();
  });

  it('holds a million tokens, and shows single tiles of them', async () => {
    await open('million.md', sampleText().repeat(230), /[34],\d{3} query blocks/);
    const map = part('tile-map');
    await map.focus();
    const start = Date.now();
    for (let press = 0; press < 10; press += 1) {
      await map.press('+');
    }
    await text('zoom-level', /^\d{3,4}×$/);
    expect(Date.now() - start).toBeLessThan(10_000);
    await part('step-back').click();
    await text('play-step', /^Step ([\d,]+) of \1 /);
    await part('play-leave').click();
    await bench.screenshot('map-4-million-zoomed');
    await map.press('0');
    await part('tile-map').hover({ position: await middle() });
    await text('tile-queries', /\w{3}/);
    await bench.screenshot('map-5-million');
  });

  it('can be read in light and high-contrast themes, narrow and wide', async () => {
    await open('short.md', sampleText().slice(0, 2000), /^Tile map, causal/);
    await bench.setTheme('Default Light Modern');
    await part('tile-map').hover({ position: await middle() });
    await pause(500);
    await bench.screenshot('map-6-short-light');
    await bench.setTheme('Default High Contrast');
    await part('step-on').click();
    await part('save-svg').scrollIntoViewIfNeeded();
    await pause(500);
    await bench.screenshot('map-7-short-high-contrast');
    await bench.setTheme('Default Dark Modern');
    await bench.open(join(workspace, 'prompt.md'));
    await bench.setSideBarWidth(1000);
    await part('tile-map').hover({ position: await middle() });
    await pause(500);
    await bench.screenshot('map-8-wide');
  });

  it('prints no error and asks nothing of the network', () => {
    expect(bench.consoleErrors).toEqual([]);
    expect(bench.outsideRequests).toEqual([]);
  });
});
