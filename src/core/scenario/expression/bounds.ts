import type { Range, Sight } from '../mask';
import { floorModulo, partAt } from './evaluate';
import type { Arithmetic, Comparison, ComparisonNode, NumberNode } from './syntax';

/**
 * The least and the greatest value that a number may have over a rectangle of pairs: interval arithmetic (Moore, "Interval
 * Analysis", 1966), exact as long as no value passes 2^53. Planning asks millions of times, so both are set in place.
 */
export interface NumberBound {
  low: number;
  high: number;
  /** Sets both for a rectangle. */
  readonly over: (queries: Range, keys: Range) => void;
}

/** The bound of a number, for a sequence of `tokens` tokens. */
export function numberBound(node: NumberNode, tokens: number): NumberBound {
  switch (node.kind) {
    case 'literal':
      return constant(node.value);
    case 'variable': {
      if (node.name === 'n') {
        return constant(tokens);
      }
      const byQuery = node.name === 'q';
      return bound((own, queries, keys) => {
        const { from, to } = byQuery ? queries : keys;
        own.low = from;
        own.high = to - 1;
      });
    }
    case 'arithmetic': {
      const [left, right] = [numberBound(node.left, tokens), numberBound(node.right, tokens)];
      const set = arithmetic(node.operator, left, right);
      return bound((own, queries, keys) => {
        left.over(queries, keys);
        right.over(queries, keys);
        set(own);
      });
    }
    case 'part': {
      const { starts } = node;
      const operand = numberBound(node.operand, tokens);
      // Parts ascend with positions.
      return bound((own, queries, keys) => {
        operand.over(queries, keys);
        own.low = partAt(starts, operand.low);
        own.high = partAt(starts, operand.high);
      });
    }
    case 'call': {
      const [one, other] = node.operands.map((operand) => numberBound(operand, tokens));
      switch (node.name) {
        case 'abs':
          return bound((own, queries, keys) => {
            one.over(queries, keys);
            own.low = Math.max(0, one.low, -one.high);
            own.high = Math.max(-one.low, one.high);
          });
        case 'min':
        case 'max': {
          const choose =
            node.name === 'min' ? (a: number, b: number): number => Math.min(a, b) : (a: number, b: number): number => Math.max(a, b);
          return bound((own, queries, keys) => {
            one.over(queries, keys);
            other.over(queries, keys);
            own.low = choose(one.low, other.low);
            own.high = choose(one.high, other.high);
          });
        }
      }
    }
  }
}

/** Whether a comparison holds for every pair of a rectangle, for none, or perhaps for some: `all` and `none` are certain. */
export function comparisonBound(node: ComparisonNode, tokens: number): (queries: Range, keys: Range) => Sight {
  const [left, right] = [numberBound(node.left, tokens), numberBound(node.right, tokens)];
  const decide = deciders[node.operator];
  return (queries, keys) => {
    left.over(queries, keys);
    right.over(queries, keys);
    return decide(left, right);
  };
}

type Interval = Pick<NumberBound, 'low' | 'high'>;

const decided = (all: boolean, none: boolean): Sight => (all ? 'all' : none ? 'none' : 'some');
const isBelow = (left: Interval, right: Interval): Sight => decided(left.high < right.low, left.low >= right.high);
const isAtMost = (left: Interval, right: Interval): Sight => decided(left.high <= right.low, left.low > right.high);
const areOneValue = (left: Interval, right: Interval): boolean => left.low === right.high && left.high === right.low;
const areApart = (left: Interval, right: Interval): boolean => left.high < right.low || left.low > right.high;

const deciders: Readonly<Record<Comparison, (left: Interval, right: Interval) => Sight>> = {
  '<': isBelow,
  '<=': isAtMost,
  '>': (left, right) => isBelow(right, left),
  '>=': (left, right) => isAtMost(right, left),
  '==': (left, right) => decided(areOneValue(left, right), areApart(left, right)),
  '!=': (left, right) => decided(areApart(left, right), areOneValue(left, right)),
};

function constant(value: number): NumberBound {
  return { low: value, high: value, over: () => undefined };
}

function bound(set: (own: NumberBound, queries: Range, keys: Range) => void): NumberBound {
  const own: NumberBound = { low: 0, high: 0, over: (queries, keys) => set(own, queries, keys) };
  return own;
}

function arithmetic(operator: Arithmetic, left: Interval, right: Interval): (own: NumberBound) => void {
  switch (operator) {
    case '+':
      return (own) => {
        own.low = left.low + right.low;
        own.high = left.high + right.high;
      };
    case '-':
      return (own) => {
        own.low = left.low - right.high;
        own.high = left.high - right.low;
      };
    case '*':
      return (own) => {
        const [a, b, c, d] = [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high];
        own.low = Math.min(a, b, c, d);
        own.high = Math.max(a, b, c, d);
      };
    // Divisors are literals above 0.
    case '//':
      return (own) => {
        own.low = Math.floor(left.low / right.low);
        own.high = Math.floor(left.high / right.low);
      };
    case '%':
      return (own) => {
        const divisor = right.low;
        const oneTurn = Math.floor(left.low / divisor) === Math.floor(left.high / divisor);
        own.low = oneTurn ? floorModulo(left.low, divisor) : 0;
        own.high = oneTurn ? floorModulo(left.high, divisor) : divisor - 1;
      };
  }
}
