import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { cellGrid } from '../../src/core/atlas/cells';
import { partition } from '../../src/core/plan/partition';
import type { LabAtlas, LabHostMessage } from '../../src/protocol/lab';
import { launchBrowser } from '../vscode/harness/browser';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';

/** A frame at 60 Hz, in milliseconds. */
const frameGoalMs = 16;
const [tokens, blockSize] = [1_000_000, 256];

/** Shapes of models: as many heads as still have the finest map, and as many as a large model has. */
const shapes = [
  { name: 'mass map at its finest', layers: 8, heads: 16, canvas: 'mass-map' },
  { name: 'head grids', layers: 80, heads: 64, canvas: 'token-strip' },
] as const;

/**
 * What the lab's page works in a frame while a selection is dragged over its pictures: script, style, layout and paint of the
 * page's main thread, as Chromium counts its tasks. Without a graphics card, so that canvases are drawn by the CPU too.
 */
export async function lab({ quick, log }: BenchContext): Promise<Section> {
  const browser = await launchBrowser();
  try {
    const rows: Record<string, Figure>[] = [];
    for (const { name, layers, heads, canvas } of shapes) {
      log(`the lab, ${name}`);
      const page = await openLab(await browser.newPage({ viewport: { width: 1400, height: 1600 } }));
      const atlas = atlasOf(layers, heads);
      const work = await mainThread(page);
      const drawMs: number[] = [];
      // Sent once: reading it as a script is no work of the lab's.
      await page.evaluate(`globalThis.atlas = ${JSON.stringify({ type: 'atlas', atlas } satisfies LabHostMessage)}`);
      for (let round = 0; round < (quick ? 2 : 10); round += 1) {
        drawMs.push(await work(() => page.evaluate("window.dispatchEvent(new MessageEvent('message', { data: atlas }))")));
      }
      const idleMs: number[] = [];
      for (let step = 0; step < (quick ? 5 : 50); step += 1) {
        idleMs.push(await work(() => Promise.resolve()));
      }
      const brushMs = await brush(page, canvas, work, quick ? 10 : 200);
      rows.push({
        name,
        layers,
        heads,
        side: atlas.atlas.cells.side,
        draw: median(drawMs),
        idle: median(idleMs),
        p50: median(brushMs),
        p95: percentile(brushMs, 0.95),
      });
      await page.close();
    }
    const worst = Math.max(...rows.map(({ p95 }) => Number(p95)));
    return {
      name: 'lab',
      title: 'The lab: drawing and brushing its pictures',
      method: `An atlas of N = ${tokens.toLocaleString('en-US')} tokens, M = ${blockSize}, with a mask, in a page of the tests' Chromium, 1,400 by 1,600 pixels, software rendering. Work of the main thread, waiting left out: for a new atlas, and for a frame while the selection is dragged, all pictures on the page; what measuring itself takes, where nothing is done, is in it. Load of the machine when it ended: ${loadavg()[0].toFixed(1)}.`,
      columns: {
        name: 'dragged over',
        layers: 'layers',
        heads: 'heads',
        side: 'cells of a side',
        draw: 'new atlas, ms',
        idle: 'nothing done, ms',
        p50: 'frame: median, ms',
        p95: '95th percentile, ms',
      },
      rows,
      goals: quick
        ? []
        : [
            {
              goal: `Brushing the lab: at most ${frameGoalMs} ms of work a frame at the 95th percentile`,
              measured: `${worst.toFixed(1)} ms`,
              reached: worst <= frameGoalMs,
            },
          ],
    };
  } finally {
    await browser.close();
  }
}

/** The lab's page as it is built, with a stand-in for VS Code's API. */
async function openLab(page: Page): Promise<Page> {
  await page.setContent('<!DOCTYPE html><html lang="en"><body class="vscode-dark"><main id="app"></main></body></html>');
  await page.addScriptTag({
    content: 'globalThis.acquireVsCodeApi = () => ({ postMessage() {}, getState() {}, setState() {} });',
  });
  await page.addStyleTag({ path: join(process.cwd(), 'dist', 'webview', 'lab-style.css') });
  await page.addScriptTag({ path: join(process.cwd(), 'dist', 'webview', 'lab.js') });
  await say(page, {
    type: 'lab',
    snapshot: {
      ...{ subject: 'runs', document: 'a.json', error: null, plan: null, prediction: null, memory: null, roof: null },
      ...{ runs: [], current: null, activity: { state: 'idle', kind: 'run' } },
    } as unknown as Extract<LabHostMessage, { type: 'lab' }>['snapshot'],
  });
  return page;
}

/** Hands the page a message of the host. */
async function say(page: Page, message: LabHostMessage): Promise<void> {
  await page.evaluate(`window.dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(message)} }))`);
}

/** Measures the milliseconds that the page's main thread works until what an action causes is drawn. */
async function mainThread(page: Page): Promise<(act: () => Promise<unknown>) => Promise<number>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const seconds = async (): Promise<number> =>
    (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  const drawn = (): Promise<unknown> =>
    page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))');
  return async (act) => {
    const before = await seconds();
    await act();
    await drawn();
    return 1000 * ((await seconds()) - before);
  };
}

/** Drags a selection over a picture. @returns the work of each step, a frame each, in milliseconds */
async function brush(page: Page, canvas: string, work: (act: () => Promise<unknown>) => Promise<number>, steps: number): Promise<number[]> {
  const target = page.locator(`[data-testid="${canvas}"]`);
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (box === null) {
    throw new Error(`The lab shows no ${canvas}.`);
  }
  const { mouse } = page;
  await mouse.move(box.x + 0.2 * box.width, box.y + 0.2 * box.height);
  await mouse.down();
  const times: number[] = [];
  for (let step = 1; step <= steps; step += 1) {
    // Down and right, and back again: each step selects other tokens.
    const at = 0.2 + 0.7 * Math.abs((((2 * step * 37) / 199) % 2) - 1);
    times.push(await work(() => mouse.move(box.x + at * box.width, box.y + at * 0.8 * box.height)));
  }
  await mouse.up();
  const selected = await page.locator('[data-testid="lab-selected"]').innerText();
  if (!/tokens/.test(selected)) {
    throw new Error(`Dragging over ${canvas} selected nothing.`);
  }
  return times;
}

/** An atlas of the size that the engine gathers for so many heads, of made-up masses that fall with the distance. */
function atlasOf(layers: number, heads: number): LabAtlas {
  const cut = partition(tokens, blockSize);
  const cells = cellGrid(cut.blocks, layers * heads);
  const { side } = cells;
  const massOf = (spread: number): number[] =>
    Array.from({ length: side ** 2 }, (_, at) => {
      const [row, column] = [Math.floor(at / side), at % side];
      return column > row ? 0 : (1 - spread) * spread ** (row - column);
    });
  const octaves = Math.ceil(Math.log2(cut.blocks)) + 1;
  const scenario = { kind: 'sliding-window', window: 512 } as const;
  const curve = Array.from({ length: 3907 }, (_, index) => 2 + Math.sin(index));
  return {
    atlas: {
      cells,
      heads: Array.from({ length: layers * heads }, (_, index) => {
        const mass = massOf(0.3 + 0.6 * ((index * 37) % 100) * 0.01);
        return {
          ...{ layer: Math.floor(index / heads), head: index % heads, mass, entropy: 1 + (index % 7) / 3 },
          ...{ firstTile: 0.1, firstToken: 0.05, learnedSink: null, tiles: 1, fewest: [] },
          byDistance: Array.from({ length: octaves }, (_, octave) => 2 ** -(octave + 1)),
          cut: { share: 0.2, mass: mass.map((value, at) => (at % side < Math.floor(at / side) - 1 ? value : 0)) },
        };
      }),
      layers: [],
      oracle: { tiles: 1, calls: 1, kept: [] },
      cut: { scenario, share: 0.2 },
      massError: 0,
    },
    byToken: { stretch: 256, loss: curve, maskedLoss: curve, divergence: curve.map((value) => value / 10) },
    partition: cut,
    cut: { scenario, share: 0.2 },
    current: true,
  };
}
