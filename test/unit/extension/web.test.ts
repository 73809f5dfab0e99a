import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type * as vscode from 'vscode';
import { activate } from '../../../src/extension/web';
import { root } from '../../support/paths';
import { executeCommand, leaveOutLanguageModels, registeredCommands, tools } from '../../support/workbench/commands';
import { textsOf } from '../../support/workbench/dialogs';
import { resetAll } from '../../support/workbench/events';
import { openView } from '../../support/workbench/views';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly browser: string;
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly languageModelTools: readonly { readonly name: string }[];
  };
};

it('answers everything the extension contributes in a browser, with VS Code alone', async () => {
  const handlers = new Map<string, () => unknown>();
  const tools = new Map<string, { invoke(): Promise<unknown> }>();
  const said: string[] = [];
  const disposable = { dispose: () => undefined };
  const vscode = {
    l10n: { bundle: undefined },
    commands: { registerCommand: (name: string, handler: () => unknown) => (handlers.set(name, handler), disposable) },
    lm: { registerTool: (name: string, tool: { invoke(): Promise<unknown> }) => (tools.set(name, tool), disposable) },
    window: { registerWebviewViewProvider: () => disposable, showInformationMessage: (message: string) => said.push(message) },
  };
  const required: string[] = [];
  const source = readFileSync(join(root, manifest.browser), 'utf8');
  const loaded: { exports: { activate?: (context: unknown) => void } } = { exports: {} };
  // No `process`, no `Buffer`, no module but VS Code's: what a browser's extension host gives.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the bundle is run as an extension host runs it
  const load = new Function('module', 'exports', 'require', 'process', 'Buffer', 'Worker', source) as (...given: unknown[]) => void;
  load(loaded, loaded.exports, (name: string) => (required.push(name), vscode), undefined, undefined, undefined);
  const subscriptions: unknown[] = [];
  loaded.exports.activate?.({ subscriptions, extension: { packageJSON: manifest } });

  expect(required).toEqual(['vscode']);
  expect([...handlers.keys()]).toEqual(manifest.contributes.commands.map(({ command }) => command));
  handlers.forEach((handler) => handler());
  expect(new Set(said).size).toBe(1);
  expect(said[0]).toContain('needs VS Code on the desktop');
  expect([...tools.keys()]).toEqual(manifest.contributes.languageModelTools.map(({ name }) => name));
  for (const tool of tools.values()) {
    await expect(tool.invoke()).rejects.toThrow(said[0]);
  }
  expect(subscriptions).toHaveLength(handlers.size + tools.size + 1);
});

it('says the same as its commands in the panel, without a script, and needs no language models', async () => {
  resetAll();
  leaveOutLanguageModels();
  const subscriptions: { dispose(): unknown }[] = [];
  activate({ subscriptions, extension: { packageJSON: manifest } } as unknown as vscode.ExtensionContext);
  await executeCommand('twoHeads.simulateFile');
  const { html } = openView('twoHeads.panel').webview;
  expect(html).toContain(textsOf('information')[0]);
  expect(html).toContain('content="default-src \'none\'"');
  expect(html).not.toContain('<script');
  expect(tools.size).toBe(0);
  subscriptions.forEach((subscription) => subscription.dispose());
  expect(registeredCommands()).toEqual([]);
  resetAll();
  activate({ subscriptions, extension: { packageJSON: manifest } } as unknown as vscode.ExtensionContext);
  await expect(
    tools.get('twoHeads_plan_prompt')?.invoke({ input: {}, toolInvocationToken: undefined }, undefined as never),
  ).rejects.toThrow('needs VS Code on the desktop');
});
