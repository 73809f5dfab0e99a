/**
 * A recording of what an editor shows while something happens, frame by frame. As in `page-readers.ts`, the functions run
 * inside VS Code's page, so each is complete in itself.
 */

/** One frame, where it differs from the one before. */
export interface EditorFrame {
  /** The lines on screen with the hints in them, top to bottom. */
  readonly lines: readonly string[];
  readonly lenses: readonly string[];
  readonly status: readonly string[];
}

interface PageElement {
  readonly textContent: string | null;
  getBoundingClientRect(): { readonly y: number };
}
declare const document: { querySelectorAll(selector: string): Iterable<PageElement> };
declare const window: { twoHeadsFrames?: EditorFrame[] | undefined };
declare function requestAnimationFrame(callback: () => void): void;

/** Begins to record, from the frame that is there now. */
export function recordFrames(): void {
  const read = (selector: string): string[] =>
    [...document.querySelectorAll(selector)]
      .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
      .map(({ textContent }) => (textContent ?? '').replaceAll('\u00a0', ' ').replaceAll('\u200a', ''));
  const frames: EditorFrame[] = [];
  window.twoHeadsFrames = frames;
  let last = '';
  const look = (): void => {
    const frame = {
      lines: read('.editor-instance .view-line'),
      lenses: read('.codelens-decoration'),
      status: read('.part.statusbar .statusbar-item'),
    };
    const text = JSON.stringify(frame);
    if (text !== last) {
      frames.push(frame);
      last = text;
    }
    if (window.twoHeadsFrames === frames) {
      requestAnimationFrame(look);
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
