/**
 * Recordings of the tile map: what it showed and drew in between two looks of a test. As in `page-readers.ts`, the
 * functions run inside the panel's page, so each is complete in itself.
 */

interface Recorder {
  twoHeadsSteps?: { steps: number[]; labels: string[] };
  twoHeadsRectangles?: number;
}
declare const window: Recorder;
declare const document: { querySelector(selector: string): { readonly textContent: string | null } | null; readonly body: unknown };
declare const MutationObserver: new (onChange: () => void) => { observe(target: unknown, options: object): void };
declare const CanvasRenderingContext2D: { readonly prototype: { fillRect: (this: unknown, ...box: number[]) => void } };

/** Begins to record the steps that are played, and what the button that plays them says. */
export function recordSteps(): void {
  const seen: { steps: number[]; labels: string[] } = { steps: [], labels: [] };
  window.twoHeadsSteps = seen;
  const look = (): void => {
    const step = Number(
      /^Query block ([\d,]+)/.exec(document.querySelector('[data-testid="play-step"]')?.textContent ?? '')?.[1].replace(',', ''),
    );
    if (seen.steps[seen.steps.length - 1] !== step) {
      seen.steps.push(step);
    }
    seen.labels.push(document.querySelector('[data-testid="play"]')?.textContent ?? '');
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** The steps that were shown, each once where it stayed, and every label of the button. */
export function takeSteps(): { readonly steps: readonly number[]; readonly labels: readonly string[] } {
  return window.twoHeadsSteps ?? { steps: [], labels: [] };
}

/** Begins to count the rectangles that are drawn. */
export function recordRectangles(): void {
  const pen = CanvasRenderingContext2D.prototype;
  const fill = pen.fillRect;
  window.twoHeadsRectangles = 0;
  pen.fillRect = function (...box: number[]) {
    window.twoHeadsRectangles = (window.twoHeadsRectangles ?? 0) + 1;
    fill.apply(this, box);
  };
}

/** How many rectangles were drawn. */
export function takeRectangles(): number {
  return window.twoHeadsRectangles ?? 0;
}
