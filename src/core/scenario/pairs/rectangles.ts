import type { Range, Sight } from '../mask';
import type { Axis, Line } from './line';
import { axisBits, holds, linesOf, type MaskNode, type MaskNodes } from './nodes';

/** Rectangles with at most this side are looked at pair by pair where a condition on both numbers is undecided. */
const smallSide = 8;

/** Rectangles with a longer side are cut before runs of one axis are tried against those of another. */
const sweptSide = 256;

/** Steps of one run of an axis. */
const stepsPerRun = 6;

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
   * @param grain tokens of the blocks that the mask is made of, if any: rectangles are cut between them
   */
  constructor(
    private readonly nodes: MaskNodes,
    private readonly root: MaskNode,
    private readonly grain: number,
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
    let sum = 0;
    const { axes } = own;
    if (!dependsOn(own, 'pair') && (axes !== threeAxes || isWithin(sweptSide, queries, keys))) {
      this.sweep(own, queries, keys, (part, rows, columns) => {
        sum += this.count(part, rows, columns);
        return true;
      });
    } else if (isWithin(smallSide, queries, keys)) {
      sum = this.look(own, queries, keys);
    } else {
      this.cut(queries, keys, (rows, columns) => {
        sum += this.count(own, rows, columns);
        return true;
      });
    }
    return sum;
  }

  private see(node: MaskNode, queries: Range, keys: Range): Sight {
    const own = this.narrow(node, queries, keys);
    switch (own.kind) {
      case 'all':
      case 'none':
        return own.kind;
      case 'line':
        // A line that is left over a rectangle is true at some of its positions, and false at others.
        return 'some';
      default:
    }
    if (this.cornersDiffer(own, queries, keys)) {
      return 'some';
    }
    let found: Sight | undefined;
    const add = (sight: Sight): boolean => {
      found = found === undefined || found === sight ? sight : 'some';
      return found !== 'some';
    };
    if (!dependsOn(own, 'pair') && isWithin(sweptSide, queries, keys)) {
      this.sweep(own, queries, keys, (part, rows, columns) => add(this.see(part, rows, columns)));
    } else if (isWithin(smallSide, queries, keys)) {
      const visible = this.look(own, queries, keys);
      add(visible === 0 ? 'none' : visible === sizeOf(queries) * sizeOf(keys) ? 'all' : 'some');
    } else {
      this.cut(queries, keys, (rows, columns) => add(this.see(own, rows, columns)));
    }
    return found ?? 'none';
  }

  private narrow(node: MaskNode, queries: Range, keys: Range): MaskNode {
    this.nodes.spend(node.steps);
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
    const lines = linesOf(node, axis);
    // Runs repeat: what is left for equal values is found once.
    const left = new Map<number, MaskNode>();
    let from = range.from;
    while (from < range.to) {
      this.nodes.spend(stepsPerRun * lines.length);
      const to = lines.reduce((end, line) => Math.min(end, line.runEnd(from)), range.to);
      const values = lines.length > mostBits ? from : valuesAt(lines, from);
      let part = left.get(values);
      if (part === undefined) {
        this.nodes.spend(node.steps);
        part = this.nodes.fixed(node, axis, from);
        left.set(values, part);
      }
      const run: Range = { from, to };
      if (!visit(part, byQuery ? run : queries, byQuery ? keys : run)) {
        return;
      }
      from = to;
    }
  }

  /** Cuts a rectangle across its longer side and passes both parts, until `visit` returns false. */
  private cut(queries: Range, keys: Range, visit: (queries: Range, keys: Range) => boolean): void {
    const byQuery = sizeOf(queries) > sizeOf(keys);
    const { from, to } = byQuery ? queries : keys;
    const middle = middleOf(from, to, this.grain);
    for (const part of [
      { from, to: middle },
      { from: middle, to },
    ]) {
      if (!visit(byQuery ? part : queries, byQuery ? keys : part)) {
        return;
      }
    }
  }
}

const threeAxes = axisBits.query + axisBits.key + axisBits.distance;

/** Lines whose values fit into one whole number. */
const mostBits = 30;

function valuesAt(lines: readonly Line[], position: number): number {
  return lines.reduce((bits, line) => 2 * bits + (line.at(position) ? 1 : 0), 0);
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

/**
 * Where to cut a range of at least two tokens: between two blocks of `grain` tokens if one ends inside, at the roundest of
 * their numbers in binary, so that cuts fall on the edges of blocks of 64, 128 and so on.
 */
function middleOf(from: number, to: number, grain: number): number {
  for (const unit of [grain, 1]) {
    const [low, high] = [Math.floor(from / unit), Math.floor((to - 1) / unit)];
    if (low < high) {
      const roundness = 2 ** (31 - Math.clz32(low ^ high));
      return Math.floor(high / roundness) * roundness * unit;
    }
  }
  return from + 1;
}
