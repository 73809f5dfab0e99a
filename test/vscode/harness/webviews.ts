import type { Frame, Page } from 'playwright-core';
import { LOOK_LIMIT_MS } from './limits';
import { readWebviewPlaces, type Box } from './page-readers';
import { eventually } from './wait';

/**
 * The inner frame of a visible webview: a view by its title (`Plan`), a webview editor by its tab's, or either by its
 * place among the visible ones, reading order, from 0.
 *
 * VS Code draws webviews above the workbench, not inside their views, so a title is matched by where things are. The
 * content is two iframes deep: VS Code's own page, then the extension's. The frame is gone once the view is hidden or
 * its html is set anew: ask again then.
 */
export function findWebview(page: Page, titleOrIndex: string | number): Promise<Frame> {
  return eventually(`the webview ${JSON.stringify(titleOrIndex)}`, async () => {
    const webviews = await visibleWebviews(page);
    const places = typeof titleOrIndex === 'string' ? await page.evaluate(readWebviewPlaces) : [];
    // A text and its lab beside it have one title: the page is in whichever of them holds one.
    const titled = places.filter(({ title }) => title.toLowerCase() === String(titleOrIndex).toLowerCase());
    const webview =
      typeof titleOrIndex === 'number'
        ? webviews[titleOrIndex]
        : webviews.find(({ box }) => titled.some((place) => holdsMiddle(place.box, box)));
    const frame = await innerFrame(webview);
    if (frame === undefined) {
      return { seen: { places: places.map(({ title }) => title), visibleWebviews: webviews.length, loaded: false } };
    }
    await frame.waitForLoadState('domcontentloaded', { timeout: LOOK_LIMIT_MS });
    return { found: frame };
  });
}

/** The inner frame of a page of Two Heads, by a part that it shows, in whatever language; undefined while none shows it. */
export async function findPage(page: Page, part: string): Promise<Frame | undefined> {
  for (const webview of await visibleWebviews(page)) {
    const frame = await innerFrame(webview);
    if (frame !== undefined && (await frame.locator(`[data-testid="${part}"]`).isVisible())) {
      return frame;
    }
  }
  return undefined;
}

async function innerFrame(webview: VisibleWebview | undefined): Promise<Frame | undefined> {
  const inner = await webview?.outer.$('iframe#active-frame');
  return (await inner?.contentFrame()) ?? undefined;
}

interface VisibleWebview {
  readonly box: Box;
  readonly outer: Frame;
}

async function visibleWebviews(page: Page): Promise<VisibleWebview[]> {
  const found: VisibleWebview[] = [];
  for (const element of await page.locator('iframe.webview.ready').elementHandles()) {
    const [box, outer] = [await element.boundingBox(), await element.contentFrame()];
    if (box !== null && outer !== null && box.width > 0 && box.height > 0 && (await element.isVisible())) {
      found.push({ box, outer });
    }
  }
  return found.sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x);
}

function holdsMiddle(outside: Box, inside: Box): boolean {
  const [x, y] = [inside.x + inside.width / 2, inside.y + inside.height / 2];
  return x > outside.x && x < outside.x + outside.width && y > outside.y && y < outside.y + outside.height;
}
