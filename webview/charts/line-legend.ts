import { element, setAttributes, type Attributes } from '../dom';
import type { LineSeries, Shape } from './line-model';

/** Paths of the shapes within 5 units of (0, 0); those of lines alone are not filled. */
const paths: Readonly<Record<Shape, string>> = {
  circle: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z',
  ring: 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z',
  square: 'M-3.5-3.5h7v7h-7z',
  triangle: 'M0-4.5l4.5 8h-9z',
  diamond: 'M0-5l5 5l-5 5l-5-5z',
  cross: 'M-3.5-3.5l7 7m0-7l-7 7',
  star: 'M-3.5-3.5l7 7m0-7l-7 7M0-4.5v9M-4.5 0h9',
};
const outlines: readonly Shape[] = ['ring', 'cross', 'star'];

/** Entries of a legend: each series as it is drawn, with its label. */
export function lineLegend(series: readonly LineSeries[]): HTMLElement[] {
  return series.map((each) =>
    element('li', { class: each.emphasised === true ? 'emphasised' : null }, swatch(each), element('span', {}, each.label)),
  );
}

function swatch({ colour, shape, line, emphasised }: LineSeries): SVGElement {
  const dashes = line === 'dashed' ? '6 4' : line === 'steps' ? '2 3' : null;
  const strokes =
    line === 'none' ? [] : [svg('path', { d: 'M-13 0H13', 'stroke-width': emphasised === true ? 2.5 : 1.3, 'stroke-dasharray': dashes })];
  const marks = shape === null ? [] : [svg('path', { class: outlines.includes(shape) ? 'outline' : 'filled', d: paths[shape] })];
  return svg(
    'svg',
    { class: `line-swatch of-${colour}`, viewBox: '-14 -6 28 12', width: 28, height: 12, 'aria-hidden': 'true' },
    ...strokes,
    ...marks,
  );
}

function svg(tag: 'svg' | 'path', attributes: Attributes, ...children: readonly SVGElement[]): SVGElement {
  const built = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAttributes(built, attributes);
  built.append(...children);
  return built;
}
