import { type PartName, partNames } from '../parts';

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
  | { readonly kind: 'call'; readonly name: NumberFunction; readonly operands: readonly NumberNode[] }
  | PartNode;

/** The number of the part that holds a position: of those that begin at `starts`, the last that begins there or before. */
interface PartNode {
  readonly kind: 'part';
  readonly name: PartName;
  readonly operand: NumberNode;
  /** 0 and the later positions at which parts begin, ascending; only 0 where no prompt says more. */
  readonly starts: readonly number[];
}

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

/** The parts of a prompt that an expression counts. */
export function partsIn(node: TruthNode | NumberNode): readonly PartName[] {
  const found = new Set<PartName>();
  visit(node, (each) => each.kind === 'part' && found.add(each.name));
  return partNames.filter((name) => found.has(name));
}

/** The positions at which the parts begin that an expression counts, ascending, each once; 0 is left out. */
export function edgesOf(node: TruthNode | NumberNode): readonly number[] {
  const found = new Set<number>();
  visit(node, (each) => each.kind === 'part' && each.starts.forEach((start) => found.add(start)));
  found.delete(0);
  return [...found].sort((one, other) => one - other);
}

function visit(node: TruthNode | NumberNode, see: (node: TruthNode | NumberNode) => unknown): void {
  see(node);
  switch (node.kind) {
    case 'literal':
    case 'constant':
    case 'variable':
      break;
    case 'call':
      node.operands.forEach((operand) => visit(operand, see));
      break;
    case 'not':
    case 'part':
      visit(node.operand, see);
      break;
    default:
      visit(node.left, see);
      visit(node.right, see);
  }
}

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
    case 'part':
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
    case 'part':
      // The part is found by halving.
      return 1 + Math.ceil(Math.log2(node.starts.length)) + stepsOf(node.operand);
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
    case 'part':
      return `${node.name}(${numberText(node.operand)})`;
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
