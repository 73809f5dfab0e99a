import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import { lineOf } from '../../../core/text/lines';

/**
 * A value of a JSON document with its place `[from, to)`, in UTF-16 code units; strings with their quotation marks. Objects have
 * the keys that are there twice.
 */
export type JsonNode = { readonly from: number; to: number } & (
  | { readonly kind: 'object'; readonly fields: Map<string, JsonNode>; readonly repeated: Set<string> }
  | { readonly kind: 'array'; readonly items: JsonNode[] }
  | { readonly kind: 'string' | 'other' }
);

/** A document's text or a line of it that is no JSON. */
export class JsonError extends InputError {
  /** @param offset of the first character that is wrong, in the document */
  constructor(path: string, document: string, offset: number) {
    super(said`${path} is not JSON at line ${lineOf(document, offset)}; correct it, or read it as it is with --as text.`);
  }
}

/** A token: a mark, or the first character of a value's kind; `end` after the last. */
type Token = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'other' | 'end';

const marks = '{}[],:';
const blank = /[ \t\r\n]*/y;
const other = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const escapeForm = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** Cuts JSON (RFC 8259) into tokens. */
class Lexer {
  /** The place of the latest token. */
  from = 0;
  to: number;

  constructor(
    private readonly text: string,
    start: number,
    private readonly end: number,
    private readonly fail: (offset: number) => never,
  ) {
    this.to = start;
  }

  next(): Token {
    this.from = this.to + lengthOf(blank, this.text, this.to);
    if (this.from >= this.end) {
      [this.from, this.to] = [this.end, this.end];
      return 'end';
    }
    const character = this.text[this.from];
    if (marks.includes(character)) {
      this.to = this.from + 1;
      return character as Token;
    }
    const isString = character === '"';
    this.to = isString ? this.endOfString() : this.from + (lengthOf(other, this.text, this.from) || this.fail(this.from));
    return this.to > this.end ? this.fail(this.end) : isString ? 'string' : 'other';
  }

  /** Where the string ends that begins here. A loop, because a pattern runs out of memory on long strings. */
  private endOfString(): number {
    const { text } = this;
    for (let at = this.from + 1; at < this.end;) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        return at + 1;
      }
      // Control characters are written as escapes.
      at += unit === 0x5c ? lengthOf(escapeForm, text, at) || this.fail(at) : unit < 0x20 ? this.fail(at) : 1;
    }
    return this.fail(this.end);
  }
}

/** Code units that a sticky pattern matches at an offset. */
function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/**
 * Parses `[from, to)` of a document as JSON, with the places of its values. A key that is there twice has its last value, as
 * in `JSON.parse`.
 *
 * `JSON.parse` tells no places; jsonc-parser (MIT) does, but it recurses, so that deep nesting ends it.
 * @throws JsonError
 */
export function parseJsonPlaces(path: string, document: string, from = 0, to = document.length): JsonNode {
  const fail = (offset: number): never => {
    throw new JsonError(path, document, offset);
  };
  const lexer = new Lexer(document, from, to, fail);
  /** The containers that are open. */
  const open: JsonNode[] = [];
  /** Takes a value, whose first token was read, to where it belongs. */
  let put: (node: JsonNode) => void = (node) => {
    root = node;
  };
  let root: JsonNode | undefined;
  let token = lexer.next();
  for (;;) {
    const node = nodeOf(token, lexer) ?? fail(lexer.from);
    put(node);
    let isFirst = node.kind === 'object' || node.kind === 'array';
    if (isFirst) {
      open.push(node);
    }
    token = lexer.next();
    // What may stand after a value, or at the start of a container: ends of containers, then a comma.
    for (let inner = open.at(-1); inner !== undefined && token === (inner.kind === 'object' ? '}' : ']'); inner = open.at(-1)) {
      inner.to = lexer.to;
      open.pop();
      isFirst = false;
      token = lexer.next();
    }
    const holder = open.at(-1);
    if (holder === undefined) {
      return token === 'end' && root !== undefined ? root : fail(lexer.from);
    }
    if (!isFirst) {
      token = token === ',' ? lexer.next() : fail(lexer.from);
    }
    if (holder.kind === 'object') {
      const key = token === 'string' ? (JSON.parse(document.slice(lexer.from, lexer.to)) as string) : fail(lexer.from);
      if (lexer.next() !== ':') {
        fail(lexer.from);
      }
      token = lexer.next();
      if (holder.fields.has(key)) {
        holder.repeated.add(key);
      }
      put = (value) => holder.fields.set(key, value);
    } else if (holder.kind === 'array') {
      put = (value) => holder.items.push(value);
    }
  }
}

/** A value by its first token; undefined where that begins none. */
function nodeOf(token: Token, { from, to }: Lexer): JsonNode | undefined {
  switch (token) {
    case '{':
      return { kind: 'object', fields: new Map(), repeated: new Set(), from, to };
    case '[':
      return { kind: 'array', items: [], from, to };
    case 'string':
    case 'other':
      return { kind: token, from, to };
    default:
      return undefined;
  }
}

/** What stands for each escaped character besides `\uXXXX`. */
const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Adds the value of a JSON string to a text, with the places of its characters. */
export function writeString(writer: PieceWriter, document: string, { from, to }: JsonNode): void {
  // Cut off first: a search for the next escape must end with the string.
  const written = document.slice(from, to - 1);
  let at = from + 1;
  for (;;) {
    const found = written.indexOf('\\', at - from);
    if (found < 0) {
      writer.copy(document, at, to - 1);
      return;
    }
    const escape = from + found;
    writer.copy(document, at, escape);
    const kind = document[escape + 1];
    at = escape + (kind === 'u' ? 6 : 2);
    const unit = kind === 'u' ? String.fromCharCode(Number.parseInt(document.slice(escape + 2, at), 16)) : (escapes[kind] ?? kind);
    writer.escape(unit, escape, at);
  }
}

/** The value of a JSON string with its places. */
export function stringOf(document: string, node: JsonNode): MappedText {
  const writer = new PieceWriter();
  writeString(writer, document, node);
  return writer.finish();
}

/** A value to be looked at, and where it is: lists of keys would take the square of a deep document's time. */
interface Waiting {
  readonly node: JsonNode;
  readonly key: string | number;
  readonly within: Waiting | undefined;
}

/** The path of a key that an object of the document has twice, such as `budgets.tokens`; undefined where none has. */
export function repeatedKey(root: JsonNode): string | undefined {
  const waiting: Waiting[] = [{ node: root, key: '', within: undefined }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const within = next;
    const { node } = within;
    if (node.kind === 'object') {
      const [repeated] = node.repeated;
      if (node.repeated.size > 0) {
        const path: (string | number)[] = [repeated];
        for (let at = within; at.within !== undefined; at = at.within) {
          path.push(at.key);
        }
        return path.reverse().join('.');
      }
      node.fields.forEach((inner, key) => waiting.push({ node: inner, key, within }));
    } else if (node.kind === 'array') {
      node.items.forEach((inner, key) => waiting.push({ node: inner, key, within }));
    }
  }
  return undefined;
}

/** A field of an object; undefined where the value is no object, or has none of this name. */
export function fieldOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.fields.get(name) : undefined;
}

/** The items of an array; undefined where the value is none. */
export function itemsOf(node: JsonNode | undefined): readonly JsonNode[] | undefined {
  return node?.kind === 'array' ? node.items : undefined;
}

/** A value as JSON.parse has it. */
export function valueOf(document: string, { from, to }: JsonNode): unknown {
  return JSON.parse(document.slice(from, to)) as unknown;
}

/** A string's value; undefined where the value is none. */
export function textOf(document: string, node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? (valueOf(document, node) as string) : undefined;
}
