import { type Atlas, distanceLabels, layerMeans } from '../../atlas/atlas';
import { keptLabel } from '../../atlas/oracle-curve';
import { formatShare } from '../../format';
import { callPalette, type Drawing, element, escaped, ink, movedTo, textAt } from '../svg';

/** Height of a layer's bar, and room for its number and for a heading. */
const [bar, label, heading] = [16, 34, 44];

/** A part of a bar, from 0 to 1, and what a pointer over it says. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  readonly says: string;
}

/** The fewest tiles that keep shares of the mass of every query block, as a share of the tiles that are read, by layer. */
export function drawOracle({ layers, oracle }: Atlas, width: number): Drawing {
  const colours = ['#08519c', '#6baed6', '#c6dbef'];
  const rows = [...layers.map((curve) => ({ name: String(curve.layer + 1), curve })), { name: 'all', curve: oracle }];
  return drawBars(
    'Fewest tiles that keep the mass, of those read',
    oracle.kept.map(({ share }, index) => ({ label: keptLabel(share), colour: colours[index] })),
    rows.map(({ name, curve }) => ({
      name,
      parts: curve.kept.map(({ share, eachBlock }, index): Part => ({
        from: (curve.kept[index - 1]?.eachBlock ?? 0) / curve.tiles,
        to: eachBlock / curve.tiles,
        colour: colours[index],
        says: `${keptLabel(share)} of the mass: ${formatShare(eachBlock / curve.tiles)} of the tiles`,
      })),
    })),
    width,
  );
}

/** Mass by the distance between query block and key block, by layer. */
export function drawDistances(atlas: Atlas, width: number): Drawing {
  const rows = layerMeans(atlas);
  const labels = distanceLabels(rows[0].byDistance.length);
  return drawBars(
    'Mass by distance, in blocks',
    labels.map((text, index) => ({ label: text, colour: callPalette[index % callPalette.length] })),
    rows.map(({ layer, byDistance }) => {
      let from = 0;
      return {
        name: String(layer + 1),
        parts: byDistance.map((mass, index): Part => {
          const start = from;
          from += mass;
          return { from: start, to: from, colour: callPalette[index % callPalette.length], says: `${labels[index]}: ${formatShare(mass)}` };
        }),
      };
    }),
    width,
  );
}

function drawBars(
  title: string,
  legend: readonly { readonly label: string; readonly colour: string }[],
  rows: readonly { readonly name: string; readonly parts: readonly Part[] }[],
  width: number,
): Drawing {
  const long = width - label - 8;
  let x = label;
  const keys = legend.map(({ label: text, colour }) => {
    const key = movedTo(
      x,
      20,
      element('rect', { width: 12, height: 12, fill: colour }),
      textAt(16, 10, text, { 'font-size': 11, fill: ink.muted }),
    );
    x += 26 + 6.5 * text.length;
    return key;
  });
  const drawn = rows.map(({ name, parts }, index) =>
    movedTo(
      0,
      heading + index * bar,
      textAt(label - 8, 11, name, { 'font-size': 11, fill: ink.muted, 'text-anchor': 'end' }),
      element('rect', { x: label, width: long, height: bar - 3, fill: ink.unread }),
      ...parts.map(({ from, to, colour, says }) =>
        element(
          'rect',
          { x: label + from * long, width: Math.max(0, to - from) * long, height: bar - 3, fill: colour },
          element('title', {}, escaped(says)),
        ),
      ),
    ),
  );
  return {
    markup: [textAt(label, 10, title, { 'font-size': 12, 'font-weight': 600 }), ...keys, ...drawn].join(''),
    width,
    height: heading + rows.length * bar,
  };
}
