import { formatCount, formatDuration, formatFlops, formatRanges } from '../../src/core/format';
import type { TileCost } from '../../src/core/hints/tile-cost';
import { scenarioLabel } from '../../src/core/scenario/scenario';
import type { OrderStep, TileArea } from '../../src/core/plan/call-order';
import { blockEnd, blockStart } from '../../src/core/plan/partition';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import { t } from '../l10n';
import type { Tile } from '../../src/core/draw/map/geometry';

/** The number of tiles of each kind with its meaning, for the legend. */
export const kindCounts: Readonly<Record<TileKind, (count: string) => string>> = {
  full: (count) => t('{0} full: every pair is visible', count),
  partial: (count) => t('{0} partial: the mask hides some pairs', count),
  sampled: (count) => t('{0} sampled: one random block of keys', count),
  chosen: (count) => t('{0} chosen in the run, from the dotted ones', count),
};

/** What tells plans apart: every snapshot carries a copy of the plan, and its inputs say whether it is another one. */
export function planKey({ tokens, model, scenario, oracle, construction, scoreBytes }: Plan): string {
  return JSON.stringify([tokens, model, scenario, oracle, construction, scoreBytes]);
}

/** Shown in place of a tile's description while no tile is chosen. */
export function idleHint(): string {
  return t(
    'Point at a tile, or focus the map and use the arrow keys. Click or press Enter to select its text. Ctrl+wheel zooms, dragging moves the map.',
  );
}

/** Keyboard help. */
export function keysHelp(): string {
  return t(
    'Arrow keys move over the tiles, Home and End go to the row’s first and last tile, Page Up and Page Down move by a tenth of the rows, Enter selects the tile’s tokens in the editor. Plus and minus zoom, 0 shows the whole map, Shift with arrow keys moves the map.',
  );
}

/** A tile in a sentence, such as `query block 3 (tokens 513–768) reads key block 1 (tokens 1–256): full tile`. */
export function tileSentence(plan: Plan, { queryBlock, keyBlock, kind }: Tile): string {
  const query = blockName(plan, queryBlock);
  switch (kind) {
    case 'sampled':
      return t('query {0} reads one random block of keys: sampled tile', query);
    case 'chosen':
      return t('query {0} may read key {1}: the run chooses', query, blockName(plan, keyBlock));
    case 'full':
      return t('query {0} reads key {1}: full tile', query, blockName(plan, keyBlock));
    case 'partial':
      return t('query {0} reads key {1}: partial tile', query, blockName(plan, keyBlock));
  }
}

/** What a tile costs, such as `Call 12 of 36 in each of 6 layers · 201 MFLOP in all · about 1.9 ms`. */
export function costSentence({ layers, heads, firstCall, lastCall, layerCalls, ofQueryBlock, flops, expectedMs }: TileCost): string {
  const [first, last, of] = [firstCall, lastCall, layerCalls].map(formatCount);
  const calls = ofQueryBlock
    ? t('Its query block makes calls {0}–{1} of {2} in each of {3} layers; the tile’s share', first, last, of, layers)
    : firstCall === lastCall
      ? t('Call {0} of {1} in each of {2} layers', first, of, layers)
      : t('Calls {0}–{1} of {2} in each of {3} layers', first, last, of, layers);
  return [
    calls,
    ...(heads === undefined ? [] : [t('read by heads {0}', formatRanges(heads))]),
    t('{0} in all', formatFlops(flops)),
    ...(expectedMs === null ? [] : [t('about {0}', formatDuration(expectedMs))]),
  ].join(' · ');
}

/** A step of a run, such as `Step 12 of 96 of the last run, the same for every head of layers 1, 2, 3: query blocks 5–8 read 16 tiles`. */
export function stepSentence({ layers, heads, step, steps, byBlock, current }: OrderStep, ran: boolean): string {
  const place = [formatCount(step + 1), formatCount(steps), formatRanges(layers)] as const;
  const reading = readingOf(current);
  if (heads !== undefined) {
    const own = formatRanges(heads);
    return byBlock
      ? t('Query block {0} of {1}, the same for heads {3} of layers {2}: all of its calls', ...place, own)
      : t('Step {0} of {1}, the same for heads {3} of layers {2}: {4}', ...place, own, reading);
  }
  if (byBlock) {
    return ran
      ? t('Query block {0} of {1} of the last run, the same for every head of layers {2}: all of its calls', ...place)
      : t('Query block {0} of {1} of a run, the same for every head of layers {2}: all of its calls', ...place);
  }
  return ran
    ? t('Step {0} of {1} of the last run, the same for every head of layers {2}: {3}', ...place, reading)
    : t('Step {0} of {1} of a run, the same for every head of layers {2}: {3}', ...place, reading);
}

/** What the areas of one step read; they share their query blocks. */
function readingOf(areas: readonly TileArea[]): string {
  const [{ queries }] = areas;
  const rows = queries.to - queries.from;
  const tiles = areas.reduce((sum, { keys, diagonal }) => sum + (diagonal ? rows : rows * (keys.to - keys.from)), 0);
  if (tiles === 1) {
    return t('query block {0} reads one tile', formatCount(queries.to));
  }
  return rows === 1
    ? t('query block {0} reads {1} tiles at once', formatCount(queries.to), formatCount(tiles))
    : t('query blocks {0}–{1} read {2} tiles at once', formatCount(queries.from + 1), formatCount(queries.to), formatCount(tiles));
}

/** The whole map in a sentence, for screen readers. */
export function mapSummary({ blocks, scenario, tiles, tilesByKind }: Plan): string {
  const kinds = (Object.keys(tilesByKind) as TileKind[])
    .filter((kind) => tilesByKind[kind] > 0)
    .map((kind) => kindCounts[kind](formatCount(tilesByKind[kind])));
  return t(
    'Tile map, {0}: {1} query blocks by {1} key blocks, {2} tiles ({3}).',
    scenarioLabel(scenario),
    formatCount(blocks),
    formatCount(tiles),
    kinds.join(', '),
  );
}

/** Remarks on the map as drawn; may be empty. */
export function mapRemark({ tilesByKind }: Plan, blocksPerPixel: number): string {
  const remarks: string[] = [];
  if (tilesByKind.sampled > 0) {
    remarks.push(t('The tile in column t stands for one random block of keys, not for key block t.'));
  }
  if (tilesByKind.chosen > 0) {
    remarks.push(
      t('Which of the dotted tiles are read is chosen in the run, in each head of each layer; a query block reads as many on average.'),
    );
  }
  if (blocksPerPixel > 1) {
    remarks.push(t('One pixel shows up to {0} × {0} tiles.', formatCount(Math.ceil(blocksPerPixel))));
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
  const name = formatCount(block + 1);
  const range = tokenRange(plan, block);
  return blockEnd(plan, block) - blockStart(plan, block) === 1
    ? t('block {0} (token {1})', name, range)
    : t('block {0} (tokens {1})', name, range);
}
