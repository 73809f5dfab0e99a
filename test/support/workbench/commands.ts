import type * as vscode from 'vscode';
import { Disposable, onReset } from './events';
import { openTextDocument, textDocuments } from './documents';
import { show, showDiff } from './editors';
import { openView, webviewProviders } from './views';

const handlers = new Map<string, (...given: unknown[]) => unknown>();
/** Keys of the manifest's conditions. */
export const contextKeys = new Map<string, unknown>();
/** Commands of the editor's own that were executed, with what they were given. */
export const executed: { readonly command: string; readonly given: readonly unknown[] }[] = [];
onReset(() => {
  [handlers, contextKeys].forEach((map) => map.clear());
  executed.splice(0);
});

/** The names of the commands that are registered. */
export function registeredCommands(): string[] {
  return [...handlers.keys()].sort();
}

/** @throws where another has the name */
export function registerCommand(command: string, handler: (...given: unknown[]) => unknown): Disposable {
  if (handlers.has(command)) {
    throw new Error(`command '${command}' already exists`);
  }
  handlers.set(command, handler);
  return new Disposable(() => handlers.delete(command));
}

/** Runs a command of the extension; of the editor's own it knows those that the extension uses. @throws for any other */
export function executeCommand(command: string, ...given: unknown[]): Promise<unknown> {
  // What a handler throws rejects, as it does across processes.
  return Promise.resolve().then(() => (handlers.get(command) ?? ownCommand(command))(...given));
}

function ownCommand(command: string): (...given: unknown[]) => unknown {
  if (command === 'setContext') {
    return (key, value) => void contextKeys.set(key as string, value);
  }
  const view = command.replace(/\.focus$/, '');
  const isView = command.endsWith('.focus') && webviewProviders.has(view);
  const others = ['vscode.open', 'vscode.openWith', 'vscode.diff', 'workbench.action.openSettings', 'workbench.action.reopenTextEditor'];
  if (!isView && !others.includes(command)) {
    throw new Error(`command '${command}' not found`);
  }
  return async (...given) => {
    executed.push({ command, given });
    if (command === 'vscode.diff') {
      const [left, right] = [await openTextDocument(given[0] as vscode.Uri), await openTextDocument(given[1] as vscode.Uri)];
      showDiff(left, right);
    }
    const opened = command === 'vscode.open' && textDocuments.find(({ uri }) => uri.toString() === String(given[0]));
    if (opened) {
      show(opened);
    }
    if (isView) {
      openView(view);
    }
  };
}

/** Tools that language models may call. */
export const tools = new Map<string, vscode.LanguageModelTool<unknown>>();

/** Editors that are built on VS Code may have none. */
export let lm: { readonly registerTool: typeof registerTool; registerMcpServerDefinitionProvider?: typeof registerServers } | undefined;
onReset(() => {
  tools.clear();
  servers.clear();
  lm = { registerTool, registerMcpServerDefinitionProvider: registerServers };
});

/** What provides servers of the Model Context Protocol, by its name. */
export const servers = new Map<string, { provideMcpServerDefinitions(): object[] }>();

/** A server that an editor can start. */
export class McpStdioServerDefinition {
  constructor(
    readonly label: string,
    readonly command: string,
    readonly args: readonly string[],
    readonly env: Readonly<Record<string, string>>,
  ) {}
}

/** Takes servers out of the language models, as in VS Code 1.100. */
export function leaveOutServers(): void {
  delete lm?.registerMcpServerDefinitionProvider;
}

function registerServers(name: string, provider: { provideMcpServerDefinitions(): object[] }): Disposable {
  servers.set(name, provider);
  return new Disposable(() => servers.delete(name));
}

/** Takes the language models out of the editor. */
export function leaveOutLanguageModels(): void {
  lm = undefined;
}

function registerTool(name: string, tool: vscode.LanguageModelTool<unknown>): Disposable {
  if (tools.has(name)) {
    throw new Error(`Tool "${name}" already has an implementation.`);
  }
  tools.set(name, tool);
  return new Disposable(() => tools.delete(name));
}
