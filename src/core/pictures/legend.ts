import { hatchFill, type Drawing } from '../draw/svg';
import { callPalette, ink } from './palette';
import { element, movedTo, textAt } from './svg';

/** What a fill means. */
export interface LegendItem {
  readonly kind: 'call' | 'synthetic' | 'masked' | 'separated' | 'taken' | 'cancelled' | 'unread' | 'sink';
  readonly label: string;
}

const line = 19;
const side = 13;

/** The meanings of fills, one a line. */
export function drawLegend(name: string, items: readonly LegendItem[]): Drawing {
  const lines = items.map(({ kind, label }, index) => movedTo(0, index * line, swatch(name, kind), textAt(side + 9, 11, label)));
  return { markup: element('g', { 'font-size': 11.5 }, ...lines), width: 300, height: items.length * line };
}

function swatch(name: string, kind: LegendItem['kind']): string {
  const square = (fill: string, opacity = 1): string => element('rect', { width: 1, height: 1, fill, 'fill-opacity': opacity });
  const fills: Readonly<Record<LegendItem['kind'], string>> = {
    call: square(callPalette[0]),
    synthetic: square(ink.synthetic),
    masked: square(ink.masked),
    separated: element('path', { d: 'M.3 .3l.4 .4m0-.4l-.4 .4', stroke: ink.muted, 'stroke-width': 0.09 }),
    taken: square(callPalette[0]) + square(hatchFill(name), 0.55),
    cancelled: square(callPalette[0], 0.35) + square(hatchFill(name), 0.55),
    unread: square(ink.unread),
    sink: element('rect', { x: 0.12, y: 0.12, width: 0.76, height: 0.76, rx: 0.1, fill: 'none', stroke: ink.line, 'stroke-width': 0.12 }),
  };
  return (
    element('g', { transform: `scale(${side})` }, fills[kind]) +
    element('rect', { x: 0.5, y: 0.5, width: side - 1, height: side - 1, fill: 'none', stroke: ink.line, 'stroke-opacity': 0.35 })
  );
}
