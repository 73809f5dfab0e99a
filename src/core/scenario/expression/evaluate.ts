import { lastAtMost } from '../../math/search';
import type { Comparison, NumberNode, TruthNode } from './syntax';

/** A number as a function of query and key. */
type NumberAt = (query: number, key: number) => number;
/** A truth value as a function of query and key. */
export type TruthAt = (query: number, key: number) => boolean;

/** An expression as a function of query and key, for a sequence of `tokens` tokens. */
export function predicateOf(node: TruthNode, tokens: number): TruthAt {
  switch (node.kind) {
    case 'constant':
      return () => node.value;
    case 'and': {
      const [left, right] = [predicateOf(node.left, tokens), predicateOf(node.right, tokens)];
      return (query, key) => left(query, key) && right(query, key);
    }
    case 'or': {
      const [left, right] = [predicateOf(node.left, tokens), predicateOf(node.right, tokens)];
      return (query, key) => left(query, key) || right(query, key);
    }
    case 'not': {
      const operand = predicateOf(node.operand, tokens);
      return (query, key) => !operand(query, key);
    }
    case 'comparison':
      return comparison(node.operator, numberOf(node.left, tokens), numberOf(node.right, tokens));
  }
}

function comparison(operator: Comparison, left: NumberAt, right: NumberAt): TruthAt {
  switch (operator) {
    case '<':
      return (query, key) => left(query, key) < right(query, key);
    case '<=':
      return (query, key) => left(query, key) <= right(query, key);
    case '>':
      return (query, key) => left(query, key) > right(query, key);
    case '>=':
      return (query, key) => left(query, key) >= right(query, key);
    case '==':
      return (query, key) => left(query, key) === right(query, key);
    case '!=':
      return (query, key) => left(query, key) !== right(query, key);
  }
}

function numberOf(node: NumberNode, tokens: number): NumberAt {
  switch (node.kind) {
    case 'literal':
      return () => node.value;
    case 'variable':
      return node.name === 'q' ? (query) => query : node.name === 'k' ? (_query, key) => key : () => tokens;
    case 'call': {
      const [first, second] = node.operands.map((operand) => numberOf(operand, tokens));
      switch (node.name) {
        case 'abs':
          return (query, key) => Math.abs(first(query, key));
        case 'min':
          return (query, key) => Math.min(first(query, key), second(query, key));
        case 'max':
          return (query, key) => Math.max(first(query, key), second(query, key));
      }
    }
    // Every name of a function has returned.
    // eslint-disable-next-line no-fallthrough
    case 'part': {
      const { starts } = node;
      const at = numberOf(node.operand, tokens);
      return (query, key) => partAt(starts, at(query, key));
    }
    case 'arithmetic': {
      const [left, right] = [numberOf(node.left, tokens), numberOf(node.right, tokens)];
      switch (node.operator) {
        case '+':
          return (query, key) => left(query, key) + right(query, key);
        case '-':
          return (query, key) => left(query, key) - right(query, key);
        case '*':
          return (query, key) => left(query, key) * right(query, key);
        case '//':
          return (query, key) => Math.floor(left(query, key) / right(query, key));
        case '%':
          return (query, key) => floorModulo(left(query, key), right(query, key));
      }
    }
  }
}

/** The number of the part that holds a position; what is before the first belongs to it. */
export function partAt(starts: readonly number[], position: number): number {
  return position <= 0 ? 0 : lastAtMost(starts, starts.length, position);
}

/** The remainder in [0, divisor), as in a division that rounds down. */
export function floorModulo(value: number, divisor: number): number {
  return value - divisor * Math.floor(value / divisor);
}
