import { InputError } from '../../errors';

/** One word of an expression. */
export interface ExpressionToken {
  readonly text: string;
  /** 1-based column at which it begins. */
  readonly column: number;
}

/** Characters that an expression may have. */
export const longestExpression = 500;

const words = /\s*(?:(\d+|[A-Za-z_]\w*|\/\/|<=|>=|==|!=|&&|\|\||[-+*%<>()!,])|$)/y;

/** Other spellings of the same operators. */
const spellings: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not', AND: 'and', OR: 'or', NOT: 'not' };

/** Cuts an expression into words, the last of which is empty. @throws InputError for one that is too long, and a character it cannot have */
export function expressionTokens(expression: string): ExpressionToken[] {
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
        `Mask "${expression}": "${expression[column - 1]}" at column ${column} means nothing; use q, k, n, whole numbers, + - * // %, < <= > >= == !=, and, or, not, abs, min, max.`,
      );
    }
    const [, text] = match;
    // The end of the text matches as no word.
    if ((text as string | undefined) !== undefined) {
      tokens.push({ text: spellings[text] ?? text, column: words.lastIndex - text.length + 1 });
    }
  }
  return [...tokens, { text: '', column: expression.length + 1 }];
}
