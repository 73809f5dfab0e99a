import { massLevels } from '../../src/core/draw/atlas/maps';
import { formatShare } from '../../src/core/format';
import { element } from '../dom';
import { t } from '../l10n';
import type { Theme } from '../theme';

/** Shades of one hue from little to much: light to dark on a light ground, dark to light on a dark one. All colour vision orders them. */
const ramps = {
  light: massLevels.map(({ colour }) => colour),
  dark: ['#123049', '#1a4a70', '#22679b', '#3d8ac4', '#7ab6e2', '#d3ebfa'],
} as const;

/** How many shades there are. */
export const shadeCount = massLevels.length;

/** The shades for a theme, the least first. */
export function shadesOf({ ground }: Pick<Theme, 'ground'>): readonly string[] {
  return ramps[ground];
}

/** The shade of a share of the attention, from 0; -1 for what is too little to show. */
export function massLevel(mass: number): number {
  let level = -1;
  while (level + 1 < massLevels.length && mass >= massLevels[level + 1].from) {
    level += 1;
  }
  return level;
}

/** What the shades of masses mean. @param hatched whether some of it is cut off */
export function massLegend(hatched: boolean): HTMLElement[] {
  return [
    ...massLevels.map(({ from }, level) =>
      element(
        'li',
        {},
        element('span', { class: `swatch shade-${level}` }),
        element('span', {}, level === massLevels.length - 1 ? t('{0} or more', formatShare(from)) : formatShare(from)),
      ),
    ),
    ...(hatched ? [element('li', {}, element('span', { class: 'swatch cut-off' }), element('span', {}, t('cut off by the mask')))] : []),
  ];
}

/** Lines over what a mask cuts off, in the colour of the text: they show on every shade. */
export function hatch(pen: CanvasRenderingContext2D, colour: string): string | CanvasPattern {
  const square = document.createElement('canvas');
  square.width = 12;
  square.height = 12;
  const own = square.getContext('2d');
  if (own === null) {
    return colour;
  }
  own.strokeStyle = colour;
  own.lineWidth = 2;
  own.beginPath();
  // Three parallels, so that the corners continue in the neighbouring squares.
  for (const shift of [-12, 0, 12]) {
    own.moveTo(shift - 1, 13);
    own.lineTo(shift + 13, -1);
  }
  own.stroke();
  const pattern = pen.createPattern(square, 'repeat');
  pattern?.setTransform(new DOMMatrix().scale(0.5));
  return pattern ?? colour;
}
