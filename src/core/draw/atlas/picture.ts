import type { Atlas } from '../../atlas/atlas';
import { formatCount, formatNumberOf, formatShare } from '../../format';
import type { RunReport } from '../../report/report';
import { scenarioLabel } from '../../scenario/scenario';
import { visible } from '../../text/printable';
import { type Drawing, movedTo, page } from '../svg';
import { drawDistances, drawOracle } from './bars';
import { drawLosses } from './losses';
import { drawMaps, massLegend } from './maps';

/** Width of the picture's body, and room between its parts. */
const [width, gap] = [770, 24];

/** An atlas as one SVG document: the masses of every head, the fewest tiles, mass by distance, and losses by token. @param name prefix of the ids in it */
export function atlasPicture(
  { prompt, model, scenario, plan, atlas, byToken }: RunReport & { readonly atlas: Atlas },
  name = 'atlas',
): string {
  const cut = { tokens: prompt.tokens, blockSize: plan.blockSize, blocks: plan.blocks };
  const maps = drawMaps(name, atlas, cut, width);
  const half = (width - gap) / 2;
  const [oracle, distances] = [drawOracle(atlas, half), drawDistances(atlas, half)];
  const beside: Drawing = {
    markup: oracle.markup + movedTo(half + gap, 0, distances.markup),
    width,
    height: Math.max(oracle.height, distances.height),
  };
  const losses = !byToken || byToken.loss.length === 0 ? [] : [drawLosses(byToken, prompt.tokens, width)];
  const what = `${visible(prompt.path)}: ${formatNumberOf(prompt.tokens, 'token')}, ${formatNumberOf(plan.blocks, 'block')} of ${formatCount(plan.blockSize)}, ${visible(model.name)}`;
  return page({
    name,
    title: 'Where attention goes',
    description: `${what}. A map of query blocks by key blocks for each head of each layer, coloured by the share of the weights; then the fewest tiles that keep most of it, and its distances, by layer.`,
    body: stacked([maps, massLegend(name, atlas.cut !== null), beside, ...losses]),
    caption: [
      `${what}, ${scenarioLabel(scenario)}. Query blocks downwards, key blocks to the right; colour: mean weight that the queries of a cell give to its keys.`,
      ...(atlas.cut === null
        ? []
        : [
            `Hatched: ${scenarioLabel(atlas.cut.scenario)} cuts off at least half of the cell's mass; ${formatShare(atlas.cut.share)} of all.`,
          ]),
    ],
  });
}

/** Drawings one below the other. */
function stacked(drawings: readonly Drawing[]): Drawing {
  let top = 0;
  const markup = drawings.map((drawing) => {
    const placed = movedTo(0, top, drawing.markup);
    top += drawing.height + gap;
    return placed;
  });
  return { markup: markup.join(''), width, height: top - gap };
}
