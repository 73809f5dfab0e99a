import { readFile, writeFile } from 'node:fs/promises';
import type * as vscode from 'vscode';
import { emitter, onReset } from './events';
import { Position, Range } from './places';
import { Disposable } from './events';
import { Uri, type WorkspaceEdit } from './values';

/** Lines end in `\n` alone. */
export class FakeDocument implements vscode.TextDocument {
  readonly eol = 1;
  readonly encoding = 'utf8';
  version = 1;
  isClosed = false;
  isDirty = false;
  private starts: readonly number[] = [];

  constructor(
    readonly uri: vscode.Uri,
    public languageId: string,
    private text: string,
  ) {
    this.replaceText(text);
  }

  get fileName(): string {
    return this.uri.fsPath;
  }

  get isUntitled(): boolean {
    return this.uri.scheme === 'untitled';
  }

  get lineCount(): number {
    return this.starts.length;
  }

  getText(range?: vscode.Range): string {
    return range === undefined ? this.text : this.text.slice(this.offsetAt(range.start), this.offsetAt(range.end));
  }

  offsetAt(given: vscode.Position): number {
    const { line, character } = this.validatePosition(given);
    return this.starts[line] + character;
  }

  positionAt(offset: number): Position {
    const within = Math.max(0, Math.min(offset, this.text.length));
    const line = this.starts.findLastIndex((start) => start <= within);
    return new Position(line, within - this.starts[line]);
  }

  lineAt(at: number | vscode.Position): vscode.TextLine {
    const line = typeof at === 'number' ? at : at.line;
    const text = this.text.slice(this.starts[line], this.lineEnd(line));
    const range = new Range(line, 0, line, text.length);
    return {
      lineNumber: line,
      text,
      range,
      rangeIncludingLineBreak: line + 1 < this.lineCount ? new Range(line, 0, line + 1, 0) : range,
      firstNonWhitespaceCharacterIndex: /^\s*/.exec(text)?.[0].length ?? 0,
      isEmptyOrWhitespace: text.trim() === '',
    };
  }

  getWordRangeAtPosition(position: vscode.Position): Range | undefined {
    const { line, character } = this.validatePosition(position);
    for (const match of this.lineAt(line).text.matchAll(/[\p{L}\p{N}_]+/gu)) {
      if (match.index <= character && character <= match.index + match[0].length) {
        return new Range(line, match.index, line, match.index + match[0].length);
      }
    }
    return undefined;
  }

  validatePosition({ line, character }: vscode.Position): Position {
    return line >= this.lineCount
      ? this.positionAt(this.text.length)
      : new Position(line, Math.min(character, this.lineEnd(line) - this.starts[line]));
  }

  validateRange({ start, end }: vscode.Range): Range {
    return new Range(this.validatePosition(start), this.validatePosition(end));
  }

  async save(): Promise<boolean> {
    if (this.uri.scheme !== 'file') {
      return false;
    }
    await writeFile(this.uri.fsPath, this.text);
    this.isDirty = false;
    documentSaved.fire(this);
    documentChanged.fire({
      document: this,
      contentChanges: [],
      reason: undefined,
      detailedReason: undefined,
    } as vscode.TextDocumentChangeEvent);
    return true;
  }

  /** Replaces the text without a word; `edit` is what tells of it. */
  replaceText(text: string): void {
    this.text = text;
    this.starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  private lineEnd(line: number): number {
    return line + 1 < this.lineCount ? this.starts[line + 1] - 1 : this.text.length;
  }
}

const documentOpened = emitter<vscode.TextDocument>();
const documentChanged = emitter<vscode.TextDocumentChangeEvent>();
const documentClosed = emitter<vscode.TextDocument>();
const documentSaved = emitter<vscode.TextDocument>();
export const onDidSaveTextDocument = documentSaved.event;
export const onDidOpenTextDocument = documentOpened.event;
export const onDidChangeTextDocument = documentChanged.event;
export const onDidCloseTextDocument = documentClosed.event;

export const textDocuments: FakeDocument[] = [];
const providers = new Map<string, vscode.TextDocumentContentProvider>();
let untitled = 0;
onReset(() => {
  textDocuments.length = 0;
  providers.clear();
  untitled = 0;
});

/** VS Code's own come first: a prompt file is one, though it is Markdown too. */
const languages: readonly (readonly [string, string])[] = [
  ['.prompt.md', 'prompt'],
  ['.instructions.md', 'instructions'],
  ['.md', 'markdown'],
  ['.txt', 'plaintext'],
  ['.json', 'json'],
  ['.ts', 'typescript'],
];

function languageOf(path: string): string {
  return languages.find(([ending]) => path.endsWith(ending))?.[1] ?? 'plaintext';
}

function add(document: FakeDocument): FakeDocument {
  textDocuments.push(document);
  documentOpened.fire(document);
  return document;
}

/** A document that is open. @param place a path of the disk, which need not be there, or an address */
export function openDocument(place: string | vscode.Uri, text: string, language?: string): FakeDocument {
  const uri = typeof place === 'string' ? Uri.file(place) : place;
  return add(new FakeDocument(uri, language ?? languageOf(uri.path), text));
}

/** As an editor opens one: that which is open already, what its provider says, or a file. @throws where there is none */
export async function openTextDocument(given: vscode.Uri | { language?: string; content?: string } | string): Promise<FakeDocument> {
  if (typeof given === 'object' && !('scheme' in given)) {
    untitled += 1;
    return openDocument(Uri.from({ scheme: 'untitled', path: `Untitled-${untitled}` }), given.content ?? '', given.language);
  }
  const uri = typeof given === 'string' ? Uri.file(given) : given;
  const open = textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) {
    return open;
  }
  const provider = providers.get(uri.scheme);
  if (provider !== undefined) {
    const content = await provider.provideTextDocumentContent(uri, undefined as unknown as vscode.CancellationToken);
    return openDocument(uri, content ?? '');
  }
  if (uri.scheme !== 'file') {
    throw new Error(`cannot open ${uri.toString()}. Detail: Unable to resolve resource ${uri.toString()}`);
  }
  const text = await readFile(uri.fsPath, 'utf8').catch(() => {
    throw new Error(`cannot open ${uri.toString()}. Detail: Unable to read file '${uri.fsPath}'`);
  });
  return openDocument(uri, text);
}

/** The documents of a scheme are what the provider says; it is asked again when it says so. */
export function registerTextDocumentContentProvider(scheme: string, provider: vscode.TextDocumentContentProvider): Disposable {
  providers.set(scheme, provider);
  const listener = provider.onDidChange?.((uri) => {
    const document = textDocuments.find((open) => open.uri.toString() === uri.toString());
    if (document !== undefined) {
      void Promise.resolve(provider.provideTextDocumentContent(uri, undefined as unknown as vscode.CancellationToken)).then((text) =>
        edit(document, { from: 0, to: document.getText().length, text: text ?? '' }),
      );
    }
  });
  return new Disposable(() => {
    providers.delete(scheme);
    listener?.dispose();
  });
}

/** A change of a text, in offsets of the text before all changes. */
export interface Edit {
  readonly from: number;
  readonly to?: number;
  readonly text?: string;
}

/** Edits a document: its version rises once, and the changes are listed from the end of the text to its start, as in an editor. */
export function edit(document: FakeDocument, ...edits: readonly Edit[]): void {
  const contentChanges = [...edits]
    .sort((one, other) => other.from - one.from)
    .map(({ from, to = from, text = '' }) => ({
      range: new Range(document.positionAt(from), document.positionAt(to)),
      rangeOffset: from,
      rangeLength: to - from,
      text,
    }));
  for (const { rangeOffset, rangeLength, text } of contentChanges) {
    const before = document.getText();
    document.replaceText(before.slice(0, rangeOffset) + text + before.slice(rangeOffset + rangeLength));
  }
  document.version += 1;
  document.isDirty = true;
  documentChanged.fire({ document, contentChanges, reason: undefined, detailedReason: undefined } as vscode.TextDocumentChangeEvent);
}

/** Makes the changes of an edit, each in a document that is open. */
export function applyEdit({ changes }: WorkspaceEdit): Promise<boolean> {
  for (const document of textDocuments) {
    const own = changes.filter(({ uri }) => uri.toString() === document.uri.toString());
    if (own.length > 0) {
      const edits = own.map(({ at, text }) => {
        const [start, end] = 'start' in at ? [at.start, at.end] : [at, at];
        return { from: document.offsetAt(start), to: document.offsetAt(end), text };
      });
      edit(document, ...edits);
    }
  }
  return Promise.resolve(true);
}

/** Changes a document's language: it closes and opens, and stays where it is. */
export function setLanguage(document: FakeDocument, languageId: string): void {
  documentClosed.fire(document);
  document.languageId = languageId;
  documentOpened.fire(document);
}

/** Closes a document: it stays what it was, and is open no longer. */
export function closeDocument(document: FakeDocument): void {
  textDocuments.splice(textDocuments.indexOf(document), 1);
  document.isClosed = true;
  documentClosed.fire(document);
}
