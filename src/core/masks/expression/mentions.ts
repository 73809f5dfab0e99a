import type { NumberNode, TruthNode, Variable } from '../../scenario/expression/syntax';

/** Whether an expression names a variable. */
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
