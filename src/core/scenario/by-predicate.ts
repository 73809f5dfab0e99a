import { type Mask, type Range, visibleRanges } from './mask';

/**
 * The keys that a query sees, by the predicate alone: ascending ranges, none empty, that do not touch.
 *
 * What a mask says of itself in another form, from which plans are made, is a proposal here: it is taken where the predicate holds
 * at the first, the middle and the last key of each range, and nowhere at those of the gaps between them. Otherwise all keys are
 * asked, one after another.
 */
export function rangesByPredicate(mask: Mask, query: number, tokens: number): readonly Range[] {
  if ('visible' in mask) {
    const proposed = joined(visibleRanges(mask, query));
    if (agrees(mask.allows, query, proposed, tokens)) {
      return proposed;
    }
  }
  const ranges: { from: number; to: number }[] = [];
  for (let key = 0; key < tokens; key += 1) {
    if (!mask.allows(query, key)) {
      continue;
    }
    const last = ranges.at(-1);
    if (last?.to === key) {
      last.to = key + 1;
    } else {
      ranges.push({ from: key, to: key + 1 });
    }
  }
  return ranges;
}

/** Ascending ranges without empty ones, and those that touch as one. */
function joined(ranges: readonly Range[]): Range[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = found.at(-1);
    if (last?.to === from) {
      last.to = to;
    } else if (from < to) {
      found.push({ from, to });
    }
  }
  return found;
}

function agrees(allows: Mask['allows'], query: number, ranges: readonly Range[], tokens: number): boolean {
  let gap = 0;
  for (const { from, to } of ranges) {
    if (!isAll(allows, query, gap, from, false) || !isAll(allows, query, from, to, true)) {
      return false;
    }
    gap = to;
  }
  return isAll(allows, query, gap, tokens, false);
}

/** Whether the first, the middle and the last key of `[from, to)` are all visible, or all hidden. */
function isAll(allows: Mask['allows'], query: number, from: number, to: number, visible: boolean): boolean {
  return (
    from >= to || (allows(query, from) === visible && allows(query, (from + to) >> 1) === visible && allows(query, to - 1) === visible)
  );
}
