import { formatCount, formatShare } from '../../src/core/format';
import type { LabAtlas } from '../../src/protocol/lab';
import { t } from '../l10n';
import type { Theme } from '../theme';
import { fontOf } from './picture';

/** Room of the axes, and of the strip of shares below the map, in CSS pixels. */
export const [axis, strip, gap] = [52, 34, 8];

/** The axes of a square map: tokens along keys, above, and queries, at the left. @param side of the square, in CSS pixels */
export function paintAxes(pen: CanvasRenderingContext2D, side: number, { partition: { tokens } }: LabAtlas, theme: Theme): void {
  pen.font = fontOf(theme);
  pen.fillStyle = theme.muted;
  pen.textBaseline = 'alphabetic';
  pen.textAlign = 'left';
  pen.fillText(t('keys, by token'), axis, 14);
  pen.textAlign = 'right';
  pen.save();
  pen.translate(12, axis);
  pen.rotate(-Math.PI / 2);
  pen.fillText(t('queries, by token'), 0, 0);
  pen.restore();
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const label = formatCount(Math.max(1, Math.round(part * tokens)));
    pen.textAlign = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
    pen.textBaseline = 'alphabetic';
    pen.fillText(label, axis + part * side, axis - 6);
    pen.textAlign = 'right';
    pen.textBaseline = part === 0 ? 'top' : part === 1 ? 'bottom' : 'middle';
    pen.fillText(label, axis - 5, axis + part * side);
  }
}

/** Below the map: the share of each column. @param side of the square, in CSS pixels */
export function paintShares(pen: CanvasRenderingContext2D, shares: readonly number[], side: number, theme: Theme): void {
  const bottom = axis + side + gap + strip - 2;
  const most = Math.max(...shares);
  pen.fillStyle = theme.colours.blue;
  shares.forEach((mass, column) => {
    const [x, width] = [axis + (column * side) / shares.length, side / shares.length];
    const height = most === 0 ? 0 : (mass / most) * strip;
    pen.fillRect(x, bottom - height, Math.max(1, width - 1), height);
  });
  pen.fillStyle = theme.muted;
  pen.font = fontOf(theme, 0.8);
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  pen.fillText(formatShare(most), axis - 5, bottom - strip + 6);
}
