import { InputError } from '../../errors';
import { said } from '../../l10n';
import { onePart, type PartName, partNames, type PartStarts } from '../parts';
import { type Arithmetic, type Comparison, type NumberFunction, type NumberNode, type TruthNode, type Variable, variables } from './syntax';

/** One token of an expression. */
interface ExpressionToken {
  readonly text: string;
  /** 1-based column where it begins. */
  readonly column: number;
}

/** Most characters of an expression. */
const longestExpression = 500;

const words = /\s*(?:(\d+|[A-Za-z_]\w*|\/\/|<=|>=|==|!=|&&|\|\||[-+*%<>()!,])|$)/y;

/** Alternative spellings of operators. */
const spellings: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not', AND: 'and', OR: 'or', NOT: 'not' };

/**
 * Splits an expression into tokens; the last one is empty. @throws InputError if it is too long, or has an invalid
 * character
 */
function expressionTokens(expression: string): ExpressionToken[] {
  if (expression.length > longestExpression) {
    throw new InputError(`The mask has ${expression.length} characters; write one of at most ${longestExpression}.`);
  }
  const tokens: ExpressionToken[] = [];
  words.lastIndex = 0;
  while (words.lastIndex < expression.length) {
    const from = words.lastIndex;
    const match = words.exec(expression);
    if (match === null) {
      const column = from + (/^\s*/.exec(expression.slice(from))?.[0].length ?? 0) + 1;
      throw new InputError(
        `Mask "${expression}": "${expression[column - 1]}" at column ${column} means nothing; use q, k, n, whole numbers, + - * // %, < <= > >= == !=, and, or, not, abs, min, max, doc, msg, sec.`,
      );
    }
    const [, text] = match;
    // At the end of the text, no token matches.
    if ((text as string | undefined) !== undefined) {
      tokens.push({ text: spellings[text] ?? text, column: words.lastIndex - text.length + 1 });
    }
  }
  return [...tokens, { text: '', column: expression.length + 1 }];
}

/** Deepest nesting of parentheses, functions and negations. */
const deepest = 40;
const largestLiteral = 1_000_000_000;

const comparisons: readonly string[] = ['<', '<=', '>', '>=', '==', '!='] satisfies Comparison[];
const functions: readonly string[] = ['abs', 'min', 'max'] satisfies NumberFunction[];

/**
 * Parses a mask as an expression in q, k and n, such as `k <= q and (q - k < 64 or k % 16 == 0)`.
 *
 * Comparisons chain, as in `0 <= q - k < 64`. `not` binds tighter than `and`, `and` tighter than `or`. Nothing is ever run
 * as code.
 * @param starts where the parts of the prompt begin; of a kind that is left out there is one
 * @throws InputError that names the column and what was expected there
 */
export function parseMask(expression: string, starts: PartStarts = {}): TruthNode {
  return new Parser(expression, starts).whole();
}

/** A recursive-descent parser: one method per level of precedence. */
class Parser {
  private readonly tokens: readonly ExpressionToken[];
  private at = 0;
  private depth = 0;

  constructor(
    private readonly expression: string,
    private readonly starts: PartStarts,
  ) {
    this.tokens = expressionTokens(expression);
  }

  whole(): TruthNode {
    const truth = this.asTruth(this.disjunction());
    if (this.next.text !== '') {
      throw this.unexpected(said`the end, and, or`);
    }
    return truth;
  }

  private get next(): ExpressionToken {
    return this.tokens[this.at];
  }

  private take(...texts: readonly string[]): string | undefined {
    const { text } = this.next;
    if (!texts.includes(text)) {
      return undefined;
    }
    this.at += 1;
    return text;
  }

  private disjunction(): Node {
    let left = this.conjunction();
    while (this.take('or') !== undefined) {
      left = { truth: { kind: 'or', left: this.asTruth(left), right: this.asTruth(this.conjunction()) } };
    }
    return left;
  }

  private conjunction(): Node {
    let left = this.negation();
    while (this.take('and') !== undefined) {
      left = { truth: { kind: 'and', left: this.asTruth(left), right: this.asTruth(this.negation()) } };
    }
    return left;
  }

  private negation(): Node {
    return this.take('not') === undefined
      ? this.chain()
      : this.deeper(() => ({ truth: { kind: 'not', operand: this.asTruth(this.negation()) } }));
  }

  /** Chained comparisons: each holds between its neighbours. */
  private chain(): Node {
    const first = this.sum();
    let chained: TruthNode | undefined;
    let left = first;
    for (let operator = this.take(...comparisons); operator !== undefined; operator = this.take(...comparisons)) {
      const right = this.sum();
      const comparison: TruthNode = {
        kind: 'comparison',
        operator: operator as Comparison,
        left: this.asNumber(left),
        right: this.asNumber(right),
      };
      chained = chained === undefined ? comparison : { kind: 'and', left: chained, right: comparison };
      left = right;
    }
    return chained === undefined ? first : { truth: chained };
  }

  private sum(): Node {
    return this.operators(['+', '-'], () => this.product());
  }

  private product(): Node {
    return this.operators(['*', '//', '%'], () => this.sign());
  }

  private operators(texts: readonly Arithmetic[], operand: () => Node): Node {
    let left = operand();
    for (let operator = this.take(...texts); operator !== undefined; operator = this.take(...texts)) {
      const { column } = this.next;
      const right = this.asNumber(operand());
      if ((operator === '//' || operator === '%') && !(right.kind === 'literal' && right.value > 0)) {
        throw new InputError(
          `Mask "${this.expression}": what follows ${operator} at column ${column} must be a whole number above 0, such as 64.`,
        );
      }
      left = { number: { kind: 'arithmetic', operator: operator as Arithmetic, left: this.asNumber(left), right } };
    }
    return left;
  }

  private sign(): Node {
    return this.take('-') === undefined
      ? this.primary()
      : this.deeper(() => ({
          number: { kind: 'arithmetic', operator: '-', left: { kind: 'literal', value: 0 }, right: this.asNumber(this.sign()) },
        }));
  }

  private primary(): Node {
    const { text } = this.next;
    if (/^\d/.test(text)) {
      return { number: { kind: 'literal', value: this.literal(text) } };
    }
    if (this.take('(') !== undefined) {
      const inner = this.deeper(() => this.disjunction());
      this.expect(')');
      return inner;
    }
    if (this.take('true', 'false') !== undefined) {
      return { truth: { kind: 'constant', value: text === 'true' } };
    }
    if (this.take(...variables) !== undefined) {
      return { number: { kind: 'variable', name: text as Variable } };
    }
    if (this.take(...functions) !== undefined) {
      return { number: { kind: 'call', name: text as NumberFunction, operands: this.operands(text as NumberFunction) } };
    }
    if (this.take(...partNames) !== undefined) {
      const name = text as PartName;
      const [operand] = this.operands(name);
      return { number: { kind: 'part', name, operand, starts: this.starts[name] ?? onePart } };
    }
    throw this.unexpected(said`q, k, n, a whole number or (`);
  }

  private operands(name: NumberFunction | PartName): NumberNode[] {
    this.expect('(');
    const operands = this.deeper(() => {
      const read = [this.asNumber(this.disjunction())];
      while (this.take(',') !== undefined) {
        read.push(this.asNumber(this.disjunction()));
      }
      return read;
    });
    const wanted = name === 'min' || name === 'max' ? 2 : 1;
    if (operands.length !== wanted) {
      throw new InputError(
        wanted === 1
          ? `Mask "${this.expression}": ${name} takes 1 number and has ${operands.length}.`
          : `Mask "${this.expression}": ${name} takes 2 numbers and has ${operands.length}.`,
      );
    }
    this.expect(')');
    return operands;
  }

  private literal(text: string): number {
    const value = Number(text);
    if (value > largestLiteral) {
      throw new InputError(
        `Mask "${this.expression}": ${text} at column ${this.next.column} is too large; use whole numbers up to ${largestLiteral}.`,
      );
    }
    this.at += 1;
    return value;
  }

  private deeper<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > deepest) {
      throw new InputError(`Mask "${this.expression}" is nested more than ${deepest} deep; write it flatter.`);
    }
    const value = read();
    this.depth -= 1;
    return value;
  }

  private expect(text: string): void {
    if (this.take(text) === undefined) {
      throw this.unexpected(text);
    }
  }

  private asTruth(node: Node): TruthNode {
    if ('truth' in node) {
      return node.truth;
    }
    throw this.unexpected(said`a comparison such as k <= q`);
  }

  private asNumber(node: Node): NumberNode {
    if ('number' in node) {
      return node.number;
    }
    throw this.unexpected(said`a number, not a comparison,`);
  }

  private unexpected(expected: string): InputError {
    const { text, column } = this.next;
    return new InputError(
      text === ''
        ? `Mask "${this.expression}": expected ${expected} at column ${column}, where it ends.`
        : `Mask "${this.expression}": expected ${expected} at column ${column}, not "${text}".`,
    );
  }
}

/** The expression so far: a number or a truth value. */
type Node = { readonly number: NumberNode } | { readonly truth: TruthNode };
