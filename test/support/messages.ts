import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
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

/** Every text that the files of a folder translate: by `t('...')`, mark for that by `text('...')`, or count by `formatNumberOf(n, '...')`, which has a singular and a plural. */
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
