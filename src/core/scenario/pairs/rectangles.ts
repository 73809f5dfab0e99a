import type { Range, Sight } from '../mask';
import { type Cuts, middleOf } from './cuts';
import type { Axis } from './line';
import { axisBits, holds, type MaskNode } from './node';
import type { MaskNodes } from './nodes';

/** Rectangles with at most this side are looked at pair by pair where a condition on both numbers is undecided. */
const smallSide = 8;

/** Rectangles with a longer side are cut before runs of one axis are tried against those of another. */
const sweptSide = 256;

/** Steps of one run of an axis, for each of its lines. */
const stepsPerRun = 10;

/** Steps of one rectangle, whatever is left of the mask there: blocks of a few tokens make very many that cost nothing else. */
const stepsPerRectangle = 8;

/**
 * Counts the visible pairs of rectangles, and tells whether all are visible, none, or some; exact.
 *
 * A rectangle in which all conditions are decided needs nothing more. Where those that are left depend on one axis, sums
 * along it answer. Where they depend on two, or on all three, each run of the query or of the key along which nothing
 * changes leaves one axis less. Only where a condition on both numbers is left, the rectangle is cut in two, down to single
 * pairs: this work grows with the length of the mask's edges.
 */
export class Rectangles {
  /**
   * @param root the whole mask
   * @param cuts where rectangles are cut
   */
  constructor(
    private readonly nodes: MaskNodes,
    private readonly root: MaskNode,
    private readonly cuts: Cuts,
  ) {}

  /** Number of visible pairs of the rectangle. @throws InputError if the budget is spent */
  pairs(queries: Range, keys: Range): number {
    return this.count(this.root, queries, keys);
  }

  /** Which pairs of the rectangle are visible. @throws InputError if the budget is spent */
  sight(queries: Range, keys: Range): Sight {
    return this.see(this.root, queries, keys);
  }

  private count(node: MaskNode, queries: Range, keys: Range): number {
    const own = this.narrow(node, queries, keys);
    switch (own.kind) {
      case 'all':
        return sizeOf(queries) * sizeOf(keys);
      case 'none':
        return 0;
      case 'line':
        return own.line.pairs(queries, keys);
      default:
    }
    if (!dependsOn(own, 'pair') && (own.axes !== threeAxes || isWithin(sweptSide, queries, keys))) {
      let sum = 0;
      this.sweep(own, queries, keys, (part, rows, columns) => {
        sum += this.count(part, rows, columns);
        return true;
      });
      return sum;
    }
    if (isWithin(smallSide, queries, keys)) {
      return this.look(own, queries, keys);
    }
    if (sizeOf(queries) > sizeOf(keys)) {
      const [first, second] = this.halves(queries);
      return this.count(own, first, keys) + this.count(own, second, keys);
    }
    const [first, second] = this.halves(keys);
    return this.count(own, queries, first) + this.count(own, queries, second);
  }

  private see(node: MaskNode, queries: Range, keys: Range): Sight {
    const own = this.narrow(node, queries, keys);
    switch (own.kind) {
      case 'all':
      case 'none':
        return own.kind;
      case 'line':
        // Lines that were joined on the way may be decided together.
        return own.line.sight(queries, keys);
      default:
    }
    if (this.cornersDiffer(own, queries, keys)) {
      return 'some';
    }
    if (!dependsOn(own, 'pair') && isWithin(sweptSide, queries, keys)) {
      let found: Sight | undefined;
      this.sweep(own, queries, keys, (part, rows, columns) => {
        found = both(found, this.see(part, rows, columns));
        return found !== 'some';
      });
      return found ?? 'none';
    }
    if (isWithin(smallSide, queries, keys)) {
      const visible = this.look(own, queries, keys);
      return visible === 0 ? 'none' : visible === sizeOf(queries) * sizeOf(keys) ? 'all' : 'some';
    }
    if (sizeOf(queries) > sizeOf(keys)) {
      const [first, second] = this.halves(queries);
      const found = this.see(own, first, keys);
      return found === 'some' ? found : both(found, this.see(own, second, keys));
    }
    const [first, second] = this.halves(keys);
    const found = this.see(own, queries, first);
    return found === 'some' ? found : both(found, this.see(own, queries, second));
  }

  private narrow(node: MaskNode, queries: Range, keys: Range): MaskNode {
    // Bounds have two ends.
    this.nodes.spend(stepsPerRectangle + 2 * node.steps);
    return this.nodes.narrow(node, queries, keys);
  }

  /** Whether two corners of a rectangle differ: most tiles that are seen in part show it there. */
  private cornersDiffer(node: MaskNode, queries: Range, keys: Range): boolean {
    this.nodes.spend(4 * node.steps);
    const [lastQuery, lastKey] = [queries.to - 1, keys.to - 1];
    const first = holds(node, queries.from, keys.from);
    return (
      holds(node, lastQuery, lastKey) !== first ||
      holds(node, queries.from, lastKey) !== first ||
      holds(node, lastQuery, keys.from) !== first
    );
  }

  /** Visible pairs of a rectangle, one by one. */
  private look(node: MaskNode, queries: Range, keys: Range): number {
    this.nodes.spend(sizeOf(queries) * sizeOf(keys) * node.steps);
    let visible = 0;
    for (let query = queries.from; query < queries.to; query += 1) {
      for (let key = keys.from; key < keys.to; key += 1) {
        visible += holds(node, query, key) ? 1 : 0;
      }
    }
    return visible;
  }

  /**
   * Cuts a rectangle into the runs of queries, or else of keys, along which the node's lines of that axis do not change, and
   * passes each with the node that is left there, until `visit` returns false.
   */
  private sweep(node: MaskNode, queries: Range, keys: Range, visit: (node: MaskNode, queries: Range, keys: Range) => boolean): void {
    const byQuery = dependsOn(node, 'query') && (!dependsOn(node, 'key') || sizeOf(queries) <= sizeOf(keys));
    const axis: Axis = byQuery ? 'query' : 'key';
    const range = byQuery ? queries : keys;
    const along = this.nodes.along(node, axis);
    let from = range.from;
    while (from < range.to) {
      this.nodes.spend(stepsPerRun * along.lines.length);
      let to = range.to;
      for (const line of along.lines) {
        to = Math.min(to, line.runEnd(from));
      }
      const part = this.nodes.leftAt(node, along, from);
      const run: Range = { from, to };
      if (!visit(part, byQuery ? run : queries, byQuery ? keys : run)) {
        return;
      }
      from = to;
    }
  }

  private halves({ from, to }: Range): readonly [Range, Range] {
    const middle = middleOf(from, to, this.cuts);
    return [
      { from, to: middle },
      { from: middle, to },
    ];
  }
}

const threeAxes = axisBits.query + axisBits.key + axisBits.distance;

/** Two parts of a rectangle together. */
function both(one: Sight | undefined, other: Sight): Sight {
  return one === undefined || one === other ? other : 'some';
}

function dependsOn(node: MaskNode, axis: keyof typeof axisBits): boolean {
  return (node.axes & axisBits[axis]) !== 0;
}

function sizeOf({ from, to }: Range): number {
  return to - from;
}

function isWithin(side: number, queries: Range, keys: Range): boolean {
  return sizeOf(queries) <= side && sizeOf(keys) <= side;
}
