import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import * as vscode from 'vscode';
import { callApi, invokeTool } from './caller';
import { clear, unchoose } from './clear';
import { MemoryFiles } from './memory-files';
import { MEMORY_FILES, PROBE_SOCKET, type EditorState, type ProbeAnswers, type Question } from './protocol';

/**
 * A second extension, only for tests: it answers questions about the editor's state over a Unix socket, with VS Code's
 * own API, where the page's DOM shows only part of the truth (selections, settings in force, clipboard); and it writes
 * user settings, because without native modules the server does not watch the settings file.
 */
export function activate(context: vscode.ExtensionContext): void {
  const socket = process.env[PROBE_SOCKET];
  if (socket === undefined) {
    return;
  }
  context.subscriptions.push(MemoryFiles.register(JSON.parse(process.env[MEMORY_FILES] ?? '{}') as Record<string, string>));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://probe');
    const question = url.pathname.slice(1) as Question;
    Promise.resolve(answers[question](url.searchParams.get('argument') ?? '')).then(
      (answer: unknown) => response.end(JSON.stringify(answer ?? null)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  rmSync(socket, { force: true });
  server.listen(socket);
  context.subscriptions.push({ dispose: () => server.close() });
}

const answers: { readonly [Q in Question]: (argument: string) => ProbeAnswers[Q] | Thenable<ProbeAnswers[Q]> } = {
  editor: () => {
    const editor = vscode.window.activeTextEditor;
    return editor === undefined ? null : editorState(editor);
  },
  text: () => vscode.window.activeTextEditor?.document.getText() ?? null,
  setting: (name) => vscode.workspace.getConfiguration(undefined, vscode.window.activeTextEditor?.document).get(name) ?? null,
  active: (id) => vscode.extensions.getExtension(id)?.isActive ?? null,
  clipboard: () => vscode.env.clipboard.readText(),
  configure: async (changes) => {
    for (const [name, value] of Object.entries(JSON.parse(changes) as Record<string, unknown>)) {
      await vscode.workspace.getConfiguration().update(name, value ?? undefined, vscode.ConfigurationTarget.Global);
    }
    return true;
  },
  callApi,
  invokeTool,
  tools: () => vscode.lm.tools.map(({ name }) => name),
  trusted: () => vscode.workspace.isTrusted,
  folders: () => (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString()),
  show: async (uri) => {
    await vscode.window.showTextDocument(vscode.Uri.parse(uri));
    return true;
  },
  showNotebook: async (uri) => {
    await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(vscode.Uri.parse(uri)));
    return true;
  },
  command: (call) => {
    const addressOf = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && 'uri' in value ? vscode.Uri.parse(String(value.uri)) : value;
    const [command, ...given] = (JSON.parse(call) as [string, ...unknown[]]).map(addressOf) as [string, ...unknown[]];
    // Not awaited: one that asks something ends only with the answer.
    void vscode.commands.executeCommand(command, ...given);
    return true;
  },
  clear,
  unchoose,
};

function editorState({ document, selections, visibleRanges }: vscode.TextEditor): EditorState {
  return {
    file: document.uri.fsPath,
    language: document.languageId,
    dirty: document.isDirty,
    selections: selections.map((selection) => ({
      startLine: selection.start.line + 1,
      startColumn: selection.start.character + 1,
      endLine: selection.end.line + 1,
      endColumn: selection.end.character + 1,
      startOffset: document.offsetAt(selection.start),
      endOffset: document.offsetAt(selection.end),
      text: document.getText(selection),
    })),
    visibleLines: visibleRanges.map((range) => [range.start.line + 1, range.end.line + 1] as const),
  };
}
