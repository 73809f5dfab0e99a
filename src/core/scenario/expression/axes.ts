import type { Axis } from '../pairs/line';
import type { Comparison, NumberNode, TruthNode } from './syntax';

/** What a value depends on: nothing, the query, the key, their distance q - k alone, or on both in another way. */
export type Dependence = Axis | 'nothing' | 'both';

/** What a number depends on, and if it is `query * q + key * k + constant`, these three. */
interface Form {
  readonly axis: Dependence;
  readonly linear?: { readonly query: number; readonly key: number; readonly constant: number };
}

/** What an expression depends on, for a sequence of `tokens` tokens: its values must be exact, as `checkExact` holds. */
export function dependenceOf(node: TruthNode, tokens: number): Dependence {
  switch (node.kind) {
    case 'constant':
      return 'nothing';
    case 'not':
      return dependenceOf(node.operand, tokens);
    case 'comparison': {
      // Both sides grow alike in `q < k + 5`: only their difference counts.
      const difference = sum(formOf(node.left, tokens), formOf(node.right, tokens), -1);
      return difference.axis;
    }
    default:
      return either(dependenceOf(node.left, tokens), dependenceOf(node.right, tokens));
  }
}

function formOf(node: NumberNode, tokens: number): Form {
  switch (node.kind) {
    case 'literal':
      return linear(0, 0, node.value);
    case 'variable':
      return node.name === 'q' ? linear(1, 0, 0) : node.name === 'k' ? linear(0, 1, 0) : linear(0, 0, tokens);
    case 'call':
      return { axis: node.operands.map((operand) => formOf(operand, tokens).axis).reduce(either) };
    case 'part':
      return node.starts.length === 1 ? linear(0, 0, 0) : { axis: formOf(node.operand, tokens).axis };
    case 'arithmetic': {
      const [left, right] = [formOf(node.left, tokens), formOf(node.right, tokens)];
      switch (node.operator) {
        case '+':
          return sum(left, right, 1);
        case '-':
          return sum(left, right, -1);
        case '*':
          return product(left, right);
        default:
          // Divisors are literals.
          return { axis: left.axis };
      }
    }
  }
}

function linear(query: number, key: number, constant: number): Form {
  const axis = query === 0 ? (key === 0 ? 'nothing' : 'key') : key === 0 ? 'query' : query === -key ? 'distance' : 'both';
  // Factors that are no longer exact say nothing.
  return [query, key, constant].every(Number.isSafeInteger) ? { axis, linear: { query, key, constant } } : { axis: 'both' };
}

function sum(left: Form, right: Form, sign: 1 | -1): Form {
  const [one, other] = [left.linear, right.linear];
  return one === undefined || other === undefined
    ? { axis: either(left.axis, right.axis) }
    : linear(one.query + sign * other.query, one.key + sign * other.key, one.constant + sign * other.constant);
}

function product(left: Form, right: Form): Form {
  const [one, other] = [left.linear, right.linear];
  const [factor, form] = left.axis === 'nothing' ? [one, other] : right.axis === 'nothing' ? [other, one] : [];
  return factor === undefined || form === undefined
    ? { axis: either(left.axis, right.axis) }
    : linear(factor.constant * form.query, factor.constant * form.key, factor.constant * form.constant);
}

function either(one: Dependence, other: Dependence): Dependence {
  return one === 'nothing' || one === other ? other : other === 'nothing' ? one : 'both';
}

const opposites: Readonly<Record<Comparison, Comparison>> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '==': '!=', '!=': '==' };

/** An expression without `not`. */
export type PlainTruth =
  | Extract<TruthNode, { readonly kind: 'constant' | 'comparison' }>
  | { readonly kind: 'and' | 'or'; readonly left: PlainTruth; readonly right: PlainTruth };

/** The same expression without `not`: it turns comparisons round, and exchanges `and` and `or`. */
export function withoutNot(node: TruthNode, negated = false): PlainTruth {
  switch (node.kind) {
    case 'constant':
      return negated ? { kind: 'constant', value: !node.value } : node;
    case 'not':
      return withoutNot(node.operand, !negated);
    case 'comparison':
      return negated ? { ...node, operator: opposites[node.operator] } : node;
    default:
      return {
        kind: negated === (node.kind === 'and') ? 'or' : 'and',
        left: withoutNot(node.left, negated),
        right: withoutNot(node.right, negated),
      };
  }
}
