import { formatCount } from '../../src/core/format';
import type { Theme } from '../theme';
import type { Grid } from './geometry';
import type { Viewport } from './viewport';

/** Where the grid lies in its canvas. All lengths in device pixels. */
export interface MapLayout {
  readonly grid: Grid;
  /** Left and top edge of the grid: beside it and above it stand the axes. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
}

/** Largest side of the grid, and of one block in it, in CSS pixels. */
const largestSide = 460;
const largestCell = 40;
/** Room for the cursor's marks between axis labels and grid, and for outlines at the far edges, in CSS pixels. */
export const markSize = 7;
const margin = 3;

/** Size in CSS pixels of the text along the axes. */
export function axisFontSize(theme: Theme): number {
  return Math.max(10, theme.fontSize - 2);
}

/** Fits the map of `blocks` blocks into `width` CSS pixels. What is `shown` of it does not change its size. */
export function layoutOf(blocks: number, shown: Viewport, width: number, theme: Theme, ratio: number): MapLayout {
  const size = axisFontSize(theme);
  const labelWidth = formatCount(blocks).length * size * 0.62;
  const left = Math.round((labelWidth + markSize + 4) * ratio);
  const top = Math.round((size + markSize + 5) * ratio);
  const room = Math.floor((width - margin) * ratio) - left;
  const side = Math.max(16, Math.min(room, Math.floor(largestSide * ratio), Math.floor(blocks * largestCell * ratio)));
  const far = Math.round(margin * ratio);
  return { grid: { blocks, side, shown }, left, top, width: left + side + far, height: top + side + far, ratio };
}
