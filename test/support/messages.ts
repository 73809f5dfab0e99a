import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { isSentence } from '../../src/core/l10n';
import { root } from './paths';

/** A text that the code asks a translation for. */
export interface Message {
  /** English: the key of its translation. */
  readonly text: string;
  /** File and line, for complaints. */
  readonly where: string;
  /** Whether it is asked for as the module loads, when no language is known yet. */
  readonly early: boolean;
}

/**
 * Every text that the files of a folder translate: by `t('...')`, mark for that by `text('...')`, count by `formatNumberOf(n, '...')`,
 * which has a singular and a plural, or make in English for `messageShown`: what errors and `said` say.
 */
export function messagesIn(folder: string): Message[] {
  const messages: Message[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) {
      messages.push(...messagesOf(join(entry.parentPath, entry.name)));
    }
  }
  return messages;
}

function messagesOf(path: string): Message[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const messages: Message[] = [];
  const visit = (node: ts.Node, inFunction: boolean): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const where = `${relative(root, path)}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
      const add = (text: string): void => void messages.push({ text, where, early: !inFunction });
      if (node.expression.text === 't') {
        literals(node.arguments[0]).forEach(add);
      } else if (node.expression.text === 'text') {
        // Plain data: it is translated where it is shown, whenever the module loads.
        literals(node.arguments[0]).forEach((text) => messages.push({ text, where, early: false }));
      } else if (node.expression.text === 'formatNumberOf') {
        literals(node.arguments[1]).forEach((thing) => [`{0} ${thing}`, `{0} ${thing}s`].forEach(add));
      }
    }
    if (isError(node) || (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'said')) {
      const where = `${relative(root, path)}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
      const said = ts.isTaggedTemplateExpression(node) ? node.template : node.arguments?.[0];
      sentences(said).forEach((text) => messages.push({ text, where, early: false }));
    }
    ts.forEachChild(node, (child) => visit(child, inFunction || ts.isFunctionLike(node) || isInstanceField(node)));
  };
  visit(source, false);
  return messages;
}

/** What a class's field begins as is made with each object, not as the module loads. */
function isInstanceField(node: ts.Node): boolean {
  return ts.isPropertyDeclaration(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) !== true;
}

/** The texts that an argument may be: a literal, or one of several that a condition chooses from. */
function literals(argument: ts.Expression | undefined): string[] {
  if (argument === undefined) {
    return [];
  }
  if (ts.isStringLiteralLike(argument)) {
    return [argument.text];
  }
  if (ts.isParenthesizedExpression(argument)) {
    return literals(argument.expression);
  }
  return ts.isConditionalExpression(argument) ? [...literals(argument.whenTrue), ...literals(argument.whenFalse)] : [];
}

/** Whether an error is made that users see. */
function isError(node: ts.Node): node is ts.NewExpression {
  return ts.isNewExpression(node) && /^(InputError|CancelledError|SeveralFiles)$/.test(node.expression.getText());
}

/** The sentences and clauses that an expression may be, with `{0}` for each value, and those that its values may be. */
function sentences(said: ts.Expression | undefined): string[] {
  const inside: ts.Expression[] = [];
  const hole = (value: ts.Expression): string => `{${inside.push(value) - 1}}`;
  const made = (expression: ts.Expression): string => {
    if (ts.isStringLiteralLike(expression)) {
      return expression.text;
    }
    if (ts.isTemplateExpression(expression)) {
      return expression.templateSpans.reduce((text, span) => text + hole(span.expression) + span.literal.text, expression.head.text);
    }
    return isSum(expression) ? made(expression.left) + made(expression.right) : hole(expression);
  };
  if (said === undefined) {
    return [];
  }
  if (ts.isParenthesizedExpression(said)) {
    return sentences(said.expression);
  }
  if (ts.isConditionalExpression(said)) {
    return [...sentences(said.whenTrue), ...sentences(said.whenFalse)];
  }
  if (ts.isBinaryExpression(said) && said.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
    return [...sentences(said.left), ...sentences(said.right)];
  }
  if (ts.isIdentifier(said)) {
    return sentences(constant(said));
  }
  if (!ts.isStringLiteralLike(said) && !ts.isTemplateExpression(said) && !isSum(said)) {
    return [];
  }
  const text = made(said);
  return [...(isSentence(text) ? [text] : []), ...inside.flatMap(sentences)];
}

function isSum(expression: ts.Expression): expression is ts.BinaryExpression {
  return ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

/** What the constant is that a name stands for, where it stands in the same file. */
function constant(name: ts.Identifier): ts.Expression | undefined {
  let found: ts.Expression | undefined;
  const look = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name.text && name !== node.initializer) {
      found = node.initializer;
    }
    if (!ts.isFunctionLike(node)) {
      ts.forEachChild(node, look);
    }
  };
  const lookAround = (scope: ts.Node): void => {
    if (ts.isBlock(scope) || ts.isSourceFile(scope)) {
      scope.statements.forEach(look);
    }
    if (found === undefined && !ts.isSourceFile(scope)) {
      lookAround(scope.parent);
    }
  };
  lookAround(name.parent);
  return found;
}
