import { formatCount, formatNumberOf } from '../format';
import { partition } from '../plan/partition';
import { type TileKind, tileRuns } from '../plan/tiles';
import { isSampled, maskOf, type Scenario, scenarioLabel } from '../scenario/scenario';
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
} as const;

const labels: Readonly<Record<TileKind, string>> = {
  full: 'every pair is visible',
  partial: 'some pairs are masked',
  sampled: 'a random block of keys (theorem 4.1)',
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
  const queryBlocks = Array.from({ length: cut.blocks }, (_, block) => ({
    runs: isSampled(scenario) ? [{ from: block, to: block + 1, kind: 'sampled' as const }] : tileRuns(mask, cut, block),
  }));
  const present = (Object.keys(labels) as TileKind[]).filter((kind) =>
    queryBlocks.some(({ runs }) => runs.some((run) => run.kind === kind)),
  );
  const what = `${scenarioLabel(scenario)}: ${formatNumberOf(tokens, 'token')} in ${formatNumberOf(blocks, 'block')} of ${formatCount(blockSize)}${together === 1 ? '' : `, drawn ${together} at a time`}.`;
  return mapSvg({
    name,
    queryBlocks,
    shown: wholeMap(cut.blocks),
    title,
    description: `${what} A map of query blocks by key blocks. Blank: no call.`,
    axes: `${what} Query blocks ↓ key blocks →`,
    legend: present.map((kind) => ({ kind, label: labels[kind] })),
    looks,
    foreground: ink.text,
    muted: ink.muted,
    background: ink.paper,
    fontFamily: "system-ui, -apple-system, 'Segoe UI', sans-serif",
  });
}
