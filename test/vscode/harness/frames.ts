/**
 * A recording of what an editor shows while something happens, frame by frame. As in `page-readers.ts`, the functions run
 * inside VS Code's page, so each is complete in itself.
 */

/** One frame, where it differs from the one before. */
export interface EditorFrame {
  /** The lines on screen, top to bottom, each with the hint at its end. */
  readonly lines: readonly { readonly text: string; readonly hint: string }[];
  readonly lenses: readonly string[];
  readonly status: readonly string[];
}

interface PageElement {
  readonly className: string;
  readonly textContent: string | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getBoundingClientRect(): { readonly y: number };
}
declare function getComputedStyle(element: PageElement, pseudo: string): { readonly content: string };
declare const document: PageElement;
declare class MutationObserver {
  constructor(changed: () => void);
  observe(element: PageElement, what: { readonly subtree: boolean; readonly childList: boolean; readonly attributes: boolean }): void;
  disconnect(): void;
}
declare const window: { twoHeadsFrames?: EditorFrame[] | undefined };
declare function requestAnimationFrame(callback: () => void): void;

/** Begins to record, from the frame that is there now. */
export function recordFrames(): void {
  const sorted = (selector: string): PageElement[] =>
    [...document.querySelectorAll(selector)].sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y);
  const textOf = ({ textContent }: PageElement): string => (textContent ?? '').replaceAll('\u00a0', ' ');
  // The editor takes a style away before it draws the line anew; what is on screen then is what the style said. It is read
  // right as a line is drawn: in the same frame that may be after this recording looks, and before the next the style may be gone.
  const said: Record<string, string | undefined> = {};
  const hintOf = (line: PageElement): string =>
    [...line.querySelectorAll('span[class*="ced-"]')]
      .map((span) => {
        const { content } = getComputedStyle(span, '::after');
        said[span.className] = content.startsWith('"') ? content.slice(1, -1).replaceAll('\u00a0', ' ') : said[span.className];
        return said[span.className] ?? '';
      })
      .join('');
  const drawn = new MutationObserver(() => {
    for (const line of document.querySelectorAll('.editor-instance .view-line')) {
      hintOf(line);
    }
  });
  for (const lines of document.querySelectorAll('.editor-instance .view-lines')) {
    drawn.observe(lines, { subtree: true, childList: true, attributes: true });
  }
  const frames: EditorFrame[] = [];
  window.twoHeadsFrames = frames;
  let last = '';
  const look = (): void => {
    const frame = {
      lines: sorted('.editor-instance .view-line').map((line) => ({ text: textOf(line), hint: hintOf(line) })),
      lenses: sorted('.codelens-decoration').map(textOf),
      status: sorted('.part.statusbar .statusbar-item').map(textOf),
    };
    const text = JSON.stringify(frame);
    if (text !== last) {
      frames.push(frame);
      last = text;
    }
    if (window.twoHeadsFrames === frames) {
      requestAnimationFrame(look);
    } else {
      drawn.disconnect();
    }
  };
  look();
}

/** Ends the recording, and returns it. */
export function takeFrames(): readonly EditorFrame[] {
  const frames = window.twoHeadsFrames ?? [];
  window.twoHeadsFrames = undefined;
  return frames;
}
