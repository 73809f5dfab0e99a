import { formatCount, formatNumberOf } from '../format';
import { partition } from '../plan/partition';
import { QueryBlockWriter } from '../plan/query-blocks';
import { chosenRuns, sampledRun, tileCount, type TileKind, tileRuns } from '../plan/tiles';
import { isSampled, maskOf, type Scenario, scenarioLabel, tileRuleOf } from '../scenario/scenario';
import { mapSvg } from './map/svg';
import { wholeMap } from './map/viewport';
import { callPalette, ink } from './svg';

/** The run whose tiles are drawn. */
interface TilePictureRequest {
  /** Prefix of the ids in it. */
  readonly name: string;
  readonly title: string;
  /** N. */
  readonly tokens: number;
  /** Tokens of a block. */
  readonly blockSize: number;
  readonly scenario: Scenario;
}

/** Rows that are drawn at most: a report from elsewhere may name millions of blocks. */
const mostRows = 512;

/** Fills that tell the kinds of tile apart without colour too. */
const looks = {
  full: { colour: callPalette[0], pattern: 'solid' },
  partial: { colour: callPalette[1], pattern: 'hatched' },
  sampled: { colour: callPalette[3], pattern: 'dotted' },
  chosen: { colour: callPalette[0], pattern: 'dotted' },
} as const;

const labels: Readonly<Record<TileKind, string>> = {
  full: 'every pair is visible',
  partial: 'some pairs are masked',
  sampled: 'a random block of keys (theorem 4.1)',
  chosen: 'some of these, chosen in the run',
};

/**
 * The tile map of a run for its report, which keeps no tiles: they follow from its scenario. Where layers differ, a tile is
 * there that some layer reads.
 */
export function tilePicture({ name, title, tokens, blockSize, scenario }: TilePictureRequest): string {
  const { blocks } = partition(tokens, blockSize);
  const together = Math.ceil(blocks / mostRows);
  const cut = partition(tokens, blockSize * together);
  const mask = maskOf(scenario, tokens);
  const writer = new QueryBlockWriter();
  const present = new Set<TileKind>();
  for (let block = 0; block < cut.blocks; block += 1) {
    const runs = tileRuleOf(scenario) ? chosenRuns(block) : isSampled(scenario) ? [sampledRun(block)] : tileRuns(mask, cut, block);
    writer.add(runs, tileCount(runs));
    runs.forEach(({ kind }) => present.add(kind));
  }
  const what = `${scenarioLabel(scenario)}: ${formatNumberOf(tokens, 'token')} in ${formatNumberOf(blocks, 'block')} of ${formatCount(blockSize)}${together === 1 ? '' : `, drawn ${together} at a time`}.`;
  return mapSvg({
    name,
    queryBlocks: writer.finish(),
    shown: wholeMap(cut.blocks),
    title,
    description: `${what} A map of query blocks by key blocks. Blank: no call.`,
    axes: `${what} Query blocks ↓ key blocks →`,
    legend: (Object.keys(labels) as TileKind[]).filter((kind) => present.has(kind)).map((kind) => ({ kind, label: labels[kind] })),
    looks,
    foreground: ink.text,
    muted: ink.muted,
    background: ink.paper,
    fontFamily: "system-ui, -apple-system, 'Segoe UI', sans-serif",
  });
}
