import * as vscode from 'vscode';
import * as z from 'zod';
import { Disposable } from '../disposable';
import { cellScheme, NotebookText, type PromptDocument } from './notebooks';
import { promptFiles, promptLanguages, settingsSection } from '../settings';

/** Where the workspace's state keeps what the user said of documents. */
const storageKey = 'prompts';

/** Most documents of which it is kept; the oldest are forgotten first. */
const mostKept = 1000;

/** Schemes of what can be edited that are no file system's. */
const editableSchemes = ['file', 'untitled', cellScheme];

/** Schemes whose addresses mean another text tomorrow. */
const passingSchemes = ['untitled', cellScheme];

/** Whether a document can be a prompt: it can be edited, or is of the workspace. What else there is are logs, older versions, answers of ours. */
export function canBePrompt({ uri }: PromptDocument): boolean {
  return (
    editableSchemes.includes(uri.scheme) ||
    vscode.workspace.fs.isWritableFileSystem(uri.scheme) === true ||
    vscode.workspace.getWorkspaceFolder(uri) !== undefined
  );
}

/**
 * Knows which documents are prompts: those of the languages and files in the settings, unless the user said otherwise.
 *
 * What the user says of a file is kept in the workspace's state and follows the file when it is renamed; what is said of an
 * untitled document lasts while it is open, and is kept once it is saved.
 */
export class PromptDocuments extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<PromptDocument | undefined>());
  /** Fires when a document became a prompt, or ceased to be one; undefined if any may have, since the settings changed. */
  readonly onDidChange = this.changed.event;
  private settings = readSettings();
  /** By address, whether it is a prompt: until the window closes, and in this workspace. */
  private readonly session = new Map<string, boolean>();
  private readonly kept: Map<string, boolean>;

  constructor(private readonly storage: vscode.Memento) {
    super();
    // Another version, or a fault, may have left it in another shape.
    this.kept = new Map(z.array(z.tuple([z.string(), z.boolean()])).safeParse(storage.get(storageKey)).data ?? []);
    this.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${settingsSection}.languages`) || event.affectsConfiguration(`${settingsSection}.files`)) {
          this.settings = readSettings();
          this.changed.fire(undefined);
        }
      }),
    );
    this.own(vscode.workspace.onDidSaveTextDocument((document) => this.saved(document)));
    this.own(vscode.workspace.onDidCloseTextDocument((document) => this.closed(document)));
    this.own(vscode.workspace.onDidCloseNotebookDocument((notebook) => this.closed(notebook)));
    this.own(vscode.workspace.onDidRenameFiles(({ files }) => this.renamed(files)));
  }

  isPrompt(document: PromptDocument): boolean {
    const address = document.uri.toString();
    return canBePrompt(document) && (this.session.get(address) ?? this.kept.get(address) ?? this.isBySettings(document));
  }

  /** Makes a document a prompt, or none, because the user says so. One that cannot be a prompt stays none. */
  say(document: PromptDocument, isPrompt: boolean): void {
    const address = document.uri.toString();
    if (passingSchemes.includes(document.uri.scheme)) {
      this.session.set(address, isPrompt);
    } else {
      this.session.delete(address);
      this.kept.delete(address);
      if (isPrompt !== this.isBySettings(document)) {
        this.kept.set(address, isPrompt);
      }
      this.store();
    }
    this.changed.fire(document);
  }

  /** Makes a document a prompt until the window closes, because the user runs it as one. */
  sayForSession(document: PromptDocument): void {
    if (!this.isPrompt(document)) {
      this.session.set(document.uri.toString(), true);
      this.changed.fire(document);
    }
  }

  private isBySettings(document: PromptDocument): boolean {
    const { languages, files } = this.settings;
    const folder = vscode.workspace.getWorkspaceFolder(document.uri);
    const patterns = files.map((glob) => ({ pattern: folder === undefined ? glob : new vscode.RelativePattern(folder, glob) }));
    if (document instanceof NotebookText) {
      // The address of a cell has the path of its notebook.
      return document.notebook.cellCount > 0 && vscode.languages.match(patterns, document.notebook.cellAt(0).document) > 0;
    }
    return vscode.languages.match([...languages, ...patterns], document) > 0;
  }

  /** VS Code does not tell that an untitled document was saved as a file; the file is then saved while both have one text. */
  private saved(document: vscode.TextDocument): void {
    const twin = vscode.workspace.textDocuments.find(
      (other) =>
        other.isUntitled &&
        this.session.has(other.uri.toString()) &&
        other.lineCount === document.lineCount &&
        other !== document &&
        other.getText() === document.getText(),
    );
    if (twin !== undefined) {
      this.say(document, this.isPrompt(twin));
    }
  }

  private closed({ uri }: vscode.TextDocument | vscode.NotebookDocument): void {
    const address = uri.toString();
    // The event also fires for a document that stays open, when its language changes. The next untitled one may get this address.
    if (passingSchemes.includes(uri.scheme) && !vscode.workspace.textDocuments.some((open) => open.uri.toString() === address)) {
      this.session.delete(address);
    }
  }

  /** Also what lies in a folder that was renamed. Documents may be open at their new addresses already. */
  private renamed(files: vscode.FileRenameEvent['files']): void {
    const moved = new Set<string>();
    for (const { oldUri, newUri } of files) {
      const [before, after] = [oldUri.toString(), newUri.toString()];
      for (const known of [this.session, this.kept]) {
        for (const [address, isPrompt] of [...known]) {
          if (address === before || address.startsWith(`${before}/`)) {
            known.delete(address);
            const now = after + address.slice(before.length);
            known.set(now, isPrompt);
            moved.add(now);
          }
        }
      }
    }
    this.store();
    vscode.workspace.textDocuments.filter(({ uri }) => moved.has(uri.toString())).forEach((document) => this.changed.fire(document));
  }

  private store(): void {
    for (const address of [...this.kept.keys()].slice(0, -mostKept)) {
      this.kept.delete(address);
    }
    void this.storage.update(storageKey, [...this.kept]);
  }
}

/** Languages and globs from the settings. */
function readSettings(): { readonly languages: readonly string[]; readonly files: readonly string[] } {
  return { languages: promptLanguages(), files: promptFiles().map(withoutCase) };
}

/** A glob that matches in capitals or not: `*.md` as `*.[mM][dD]`. VS Code's globs heed case. What is in brackets stays. */
function withoutCase(glob: string): string {
  return glob.replaceAll(/\[[^\]]*\]|\p{L}/gu, (part) => {
    const [lower, upper] = [part.toLowerCase(), part.toUpperCase()];
    return part.startsWith('[') || lower === upper || lower.length + upper.length > 2 ? part : `[${lower}${upper}]`;
  });
}
