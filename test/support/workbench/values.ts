import { posix } from 'node:path';
import type * as vscode from 'vscode';

/** What the parts of an address are. */
interface UriParts {
  readonly scheme: string;
  readonly authority?: string;
  readonly path?: string;
  readonly query?: string;
  readonly fragment?: string;
}

/** An address, written as an editor writes it: everything but letters, digits, `-._~/` in percent signs. */
export class Uri implements vscode.Uri {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;

  private constructor({ scheme, authority = '', path = '', query = '', fragment = '' }: UriParts) {
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.query = query;
    this.fragment = fragment;
  }

  static from(parts: UriParts): Uri {
    return new Uri(parts);
  }

  static file(path: string): Uri {
    return new Uri({ scheme: 'file', path });
  }

  static parse(value: string): Uri {
    const match = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i.exec(value);
    if (match === null) {
      throw new Error(`[UriError]: Scheme is missing: ${value}`);
    }
    const [scheme, authority, path, query, fragment] = match.slice(1).map((part: string | undefined) => decodeURIComponent(part ?? ''));
    return new Uri({ scheme, authority, path, query, fragment });
  }

  static joinPath(base: vscode.Uri, ...segments: string[]): Uri {
    return new Uri({ ...partsOf(base), path: posix.join(base.path, ...segments) });
  }

  get fsPath(): string {
    return this.path;
  }

  with(change: Partial<UriParts>): Uri {
    return new Uri({ ...partsOf(this), ...change });
  }

  toString(): string {
    const encoded = (part: string): string => part.split('/').map(encodeURIComponent).join('/');
    const { scheme, authority, path, query, fragment } = this;
    const place = scheme === 'file' || authority !== '' ? `//${authority}` : '';
    return `${scheme}:${place}${encoded(path)}${query && `?${encoded(query)}`}${fragment && `#${encoded(fragment)}`}`;
  }

  toJSON(): UriParts {
    return partsOf(this);
  }
}

function partsOf({ scheme, authority, path, query, fragment }: UriParts): UriParts {
  return { scheme, authority, path, query, fragment } as UriParts;
}

/** Markdown; appended text means nothing but itself, as in an editor. */
export class MarkdownString implements vscode.MarkdownString {
  isTrusted?: boolean;
  supportThemeIcons?: boolean;
  supportHtml?: boolean;

  constructor(public value = '') {}

  appendText(text: string): this {
    this.value += text
      .replaceAll(/[\\`*_{}[\]()#+\-!~]/g, '\\$&')
      .replaceAll(/([ \t]+)/g, (_, spaces: string) => '&nbsp;'.repeat(spaces.length))
      .replaceAll(/^>/gm, '\\>')
      .replaceAll('\n', '\n\n');
    return this;
  }

  appendMarkdown(text: string): this {
    this.value += text;
    return this;
  }

  appendCodeblock(code: string, language = ''): this {
    return this.appendMarkdown(`\n\`\`\`${language}\n${code}\n\`\`\`\n`);
  }
}

export class ThemeColor implements vscode.ThemeColor {
  constructor(readonly id: string) {}
}

export class ThemeIcon implements vscode.ThemeIcon {
  constructor(readonly id: string) {}
}

export class TreeItem {
  constructor(
    public label: string,
    public collapsibleState: number = TreeItemCollapsibleState.None,
  ) {}
}

export class InlayHint {
  constructor(
    public position: vscode.Position,
    public label: string,
  ) {}
}

export class CodeLens {
  constructor(
    public range: vscode.Range,
    public command?: vscode.Command,
  ) {}
}

/** A pattern within a folder. */
export class RelativePattern {
  readonly base: string;

  constructor(
    base: vscode.WorkspaceFolder | vscode.Uri,
    readonly pattern: string,
  ) {
    this.base = 'uri' in base ? base.uri.fsPath : base.fsPath;
  }
}

export class CodeActionKind {
  static readonly Refactor = new CodeActionKind('refactor');
  static readonly QuickFix = new CodeActionKind('quickfix');

  private constructor(readonly value: string) {}

  append(part: string): CodeActionKind {
    return new CodeActionKind(`${this.value}.${part}`);
  }
}

export class CodeAction {
  command?: vscode.Command;
  edit?: WorkspaceEdit;
  diagnostics?: vscode.Diagnostic[];
  isPreferred?: boolean;

  constructor(
    readonly title: string,
    readonly kind: CodeActionKind,
  ) {}
}

/** Changes of documents, as what is put where. */
export class WorkspaceEdit {
  readonly changes: { readonly uri: vscode.Uri; readonly at: vscode.Range | vscode.Position; readonly text: string }[] = [];

  replace(uri: vscode.Uri, at: vscode.Range, text: string): void {
    this.changes.push({ uri, at, text });
  }

  insert(uri: vscode.Uri, at: vscode.Position, text: string): void {
    this.changes.push({ uri, at, text });
  }
}

export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2, Hint: 3 };

/** Something wrong in a document. */
export class Diagnostic {
  source?: string;

  constructor(
    public range: vscode.Range,
    public message: string,
    public severity: number,
  ) {}
}

export const TestRunProfileKind = { Run: 1 };

/** What a test says. */
export class TestMessage {
  location?: Location;

  constructor(public message: string) {}
}

/** A place in a document. */
export class Location {
  constructor(
    public uri: vscode.Uri,
    public range: vscode.Range,
  ) {}
}

export const TaskGroup = { Test: { id: 'test' } };

/** A program that a task runs. */
export class ProcessExecution {
  constructor(
    public process: string,
    public args: string[],
    public options: vscode.ProcessExecutionOptions,
  ) {}
}

/** A task. */
export class Task {
  group?: object;

  constructor(
    public definition: vscode.TaskDefinition,
    public scope: vscode.WorkspaceFolder,
    public name: string,
    public source: string,
    public execution: ProcessExecution,
    public problemMatchers: string[],
  ) {}
}

/** What a tab with a text holds. */
export class TabInputText {
  constructor(readonly uri: vscode.Uri) {}
}

/** What a tab with a diff holds. */
export class TabInputTextDiff {
  constructor(
    readonly original: vscode.Uri,
    readonly modified: vscode.Uri,
  ) {}
}

export class Hover {
  readonly contents: readonly vscode.MarkdownString[];

  constructor(contents: vscode.MarkdownString | readonly vscode.MarkdownString[]) {
    this.contents = Array.isArray(contents) ? (contents as readonly vscode.MarkdownString[]) : [contents as vscode.MarkdownString];
  }
}

export class LanguageModelTextPart {
  constructor(readonly value: string) {}
}

export class LanguageModelToolResult {
  constructor(readonly content: readonly unknown[]) {}
}

export const CodeActionTriggerKind = { Invoke: 1, Automatic: 2 } as const;
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 } as const;
export const FileType = { Unknown: 0, File: 1, Directory: 2, SymbolicLink: 64 } as const;
export const EndOfLine = { LF: 1, CRLF: 2 } as const;
export const NotebookCellKind = { Markup: 1, Code: 2 } as const;
export const ViewColumn = { Active: -1, Beside: -2, One: 1, Two: 2 } as const;
export const TextEditorRevealType = { Default: 0, InCenter: 1, InCenterIfOutsideViewport: 2, AtTop: 3 } as const;
export const QuickPickItemKind = { Separator: -1, Default: 0 } as const;
export const ProgressLocation = { SourceControl: 1, Window: 10, Notification: 15 } as const;
export const OverviewRulerLane = { Left: 1, Center: 2, Right: 4, Full: 7 } as const;
export const StatusBarAlignment = { Left: 1, Right: 2 } as const;
export const ConfigurationTarget = { Global: 1, Workspace: 2, WorkspaceFolder: 3 } as const;
