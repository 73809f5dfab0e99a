import { chooseTiles, massIndex, type TileChoice } from '../chosen/choice';
import { causalTiles, sampleBudget, tileBudget, type TileRule } from '../chosen/rule';
import { formatNumberOf } from '../format';
import { uniform } from '../math/random';
import { callPalette, type Drawing, element, hatchFill, ink, movedTo, page, textAt } from './svg';

/** The choice to draw. */
interface ChosenPictureRequest {
  readonly name: string;
  readonly title: string;
  /** T. */
  readonly blocks: number;
  readonly rule: TileRule;
  /** What the heads look at: how fast the mass of key blocks falls with their distance. */
  readonly heads: readonly { readonly label: string; readonly decay: number }[];
}

const cell = 28;
const gap = 34;
const line = 20;

/** The looks of each kind of tile, in the order of the legend. */
const kinds = [
  { kind: 'own', label: 'own key block: always read', fill: callPalette[0] },
  { kind: 'chosen', label: 'chosen by its mass', fill: callPalette[5] },
  { kind: 'sampled', label: 'sampled: stands for those that are not read', fill: callPalette[2] },
  { kind: 'left', label: 'not read: the darker, the more mass', fill: ink.paper },
] as const;
type ChosenKind = (typeof kinds)[number]['kind'];

/** The tiles that `adaptive` reads in a layer of some heads, chosen by the code that chooses them in a run, from masses drawn at random. */
export function chosenPicture({ name, title, blocks, rule, heads }: ChosenPictureRequest): string {
  const masses = heads.map(({ decay }, head) => randomMasses(blocks, decay, head + 1));
  const choice = chooseTiles(masses, blocks, rule);
  const grids = heads.map(({ label }, head) => drawHead(name, label, masses[head], choice, head));
  const legend = drawLegend(name);
  const across = grids.reduce((sum, { width }) => sum + width + gap, -gap);
  const top = Math.max(...grids.map(({ height }) => height));
  const markup =
    grids.map(({ markup: own, width }, at) => movedTo(at * (width + gap), 0, own)).join('') + movedTo(0, top + line, legend.markup);
  const budget = tileBudget(rule, blocks);
  const read = heads.map((_, head) => choice.tilesOf(head).tiles);
  const caption = [
    `${rule.share}% of the ${causalTiles(blocks)} causal tiles of a head are ${budget}, and ${heads.length} heads have ${heads.length * budget} together: ${read.join(' and ')} of them here, whatever leaves least unread. ${formatNumberOf(heads.length * sampleBudget(rule, blocks), 'tile')} of the budget are sampled. The masses are drawn at random; the choice is made as in a run.`,
  ];
  const description = `A grid of ${blocks} query blocks by ${blocks} key blocks for each of ${heads.length} heads. ${caption.join(' ')}`;
  return page({ name, title, description, body: { markup, width: across, height: top + line + legend.height }, caption });
}

/** Masses of the key blocks before each query block, by `massIndex`: they fall with the distance, unevenly, and add up to 1 with its own. */
function randomMasses(blocks: number, decay: number, seed: number): Float32Array {
  const next = uniform(seed);
  const masses = new Float32Array(massIndex(blocks, 0));
  for (let query = 1; query < blocks; query += 1) {
    const weights = Array.from({ length: query }, (_, key) => Math.exp(2 * next() - decay * (query - key)));
    const sum = weights.reduce((total, weight) => total + weight, 1);
    weights.forEach((weight, key) => (masses[massIndex(query, key)] = weight / sum));
  }
  return masses;
}

function drawHead(name: string, label: string, masses: Float32Array, choice: TileChoice, head: number): Drawing {
  const { blocks } = choice;
  const tiles = Array.from({ length: blocks }, (_, query) => {
    const { chosen, sampled } = choice.of(head, query);
    return Array.from({ length: query + 1 }, (__, key) => {
      const kind = key === query ? 'own' : chosen.includes(key) ? 'chosen' : sampled.includes(key) ? 'sampled' : 'left';
      return drawTile(name, kind, key * cell, query * cell, kind === 'left' ? masses[massIndex(query, key)] : 0);
    }).join('');
  });
  const side = blocks * cell;
  const markup =
    textAt(0, 12, `${label}: key blocks →, query blocks ↓`, { 'font-size': 12, fill: ink.muted }) +
    movedTo(0, line, ...tiles, element('rect', { width: side, height: side, fill: 'none', stroke: ink.frame }));
  return { markup, width: side, height: line + side };
}

function drawTile(name: string, kind: ChosenKind, x: number, y: number, mass: number): string {
  const { fill } = kinds.find((each) => each.kind === kind) ?? kinds[0];
  const at = { x: x + 1, y: y + 1, width: cell - 2, height: cell - 2 };
  const shade = mass === 0 ? '' : element('rect', { ...at, fill: ink.line, opacity: Math.min(0.6, 3 * mass) });
  // Told apart without colour, too.
  const hatch =
    kind === 'sampled'
      ? element(
          'g',
          { transform: `translate(${at.x} ${at.y}) scale(${at.width})` },
          element('rect', { width: 1, height: 1, fill: hatchFill(name) }),
        )
      : '';
  return element('rect', { class: kind, ...at, fill, stroke: ink.frame }) + shade + hatch;
}

function drawLegend(name: string): Drawing {
  const items = kinds.map(({ kind, label }, index) =>
    movedTo(
      0,
      index * (cell + 4),
      drawTile(name, kind, 0, 0, kind === 'left' ? 0.05 : 0),
      textAt(cell + 8, cell / 2 + 4, label, { 'font-size': 12 }),
    ),
  );
  return { markup: items.join(''), width: 0, height: kinds.length * (cell + 4) };
}
