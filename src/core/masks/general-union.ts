import { visibleRanges, type GeneralMask, type Mask, type Range, type Sight } from '../scenario/mask';

/** The pairs that some of several masks admit, of any form. */
export function generalUnion(masks: readonly Mask[], tokens: number): GeneralMask {
  const allows = (query: number, key: number): boolean => masks.some((mask) => mask.allows(query, key));
  const ranges = (query: number): readonly Range[] => joined(masks.flatMap((mask) => visibleRanges(mask, query)));
  return {
    allows,
    ranges,
    visiblePairs: () => {
      let pairs = 0;
      for (let query = 0; query < tokens; query += 1) {
        pairs += ranges(query).reduce((sum, { from, to }) => sum + to - from, 0);
      }
      return pairs;
    },
    // Whether the union covers what no mask covers alone is seen query by query.
    sight: (queries, keys) => {
      let found: Sight | undefined;
      for (let query = queries.from; query < queries.to; query += 1) {
        const own = sightOf(ranges(query), keys);
        if (own === 'some' || (found !== undefined && found !== own)) {
          return 'some';
        }
        found = own;
      }
      return found ?? 'none';
    },
  };
}

function sightOf(ranges: readonly Range[], { from, to }: Range): Sight {
  const visible = ranges.reduce((sum, range) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from)), 0);
  return visible === 0 ? 'none' : visible === to - from ? 'all' : 'some';
}

/** Ranges in ascending order, those that overlap or touch as one. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const ascending: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.filter((range) => range.to > range.from).sort((one, other) => one.from - other.from)) {
    const last = ascending.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else {
      ascending.push({ from, to });
    }
  }
  return ascending;
}
