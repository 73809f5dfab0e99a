/** The variables of a mask expression: the query's and the key's 0-based position, and N, the number of tokens. */
export const variables = ['q', 'k', 'n'] as const;
export type Variable = (typeof variables)[number];

export type Arithmetic = '+' | '-' | '*' | '//' | '%';
export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';
export type NumberFunction = 'abs' | 'min' | 'max';

/** A whole number. The divisor of `//` and `%` is a literal above 0; both round down, so that `x % m` is in [0, m). */
export type NumberNode =
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: Variable }
  | { readonly kind: 'arithmetic'; readonly operator: Arithmetic; readonly left: NumberNode; readonly right: NumberNode }
  | { readonly kind: 'call'; readonly name: NumberFunction; readonly operands: readonly NumberNode[] };

export interface ComparisonNode {
  readonly kind: 'comparison';
  readonly operator: Comparison;
  readonly left: NumberNode;
  readonly right: NumberNode;
}

/** Whether a query sees a key. */
export type TruthNode =
  | { readonly kind: 'constant'; readonly value: boolean }
  | ComparisonNode
  | { readonly kind: 'and' | 'or'; readonly left: TruthNode; readonly right: TruthNode }
  | { readonly kind: 'not'; readonly operand: TruthNode };

/** Whether an expression uses a variable. */
export function mentions(node: TruthNode | NumberNode, name: Variable): boolean {
  switch (node.kind) {
    case 'literal':
    case 'constant':
      return false;
    case 'variable':
      return node.name === name;
    case 'call':
      return node.operands.some((operand) => mentions(operand, name));
    case 'not':
      return mentions(node.operand, name);
    default:
      return mentions(node.left, name) || mentions(node.right, name);
  }
}

/**
 * The nodes of an expression, each counted wherever it is used: the steps of evaluating it once, at one pair or over one
 * rectangle.
 */
export function stepsOf(node: TruthNode | NumberNode): number {
  switch (node.kind) {
    case 'literal':
    case 'constant':
    case 'variable':
      return 1;
    case 'call':
      return node.operands.reduce((sum, operand) => sum + stepsOf(operand), 1);
    case 'not':
      return 1 + stepsOf(node.operand);
    default:
      return 1 + stepsOf(node.left) + stepsOf(node.right);
  }
}

/** A number as it could be written, for messages. */
export function numberText(node: NumberNode): string {
  switch (node.kind) {
    case 'literal':
      return String(node.value);
    case 'variable':
      return node.name;
    case 'call':
      return `${node.name}(${node.operands.map(numberText).join(', ')})`;
    case 'arithmetic': {
      const { operator, left, right } = node;
      const sum = operator === '+' || operator === '-';
      const inBrackets = (operand: NumberNode, wanted: boolean): string =>
        operand.kind === 'arithmetic' && wanted ? `(${numberText(operand)})` : numberText(operand);
      const isSum = (operand: NumberNode): boolean =>
        operand.kind === 'arithmetic' && (operand.operator === '+' || operand.operator === '-');
      return `${inBrackets(left, !sum && isSum(left))} ${operator} ${inBrackets(right, true)}`;
    }
  }
}
