import type { Mask } from '../scenario/mask';
import { type TileRun, tileRuns } from '../scenario/tile-runs';
import { blockEnd, blockStart, type Partition } from '../plan/partition';
import { type Arrangement, type ArrangementRequest, noToken, type Pattern } from './arrangement';
import { coverOf, mostColumns, type Separation } from './cover';
import { blocksOf, openTile } from './tiles';

/** Calls whose covers are looked at to say how wide the widest is; where there are more, it is the most that a call can need. */
const lookedAt = 16;

/**
 * Any mask through an oracle that takes none (`tight`, an extension of the paper): a call for each tile with a visible pair, whose hidden
 * pairs are covered by separation columns.
 *
 * A cover needs at most a column for each query, so a tile of at most 256 queries is one call; of a larger one that hides something, 256
 * queries at a time are. V counts these calls.
 */
export function coveredTiles(request: ArrangementRequest, mask: Mask): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const blocks = Array.from({ length: cut.blocks }, (_, block) => block);
  const known: (readonly TileRun[])[] = [];
  // Seeing rectangles of a written mask takes of its budget: once for each block.
  const runsOf = (queryBlock: number): readonly TileRun[] => (known[queryBlock] ??= tileRuns(mask, cut, queryBlock));
  const stripsOf = (queryBlock: number, { kind }: TileRun): number =>
    kind === 'full' ? 1 : Math.ceil((blockEnd(cut, queryBlock) - blockStart(cut, queryBlock)) / mostColumns);
  const callsOf = (queryBlock: number): number =>
    runsOf(queryBlock).reduce((sum, run) => sum + (run.to - run.from) * stripsOf(queryBlock, run), 0);
  const patternsOf = function* (queryBlock: number): Generator<Pattern> {
    for (const run of runsOf(queryBlock)) {
      for (let keyBlock = run.from; keyBlock < run.to; keyBlock += 1) {
        for (let strip = 0; strip < stripsOf(queryBlock, run); strip += 1) {
          const tile = openTile(shape.rows, cut, queryBlock, keyBlock);
          yield run.kind === 'full' ? tile : coveredStrip(tile, mask, cut, keyBlock, strip);
        }
      }
    }
  };
  const strips = Math.ceil(cut.blockSize / mostColumns);
  return {
    ...shape,
    statement: 'Extension, any mask',
    get separation() {
      let widest = 0;
      let seen = 0;
      for (const block of blocks) {
        for (const { separation } of patternsOf(block)) {
          seen += separation === undefined ? 0 : 1;
          if (seen > lookedAt) {
            return Math.min(cut.blockSize, mostColumns);
          }
          widest = Math.max(widest, separation?.width ?? 0);
        }
      }
      return widest;
    },
    patternsOf,
    countOf: (queryBlock) => ({ causal: 0, open: callsOf(queryBlock) }),
    get formula() {
      return [{ text: 'V', patterns: blocks.reduce((sum, block) => sum + callsOf(block), 0) }];
    },
    bound: [{ text: strips === 1 ? 'T^2' : `${strips} T^2`, patterns: strips * cut.blocks ** 2 }],
  };
}

/** The queries of a tile that belong to one strip, with the columns that hide from them what the mask hides. */
function coveredStrip(tile: Pattern, mask: Mask, cut: Partition, keyBlock: number, strip: number): Pattern {
  const [firstRow, endRow] = [1 + strip * mostColumns, 1 + (strip + 1) * mostColumns];
  const queries = tile.queries.map((query, row) => (row >= firstRow && row < endRow ? query : noToken));
  return { ...tile, queries, separation: hiddenCover(queries, mask, blockStart(cut, keyBlock), blockEnd(cut, keyBlock)) };
}

/** A cover of what the mask hides of the keys `[from, to)`, which stand in rows 1 and on. */
function hiddenCover(queries: Int32Array, mask: Mask, from: number, to: number): Separation {
  return coverOf(
    Array.from(queries, (query) => {
      const rows: number[] = [];
      for (let key = from; query !== noToken && key < to; key += 1) {
        if (!mask.allows(query, key)) {
          rows.push(1 + key - from);
        }
      }
      return rows;
    }),
  );
}
