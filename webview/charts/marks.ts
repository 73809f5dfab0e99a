import type { PointStyle } from 'chart.js';
import { markColour, type PointMark, type PointShape, shapePaths } from '../../src/core/draw/point-marks';
import { type Attributes, setAttributes } from '../dom';
import type { Colour, Theme } from '../theme';

/** How a line and its points look; a line without points has no shape. */
export type LineMark = Omit<PointMark, 'shape'> & { readonly shape: PointShape | null };

/** The mark of what is no point of an experiment, such as a bound. */
export function plainMark(hue: Colour, shape: PointShape | null, hollow = false): LineMark {
  return { hue, strength: hue === 'foreground' ? 1 : 0.3, shape, hollow };
}

const styles: Readonly<Record<PointShape, { readonly style: PointStyle; readonly turned: number }>> = {
  circle: { style: 'circle', turned: 0 },
  square: { style: 'rect', turned: 0 },
  triangle: { style: 'triangle', turned: 0 },
  diamond: { style: 'rectRot', turned: 0 },
  down: { style: 'triangle', turned: 180 },
  plus: { style: 'cross', turned: 0 },
  cross: { style: 'crossRot', turned: 0 },
  star: { style: 'star', turned: 0 },
};

/** A mark's point as Chart.js draws it. @param pale with a fill that lets it stand back */
export function pointStyleOf(
  { shape, hollow, ...mark }: LineMark,
  { ground, background }: Theme,
  pale = false,
): { readonly colour: string; readonly fill: string; readonly style: PointStyle | false; readonly turned: number } {
  const colour = markColour(mark, ground);
  const { style, turned } = shape === null ? { style: false as const, turned: 0 } : styles[shape];
  return { colour, fill: hollow ? background : pale ? `${colour}40` : colour, style, turned };
}

/** A mark as charts draw it, for legends; the style sheet chooses its colour by the theme. @param line the stroke through it, where there is one */
export function markSwatch(mark: LineMark, line?: { readonly dashes: string | null; readonly width: number }): SVGElement {
  const across = line === undefined ? 14 : 28;
  const built = svg('svg', {
    class: 'mark-swatch',
    viewBox: `${-across / 2} -7 ${across} 14`,
    width: across,
    height: 14,
    'aria-hidden': 'true',
  });
  built.style.setProperty('--on-light', markColour(mark, 'light'));
  built.style.setProperty('--on-dark', markColour(mark, 'dark'));
  if (line !== undefined) {
    built.append(svg('path', { class: 'line', d: 'M-13 0H13', 'stroke-width': line.width, 'stroke-dasharray': line.dashes }));
  }
  if (mark.shape !== null) {
    built.append(svg('path', { d: shapePaths[mark.shape], class: mark.hollow ? 'hollow' : null }));
  }
  return built;
}

function svg(tag: 'svg' | 'path', attributes: Attributes): SVGElement {
  const built = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAttributes(built, attributes);
  return built;
}
