import { text } from '../l10n';
import { cutsOf, maskNodeOf } from './expression/mask-nodes';
import { type BandedMask, type GeneralMask, type Mask, type Range, type Sight, type VisibleKeys, visibleRanges } from './mask';
import type { StepBudget } from './pairs/budget';
import { joinedCuts } from './pairs/cuts';
import type { MaskNode } from './pairs/node';
import { MaskNodes } from './pairs/nodes';
import { Rectangles } from './pairs/rectangles';

/** The pairs that at least one layer admits. */
export function unionMask(masks: readonly Mask[], tokens: number, budget: StepBudget): Mask {
  const banded = masks.filter((mask) => 'visible' in mask);
  return banded.length === masks.length ? bandedUnion(banded, tokens) : generalUnion(masks, tokens, budget);
}

/** Under every banded mask here a query sees itself, so the ranges overlap and merge into one. */
function bandedUnion(masks: readonly BandedMask[], tokens: number): BandedMask {
  const visible = (query: number): VisibleKeys =>
    masks
      .map((mask) => mask.visible(query))
      .reduce((one, other) => {
        const start = Math.min(one.start, other.start);
        return { prefixEnd: Math.min(start, Math.max(one.prefixEnd, other.prefixEnd)), start, end: Math.max(one.end, other.end) };
      });
  return {
    allows: (query, key) => masks.some((mask) => mask.allows(query, key)),
    visible,
    visiblePairs: () => {
      let pairs = 0;
      for (let query = 0; query < tokens; query += 1) {
        const { prefixEnd, start, end } = visible(query);
        pairs += prefixEnd + end - start;
      }
      return pairs;
    },
  };
}

/** The pairs that at least one of several masks admits, of any form: written masks by their parts, others by rectangles. */
function generalUnion(masks: readonly Mask[], tokens: number, budget: StepBudget): GeneralMask {
  const written = masks.flatMap((mask) => ('ranges' in mask ? (mask.truth ?? []) : []));
  const cuts = joinedCuts(written.map(cutsOf));
  let found: Rectangles | undefined;
  const rectangles = (): Rectangles => {
    if (found === undefined) {
      const nodes = new MaskNodes(tokens, budget, text('The union of the masks of these layers'));
      found = new Rectangles(
        nodes,
        nodes.join(
          'or',
          masks.map((mask) => nodeOf(mask, nodes)),
        ),
        cuts,
      );
    }
    return found;
  };
  const whole: Range = { from: 0, to: tokens };
  return {
    allows: (query, key) => masks.some((mask) => mask.allows(query, key)),
    ranges: (query) => joined(masks.flatMap((mask) => visibleRanges(mask, query))),
    visiblePairs: () => rectangles().pairs(whole, whole),
    sight: (queries, keys) => rectangles().sight(queries, keys),
    pairSteps: masks.reduce((steps, mask) => steps + (('ranges' in mask ? mask.pairSteps : undefined) ?? 1), 0),
  };
}

/** Steps of asking a mask of a known form about a pair or a rectangle. */
const knownSteps = 8;

function nodeOf(mask: Mask, nodes: MaskNodes): MaskNode {
  if ('visible' in mask) {
    return nodes.pair({ holds: mask.allows, bound: (queries, keys) => bandedSight(mask, queries, keys), steps: knownSteps });
  }
  return mask.truth === undefined
    ? nodes.pair({ holds: mask.allows, bound: mask.sight, steps: knownSteps })
    : maskNodeOf(mask.truth, nodes);
}

/**
 * What a banded mask says about a rectangle. Its ranges never move back as the query grows, so the first and the last query
 * decide.
 */
function bandedSight(mask: BandedMask, queries: Range, keys: Range): Sight {
  const first = mask.visible(queries.from);
  const last = mask.visible(queries.to - 1);
  const touched = keys.from < last.prefixEnd || (keys.to > first.start && keys.from < last.end);
  const merged = last.prefixEnd === last.start;
  const always = keys.to <= first.end && (merged || keys.to <= last.prefixEnd || keys.from >= last.start);
  return !touched ? 'none' : always ? 'all' : 'some';
}

/** Ranges in ascending order, with overlapping or touching ones merged. */
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
