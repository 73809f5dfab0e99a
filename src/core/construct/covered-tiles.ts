import type { Mask, Range } from '../scenario/mask';
import { type TileRun, tileRuns } from '../scenario/tile-runs';
import { blockEnd, blockStart, type Partition } from '../plan/partition';
import { type Arrangement, type ArrangementRequest, noToken, type Pattern, type PatternFormula } from './arrangement';
import { coverOf, mostColumns, rangesName, type Separation } from './cover';
import { blocksOf, openTile } from './tiles';

/** Calls whose covers are looked at to say how wide the widest is; where there are more, it is the most that a call can need. */
const lookedAt = 16;

/**
 * Any mask through an oracle that takes none (`tight`, an extension of the paper): a call for each tile with a visible pair, whose hidden
 * pairs are covered by separation columns.
 *
 * A cover needs at most a column for each query, so a tile of at most 256 queries is one call; of a larger one that hides something, 256
 * queries at a time are. V counts the calls, and E those among them that hide something.
 */
export function coveredTiles(request: ArrangementRequest, mask: Mask): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const blocks = Array.from({ length: cut.blocks }, (_, block) => block);
  const known: (readonly TileRun[])[] = [];
  // Seeing rectangles of a written mask takes of its budget: once for each block.
  const runsOf = (queryBlock: number): readonly TileRun[] => (known[queryBlock] ??= tileRuns(mask, cut, queryBlock));
  const stripsOf = (queryBlock: number, { kind }: TileRun): number =>
    kind === 'full' ? 1 : Math.ceil((blockEnd(cut, queryBlock) - blockStart(cut, queryBlock)) / mostColumns);
  const callsOf = (queryBlock: number, kind: 'full' | 'partial'): number =>
    runsOf(queryBlock).reduce((sum, run) => sum + (run.kind === kind ? (run.to - run.from) * stripsOf(queryBlock, run) : 0), 0);
  const covers = new CoverCache();
  const patternsOf = function* (queryBlock: number): Generator<Pattern> {
    for (const run of runsOf(queryBlock)) {
      for (let keyBlock = run.from; keyBlock < run.to; keyBlock += 1) {
        for (let strip = 0; strip < stripsOf(queryBlock, run); strip += 1) {
          const tile = openTile(shape.rows, cut, queryBlock, keyBlock);
          yield run.kind === 'full' ? tile : coveredStrip(tile, mask, cut, keyBlock, strip, covers);
        }
      }
    }
  };
  const formula = (): PatternFormula => {
    const total = (kind: 'full' | 'partial'): number => blocks.reduce((sum, block) => sum + callsOf(block, kind), 0);
    return [
      { kind: 'open', text: '(V - E)', patterns: total('full') },
      { kind: 'covered', text: 'E', patterns: total('partial') },
    ];
  };
  return {
    ...shape,
    statement: 'Any mask by covers (extension)',
    get separation() {
      let widest = 0;
      let seen = 0;
      for (const block of blocks) {
        for (const { separation } of patternsOf(block)) {
          seen += separation === undefined ? 0 : 1;
          if (seen > lookedAt) {
            return { covered: Math.min(cut.blockSize, mostColumns) };
          }
          widest = Math.max(widest, separation?.width ?? 0);
        }
      }
      return { covered: widest };
    },
    patternsOf,
    countOf: (queryBlock) => ({ open: callsOf(queryBlock, 'full'), covered: callsOf(queryBlock, 'partial') }),
    get formula() {
      return formula();
    },
    get bound() {
      return formula();
    },
  };
}

/** The queries of a tile that belong to one strip, with the columns that hide from them what the mask hides. */
function coveredStrip(tile: Pattern, mask: Mask, cut: Partition, keyBlock: number, strip: number, covers: CoverCache): Pattern {
  const [firstRow, endRow] = [1 + strip * mostColumns, 1 + (strip + 1) * mostColumns];
  const queries = tile.queries.map((query, row) => (row >= firstRow && row < endRow ? query : noToken));
  const [from, to] = [blockStart(cut, keyBlock), blockEnd(cut, keyBlock)];
  const hidden = Array.from(queries, (query): Range[] => (query === noToken ? [] : hiddenRows(mask, query, from, to)));
  return { ...tile, queries, separation: covers.of(hidden) };
}

/** Of the keys `[from, to)`, which stand in rows 1 and on, the rows of those that are hidden from a query. */
function hiddenRows(mask: Mask, query: number, from: number, to: number): Range[] {
  const ranges: { from: number; to: number }[] = [];
  for (let key = from; key < to; key += 1) {
    if (!mask.allows(query, key)) {
      const row = 1 + key - from;
      const last = ranges.at(-1);
      if (last?.to === row) {
        last.to = row + 1;
      } else {
        ranges.push({ from: row, to: row + 1 });
      }
    }
  }
  return ranges;
}

/** Covers kept at most, each of up to 2 M 256 bytes: masks of a known form have a handful of different tiles. */
const mostKept = 64;

/** The latest covers, by what they hide: every layer has the same ones. */
class CoverCache {
  private readonly known = new Map<string, Separation>();

  of(hidden: readonly (readonly Range[])[]): Separation {
    const name = hidden.map(rangesName).join(';');
    const found = this.known.get(name) ?? coverOf(hidden);
    if (!this.known.has(name) && this.known.size === mostKept) {
      this.known.clear();
    }
    this.known.set(name, found);
    return found;
  }
}
