import type { TokenCurves } from '../../atlas/by-token';
import { linearAxis } from '../plot';
import { type Drawing, element, ink, movedTo, textAt } from '../svg';
import { formatCount } from '../../format';

/** Height of a curve, room for its axis and heading, and points to a pixel at most. */
const [height, axis, heading] = [70, 34, 20];

/** Loss and divergence token by token, a curve each. */
export function drawLosses({ stretch, loss, divergence }: TokenCurves, tokens: number, width: number): Drawing {
  const curves = [
    { title: 'Loss by token, nats', values: loss, colour: ink.muted },
    ...(divergence === null ? [] : [{ title: 'KL by token, nats: what the mask changes', values: divergence, colour: '#c4501b' }]),
  ];
  const pitch = height + heading + 14;
  const long = width - axis;
  const markup = curves.map(({ title, values, colour }, index) => {
    const points = peaks(values, Math.floor(long / 2));
    const { at, ticks } = linearAxis([0, ...points], height, 0);
    const step = long / points.length;
    const line = points.map((value, place) => `${place === 0 ? 'M' : 'L'}${round((place + 0.5) * step)} ${round(at(value))}`).join('');
    return movedTo(
      0,
      index * pitch,
      textAt(axis, 12, title, { 'font-size': 12, 'font-weight': 600 }),
      movedTo(
        axis,
        heading,
        ...ticks
          .filter((_, tick) => tick % 2 === 0)
          .map((tick) => textAt(-6, tick.at + 4, tick.label, { 'font-size': 10, fill: ink.muted, 'text-anchor': 'end' })),
        element('path', { d: `M0 ${round(at(0))}h${long}`, stroke: ink.frame }),
        element('path', { d: line, fill: 'none', stroke: colour, 'stroke-width': 1 }),
      ),
    );
  });
  const grain = stretch === 1 ? '' : `, means over ${formatCount(stretch)} tokens`;
  const end = textAt(width, curves.length * pitch, `token 2 to ${formatCount(tokens)}${grain}; of tokens that share a point the highest`, {
    'font-size': 11,
    fill: ink.muted,
    'text-anchor': 'end',
  });
  return { markup: [...markup, end].join(''), width, height: curves.length * pitch + 6 };
}

/** At most so many points: of neighbours that share one, the highest. */
function peaks(values: readonly number[], most: number): number[] {
  const each = Math.ceil(values.length / most);
  return Array.from({ length: Math.ceil(values.length / each) }, (_, index) => Math.max(...values.slice(index * each, (index + 1) * each)));
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
