import { InputError } from '../../errors';
import { numberBound } from './bounds';
import { type NumberNode, numberText, type TruthNode } from './syntax';

/**
 * Checks that an expression is exact over a sequence of `tokens` tokens: beyond 2^53 whole numbers are rounded, and rounding
 * differs between a pair and a rectangle of pairs, so that tiles and pairs would disagree.
 *
 * Every value is bounded over all pairs at once, so a value that is too large for no single pair may be refused as well.
 * @throws InputError that names the value, the size that it may reach, and the fix
 */
export function checkExact(node: TruthNode, tokens: number, expression: string): void {
  switch (node.kind) {
    case 'constant':
      break;
    case 'not':
      checkExact(node.operand, tokens, expression);
      break;
    case 'comparison':
      checkNumber(node.left, tokens, expression);
      checkNumber(node.right, tokens, expression);
      break;
    default:
      checkExact(node.left, tokens, expression);
      checkExact(node.right, tokens, expression);
  }
}

/** Innermost values first: they are what has to be made smaller. */
function checkNumber(node: NumberNode, tokens: number, expression: string): void {
  if (node.kind === 'arithmetic') {
    checkNumber(node.left, tokens, expression);
    checkNumber(node.right, tokens, expression);
  } else if (node.kind === 'part') {
    checkNumber(node.operand, tokens, expression);
  } else if (node.kind === 'call') {
    node.operands.forEach((operand) => checkNumber(operand, tokens, expression));
  }
  const whole = { from: 0, to: tokens };
  const bound = numberBound(node, tokens);
  bound.over(whole, whole);
  const { low, high } = bound;
  const largest = Math.max(-low, high);
  if (largest > Number.MAX_SAFE_INTEGER) {
    throw new InputError(
      `Mask "${expression}": ${numberText(node)} may reach ${-low > high ? '-' : ''}${largest} among ${tokens} tokens, and whole numbers are exact up to 2^53 only; use smaller numbers there.`,
    );
  }
}
