import type { Range, Sight } from '../mask';
import type { Axis, Line } from './line';

/** Axes of a node as bits: what it still depends on. */
export const axisBits = { query: 1, key: 2, distance: 4, pair: 8 } as const;

interface Part {
  /** Equal for equal nodes. */
  readonly id: number;
  /** Sum of `axisBits`. */
  readonly axes: number;
  /** Steps of evaluating it once. */
  readonly steps: number;
}

/** A truth about pairs of queries and keys, made by `MaskNodes`, where equal ones are one object. */
export type MaskNode = ConstantNode | LineNode | PairNode | JoinNode;

interface ConstantNode extends Part {
  readonly kind: 'all' | 'none';
}

export interface LineNode extends Part {
  readonly kind: 'line';
  readonly line: Line;
}

/** A truth about both numbers, of any other form. */
interface PairNode extends Part, PairTruth {
  readonly kind: 'pair';
}

export interface JoinNode extends Part {
  readonly kind: 'and' | 'or';
  /** At least two; at most one line of each axis; those that cost least first. */
  readonly parts: readonly MaskNode[];
}

/** A truth about pairs that is not a matter of one axis. */
export interface PairTruth {
  readonly holds: (query: number, key: number) => boolean;
  /** Over a rectangle: `all` and `none` are certain, `some` may be said of any. */
  readonly bound: (queries: Range, keys: Range) => Sight;
  /** Steps of either. */
  readonly steps: number;
}

/** A node's lines of one axis. */
export function linesOf(node: MaskNode, axis: Axis): readonly Line[] {
  switch (node.kind) {
    case 'line':
      return node.line.axis === axis ? [node.line] : [];
    case 'and':
    case 'or':
      return (node.axes & axisBits[axis]) === 0 ? [] : node.parts.flatMap((part) => linesOf(part, axis));
    default:
      return [];
  }
}

/** Whether a node holds for a pair. */
export function holds(node: MaskNode, query: number, key: number): boolean {
  switch (node.kind) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'line':
      return node.line.at(node.line.positionOf(query, key));
    case 'pair':
      return node.holds(query, key);
    default: {
      const decisive = node.kind === 'or';
      for (const part of node.parts) {
        if (holds(part, query, key) === decisive) {
          return decisive;
        }
      }
      return !decisive;
    }
  }
}
