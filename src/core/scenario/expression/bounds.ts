import { floorModulo } from './evaluate';
import type { Arithmetic, Comparison, NumberNode, TruthNode } from './syntax';

/** All whole numbers from `low` to `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A rectangle of pairs of queries and keys, both ends included. */
export interface Rectangle {
  readonly query: Interval;
  readonly key: Interval;
}

/**
 * Whether an expression holds for every pair of a rectangle, for none, or perhaps for some: by interval arithmetic (Moore,
 * "Interval Analysis", 1966), without evaluating pairs. `all` and `none` are certain.
 */
export function boundTruth(node: TruthNode, rectangle: Rectangle, tokens: number): 'all' | 'none' | 'some' {
  switch (node.kind) {
    case 'constant':
      return node.value ? 'all' : 'none';
    case 'not': {
      const operand = boundTruth(node.operand, rectangle, tokens);
      return operand === 'all' ? 'none' : operand === 'none' ? 'all' : 'some';
    }
    case 'and':
    case 'or': {
      const [decisive, neutral] = node.kind === 'and' ? (['none', 'all'] as const) : (['all', 'none'] as const);
      const left = boundTruth(node.left, rectangle, tokens);
      if (left === decisive) {
        return decisive;
      }
      const right = boundTruth(node.right, rectangle, tokens);
      return right === decisive ? decisive : left === neutral ? right : right === neutral ? left : 'some';
    }
    case 'comparison':
      return compare(node.operator, boundNumber(node.left, rectangle, tokens), boundNumber(node.right, rectangle, tokens));
  }
}

function compare(operator: Comparison, left: Interval, right: Interval): 'all' | 'none' | 'some' {
  const decided = (all: boolean, none: boolean): 'all' | 'none' | 'some' => (all ? 'all' : none ? 'none' : 'some');
  switch (operator) {
    case '<':
      return decided(left.high < right.low, left.low >= right.high);
    case '<=':
      return decided(left.high <= right.low, left.low > right.high);
    case '>':
      return compare('<', right, left);
    case '>=':
      return compare('<=', right, left);
    case '==':
      return decided(left.low === right.high && left.high === right.low, left.high < right.low || left.low > right.high);
    case '!=':
      return decided(left.high < right.low || left.low > right.high, left.low === right.high && left.high === right.low);
  }
}

/** The least and the greatest value that a number may have over a rectangle; exact as long as no value passes 2^53. */
export function boundNumber(node: NumberNode, rectangle: Rectangle, tokens: number): Interval {
  switch (node.kind) {
    case 'literal':
      return { low: node.value, high: node.value };
    case 'variable':
      return node.name === 'q' ? rectangle.query : node.name === 'k' ? rectangle.key : { low: tokens, high: tokens };
    case 'arithmetic':
      return arithmetic(node.operator, boundNumber(node.left, rectangle, tokens), boundNumber(node.right, rectangle, tokens));
    case 'call': {
      const [one, other] = node.operands.map((operand) => boundNumber(operand, rectangle, tokens));
      switch (node.name) {
        case 'abs':
          return one.low >= 0 ? one : { low: Math.max(0, -one.high), high: Math.max(-one.low, one.high) };
        case 'min':
          return { low: Math.min(one.low, other.low), high: Math.min(one.high, other.high) };
        case 'max':
          return { low: Math.max(one.low, other.low), high: Math.max(one.high, other.high) };
      }
    }
  }
}

function arithmetic(operator: Arithmetic, left: Interval, right: Interval): Interval {
  switch (operator) {
    case '+':
      return { low: left.low + right.low, high: left.high + right.high };
    case '-':
      return { low: left.low - right.high, high: left.high - right.low };
    case '*': {
      const corners = [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high];
      return { low: Math.min(...corners), high: Math.max(...corners) };
    }
    // Divisors are literals above 0.
    case '//':
      return { low: Math.floor(left.low / right.low), high: Math.floor(left.high / right.low) };
    case '%': {
      const divisor = right.low;
      const oneTurn = Math.floor(left.low / divisor) === Math.floor(left.high / divisor);
      return oneTurn ? { low: floorModulo(left.low, divisor), high: floorModulo(left.high, divisor) } : { low: 0, high: divisor - 1 };
    }
  }
}
