/**
 * Stands for the module `vscode` in unit tests, as far as src/extension uses it; what is missing here is undefined, so that
 * its first use fails. The parts and what a test does with them are in workbench/.
 */
import * as dialogs from './workbench/dialogs';
import * as documents from './workbench/documents';
import * as editing from './workbench/editors';
import { createDiagnosticCollection, findFiles, onDidChangeWindowState } from './workbench/experiments';
import * as files from './workbench/files';
import * as notebooks from './workbench/notebooks';
import * as settings from './workbench/settings';
import * as views from './workbench/views';
import { executeCommand, registerCommand } from './workbench/commands';
import {
  match,
  registerCodeActionsProvider,
  registerCodeLensProvider,
  registerHoverProvider,
  registerInlayHintsProvider,
} from './workbench/languages';
import { onReset } from './workbench/events';

export { tasks, tests } from './workbench/experiments';
export { lm, McpStdioServerDefinition } from './workbench/commands';
export { CancellationError, CancellationTokenSource, Disposable, EventEmitter } from './workbench/events';
export { Position, Range, Selection } from './workbench/places';
export * from './workbench/values';

export const commands = { registerCommand, executeCommand };
export const languages = {
  match,
  registerCodeActionsProvider,
  registerCodeLensProvider,
  registerInlayHintsProvider,
  registerHoverProvider,
  createDiagnosticCollection,
};
export const env = { language: 'en' };

/** Translations of the editor's language; undefined in English. */
export const l10n: { bundle: Record<string, string> | undefined } = { bundle: undefined };
onReset(() => void Object.assign(l10n, { bundle: undefined }));

export const workspace = {
  get textDocuments(): readonly documents.FakeDocument[] {
    return documents.textDocuments;
  },
  get notebookDocuments(): readonly notebooks.FakeNotebook[] {
    return notebooks.notebooks.open;
  },
  get workspaceFolders(): typeof files.opened.folders {
    return files.opened.folders;
  },
  get isTrusted(): boolean {
    return files.opened.trusted;
  },
  fs: files.fs,
  createFileSystemWatcher: files.createFileSystemWatcher,
  findFiles,
  asRelativePath: files.asRelativePath,
  getWorkspaceFolder: files.getWorkspaceFolder,
  getConfiguration: settings.getConfiguration,
  openTextDocument: documents.openTextDocument,
  applyEdit: documents.applyEdit,
  registerTextDocumentContentProvider: documents.registerTextDocumentContentProvider,
  onDidChangeConfiguration: settings.onDidChangeConfiguration,
  onDidChangeWorkspaceFolders: files.onDidChangeWorkspaceFolders,
  onDidGrantWorkspaceTrust: files.onDidGrantWorkspaceTrust,
  onDidOpenTextDocument: documents.onDidOpenTextDocument,
  onDidChangeTextDocument: documents.onDidChangeTextDocument,
  onDidSaveTextDocument: documents.onDidSaveTextDocument,
  onDidRenameFiles: files.onDidRenameFiles,
  onDidCloseTextDocument: documents.onDidCloseTextDocument,
  onDidChangeNotebookDocument: notebooks.onDidChangeNotebookDocument,
  onDidCloseNotebookDocument: notebooks.onDidCloseNotebookDocument,
};

export const window = {
  get activeTextEditor(): editing.FakeEditor | undefined {
    return editing.editors.active;
  },
  get visibleTextEditors(): readonly editing.FakeEditor[] {
    return editing.editors.visible;
  },
  get activeNotebookEditor(): typeof notebooks.notebooks.active {
    return notebooks.notebooks.active;
  },
  get visibleNotebookEditors(): typeof notebooks.notebooks.visible {
    return notebooks.notebooks.visible;
  },
  onDidChangeActiveNotebookEditor: notebooks.onDidChangeActiveNotebookEditor,
  onDidChangeVisibleNotebookEditors: notebooks.onDidChangeVisibleNotebookEditors,
  tabGroups: editing.tabGroups,
  showTextDocument: (...given: Parameters<typeof editing.show>): Promise<editing.FakeEditor> => Promise.resolve(editing.show(...given)),
  onDidChangeActiveTextEditor: editing.onDidChangeActiveTextEditor,
  onDidChangeVisibleTextEditors: editing.onDidChangeVisibleTextEditors,
  onDidChangeTextEditorSelection: editing.onDidChangeTextEditorSelection,
  onDidChangeTextEditorVisibleRanges: editing.onDidChangeTextEditorVisibleRanges,
  onDidChangeTextEditorViewColumn: editing.onDidChangeTextEditorViewColumn,
  onDidChangeWindowState,
  createTextEditorDecorationType: editing.createTextEditorDecorationType,
  showInformationMessage: dialogs.showInformationMessage,
  showWarningMessage: dialogs.showWarningMessage,
  showErrorMessage: dialogs.showErrorMessage,
  showQuickPick: dialogs.showQuickPick,
  showInputBox: dialogs.showInputBox,
  showSaveDialog: dialogs.showSaveDialog,
  createQuickPick: dialogs.createQuickPick,
  registerWebviewViewProvider: views.registerWebviewViewProvider,
  createWebviewPanel: views.createWebviewPanel,
  registerCustomEditorProvider: views.registerCustomEditorProvider,
  registerWebviewPanelSerializer: views.registerWebviewPanelSerializer,
  createTreeView: views.createTreeView,
  createStatusBarItem: views.createStatusBarItem,
  createOutputChannel: views.createOutputChannel,
  withProgress: views.withProgress,
};
