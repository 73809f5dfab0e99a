import { formatCount } from '../../src/core/format';
import { scenarioLabel } from '../../src/core/masks';
import { blockEnd, blockStart } from '../../src/core/plan/partition';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import type { Tile } from './geometry';

/** What each kind of tile means, for the legend. */
export const kindMeanings: Readonly<Record<TileKind, string>> = {
  full: 'every pair is visible',
  partial: 'the mask hides some pairs',
  sampled: 'one random block of keys',
};

/** A tile in a sentence, such as `query block 3 (tokens 513–768) reads key block 1 (tokens 1–256): full tile`. */
export function tileSentence(plan: Plan, { queryBlock, keyBlock, kind }: Tile): string {
  const query = `query ${blockName(plan, queryBlock)}`;
  return kind === 'sampled'
    ? `${query} reads one random block of keys: sampled tile`
    : `${query} reads key ${blockName(plan, keyBlock)}: ${kind} tile`;
}

/** The whole map in a sentence, for readers who do not see it. */
export function mapSummary({ blocks, scenario, tiles, tilesByKind }: Plan): string {
  const kinds = (Object.keys(tilesByKind) as TileKind[])
    .filter((kind) => tilesByKind[kind] > 0)
    .map((kind) => `${formatCount(tilesByKind[kind])} ${kind}`);
  const square = `${formatCount(blocks)} query blocks by ${formatCount(blocks)} key blocks`;
  return `Tile map, ${scenarioLabel(scenario)}: ${square}, ${formatCount(tiles)} tiles (${kinds.join(', ')}).`;
}

/** What a reader must know of the picture as it is drawn, or an empty text. */
export function mapRemark({ tilesByKind, blocks }: Plan, sidePixels: number): string {
  const remarks: string[] = [];
  if (tilesByKind.sampled > 0) {
    remarks.push('The tile in column t stands for one random block of keys, not for key block t.');
  }
  if (blocks > sidePixels) {
    const shared = formatCount(Math.ceil(blocks / sidePixels));
    remarks.push(`One pixel shows up to ${shared} × ${shared} tiles.`);
  }
  return remarks.join(' ');
}

/** The tokens of a block, 1-based, such as `513–768`. */
export function tokenRange(plan: Plan, block: number): string {
  const first = blockStart(plan, block) + 1;
  const last = blockEnd(plan, block);
  return first === last ? formatCount(first) : `${formatCount(first)}–${formatCount(last)}`;
}

function blockName(plan: Plan, block: number): string {
  const range = tokenRange(plan, block);
  return `block ${formatCount(block + 1)} (token${/\D/.test(range.replaceAll(',', '')) ? 's' : ''} ${range})`;
}
