import type { SyntaxNode } from '@lezer/common';
import { parser as javaScript } from '@lezer/javascript';
import { parser as python } from '@lezer/python';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import type { TextRange } from '../../../core/text/edits';
import { lineRange } from '../../../core/text/lines';

/** Files of program text whose string literals can be prompts. */
export type CodeFormat = 'python' | 'typescript';

/** A string literal of a program, quotation marks and prefix included; in Python, literals side by side are one. */
export interface Literal extends TextRange {
  /** The literals that it is made of, each with the fields (`{x}`, `${x}`) in it. */
  readonly strings: readonly (TextRange & { readonly fields: readonly TextRange[] })[];
}

/** Grammars of Lezer (MIT), which reads what is broken as well, and knows a division from a regular expression. */
const parsers = { python, typescript: javaScript.configure({ dialect: 'ts' }) };
const jsx = javaScript.configure({ dialect: 'ts jsx' });

const stringNames = new Set(['String', 'FormatString', 'TemplateString']);
const fieldNames = new Set(['FormatReplacement', 'Interpolation']);

/** The string literals of a program with their ranges, in order; those that are not closed are none. @param path tells JSX */
export function literalsOf(text: string, format: CodeFormat, path = ''): Literal[] {
  const tree = (/\.[jt]sx$/i.test(path) ? jsx : parsers[format]).parse(text);
  const found: Literal[] = [];
  const cursor = tree.cursor();
  do {
    const { node } = cursor;
    const isContinued = node.name === 'ContinuedString';
    if (isContinued || (stringNames.has(node.name) && node.parent?.name !== 'ContinuedString')) {
      const strings = isContinued ? childrenOf(node, stringNames) : [node];
      if (strings.every((string) => isClosed(text, string))) {
        const parts = strings.map((string) => ({ ...rangeOf(string), fields: childrenOf(string, fieldNames).map(rangeOf) }));
        found.push({ ...rangeOf(node), strings: parts });
      }
    }
  } while (cursor.next());
  return found;
}

function rangeOf({ from, to }: TextRange): TextRange {
  return { from, to };
}

function lengthOf({ from, to }: TextRange): number {
  return to - from;
}

function childrenOf(node: SyntaxNode, names: ReadonlySet<string>): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (names.has(child.name)) {
      children.push(child);
    }
  }
  return children;
}

/** The prefix and the quotation marks of a literal. */
const opening = /^([a-z]{0,3})("""|'''|["'`])/i;

/** Whether a literal has its last quotation mark, which no backslash escapes. */
function isClosed(text: string, { from, to }: TextRange): boolean {
  const [whole, , quote] = opening.exec(text.slice(from, to)) ?? ['', '', ''];
  if (quote === '' || to - from < whole.length + quote.length || !text.endsWith(quote, to)) {
    return false;
  }
  let at = to - quote.length;
  while (at > from && text[at - 1] === '\\') {
    at -= 1;
  }
  return (to - quote.length - at) % 2 === 0;
}

/** The innermost literal around an offset. */
export function literalAround(literals: readonly Literal[], at: number | undefined): Literal | undefined {
  const around = literals.filter(({ from, to }) => at !== undefined && from <= at && at <= to);
  return around.sort((one, other) => lengthOf(one) - lengthOf(other))[0];
}

/**
 * The literal that is meant.
 *
 * @param line on which it begins, ends or goes on, the longest of several; 0: the longest of all
 * @param at an offset in it; comes before `line`, and counts for nothing outside of literals
 */
export function literalAt(
  text: string,
  literals: readonly Literal[],
  { line, at }: { readonly line: number; readonly at?: number | undefined },
): Literal | undefined {
  const around = literalAround(literals, at);
  if (around !== undefined) {
    return around;
  }
  const meant = line === 0 ? { from: 0, to: text.length } : lineRange(text, line);
  const found = literals.filter(({ from, to }) => from < meant.to && to > meant.from);
  return found.sort((one, other) => lengthOf(other) - lengthOf(one))[0];
}

/** What stands for escaped characters besides those with a number, in both languages. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };
const numbered = /x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,6})\}|U([\da-fA-F]{8})|([0-7]{1,3})/y;

/** The value of a literal with its places. Fields stay as they are written. @returns also whether characters by name are in it */
export function valueOfLiteral(text: string, { strings }: Literal, format: CodeFormat): MappedText & { readonly hasNames: boolean } {
  const writer = new PieceWriter();
  let hasNames = false;
  for (const { from, to, fields } of strings) {
    const [start, prefix, quote] = opening.exec(text.slice(from, to)) ?? ['', '', ''];
    const end = to - quote.length;
    const isRaw = /r/i.test(prefix);
    const isFormat = /f/i.test(prefix);
    let at = from + start.length;
    let copied = at;
    let field = 0;
    const replace = (unit: string, next: number): void => {
      writer.copy(text, copied, at);
      // A character beyond the basic plane is two code units, which stand for the escape together.
      if (unit.length === 1) {
        writer.escape(unit, at, next);
      } else {
        writer.replace(unit, at, next);
      }
      at = next;
      copied = next;
    };
    while (at < end) {
      if (at === fields[field]?.from) {
        at = fields[field].to;
        field += 1;
      } else if (text[at] === '\\' && !isRaw) {
        const escape = escapeAt(text, at + 1, format);
        hasNames ||= escape === undefined && text[at + 1] === 'N';
        if (escape === undefined) {
          at += 2;
        } else {
          replace(escape.unit, escape.next);
        }
      } else if (isFormat && (text.startsWith('{{', at) || text.startsWith('}}', at))) {
        replace(text[at], at + 2);
      } else if (text[at] === '\r' && quote !== '"' && quote !== "'") {
        // Line ends in a literal are \n, whatever the file has.
        replace('\n', at + (text[at + 1] === '\n' ? 2 : 1));
      } else {
        at += 1;
      }
    }
    writer.copy(text, copied, end);
  }
  return { ...writer.finish(), hasNames };
}

/** The escape whose characters after the backslash begin at an offset; undefined where the backslash stands for itself. */
function escapeAt(text: string, at: number, format: CodeFormat): { readonly unit: string; readonly next: number } | undefined {
  const kind = text[at];
  if (kind === '\r' || kind === '\n') {
    return { unit: '', next: at + (text.startsWith('\r\n', at) ? 2 : 1) };
  }
  numbered.lastIndex = at;
  const [whole, ...digits] = numbered.exec(text) ?? [''];
  if (whole !== '') {
    const index = digits.findIndex(Boolean);
    const point = Number.parseInt(digits[index], index === 4 ? 8 : 16);
    const isPython = format === 'python';
    // `\u{...}` is JavaScript's, `\U` Python's.
    if (point <= 0x10ffff && !(isPython && index === 2) && !(!isPython && index === 3)) {
      return { unit: String.fromCodePoint(point), next: at + whole.length };
    }
  }
  if (kind in escapes) {
    return { unit: escapes[kind], next: at + 1 };
  }
  if (format === 'python') {
    return kind === 'a' ? { unit: '\u0007', next: at + 1 } : /['"\\]/.test(kind) ? { unit: kind, next: at + 1 } : undefined;
  }
  return { unit: kind, next: at + 1 };
}
