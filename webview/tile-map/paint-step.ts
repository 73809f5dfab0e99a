import type { OrderStep } from '../../src/core/plan/call-order';
import type { Theme } from '../theme';
import { boxesOf, type Box } from './areas';
import type { MapLayout } from '../map/layout';

/** How much of what is not read yet shines through. */
const notYet = 0.2;
/** Sides of what a step reads in CSS pixels: at least, and from where on an outline leaves its pattern to be seen. */
const leastSide = 3;
const outlinedSide = 8;

/** Draws the map in the middle of a run: what is read at this step, what was read before, and the rest faint. */
export function paintStep(
  pen: CanvasRenderingContext2D,
  picture: CanvasImageSource,
  layout: MapLayout,
  step: OrderStep,
  theme: Theme,
): void {
  const { grid, left, top, ratio } = layout;
  const paintPicture = ({ x, y }: Box): void => {
    const place = [left + x.from, top + y.from, x.to - x.from, y.to - y.from] as const;
    pen.clearRect(...place);
    pen.drawImage(picture, ...place, ...place);
  };
  pen.fillStyle = theme.background;
  pen.globalAlpha = 1 - notYet;
  pen.fillRect(left, top, grid.side, grid.side);
  pen.globalAlpha = 1;
  const before = { queries: { from: 0, to: step.doneBlocks }, keys: { from: 0, to: grid.blocks }, diagonal: false };
  for (const area of step.doneBlocks > 0 ? [before, ...step.done] : step.done) {
    boxesOf(area, grid).forEach(paintPicture);
  }
  pen.fillStyle = theme.foreground;
  pen.strokeStyle = theme.foreground;
  pen.lineWidth = 2 * ratio;
  for (const box of step.current.flatMap((area) => boxesOf(area, grid))) {
    const [x, y] = [atLeast(box.x, leastSide * ratio), atLeast(box.y, leastSide * ratio)];
    if (Math.min(x.length, y.length) < outlinedSide * ratio) {
      pen.fillRect(left + x.from, top + y.from, x.length, y.length);
    } else {
      paintPicture(box);
      pen.strokeRect(left + x.from + ratio, top + y.from + ratio, x.length - 2 * ratio, y.length - 2 * ratio);
    }
  }
}

function atLeast({ from, to }: Box['x'], least: number): { readonly from: number; readonly length: number } {
  const grow = Math.max(0, (least - (to - from)) / 2);
  return { from: from - grow, length: to - from + 2 * grow };
}
