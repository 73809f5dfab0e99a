import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { root } from '../../support/paths';
import { contextKeys, executeCommand, leaveOutLanguageModels, registeredCommands, tools } from '../../support/workbench/commands';
import { textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { show } from '../../support/workbench/editors';
import { listenerCount } from '../../support/workbench/events';
import { providerCount, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { logged, shownLogs, statusItems, treeViews, webviewProviders } from '../../support/workbench/views';

/** What the manifest contributes. */
const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: readonly { readonly properties: Readonly<Record<string, unknown>> }[];
    readonly languageModelTools: readonly { readonly name: string }[];
    readonly views: { readonly twoHeads: readonly { readonly id: string }[] };
  };
};
const contributedCommands = contributes.commands.map(({ command }) => command).sort();

describe('activation', () => {
  it('registers what the manifest contributes, each command and no other', async () => {
    const { api } = await activated();
    expect(registeredCommands()).toEqual(contributedCommands);
    expect([...tools.keys()]).toEqual(contributes.languageModelTools.map(({ name }) => name));
    expect([...webviewProviders.keys(), ...treeViews.keys()]).toEqual(contributes.views.twoHeads.map(({ id }) => id));
    expect(contextKeys.get('twoHeads.hasRuns')).toBe(false);
    expect(logged).toEqual([]);
    expect(api.version).toBe(1);
  });

  it.each([null, 7, 'text', true, [1, null], { a: 1 }])('stands every setting as %j, and what is kept in another shape', async (value) => {
    const names = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    expect(names.length).toBeGreaterThan(20);
    await activated({
      prepare: () => names.forEach((name) => set(name, value)),
      state: { choice: value, prompts: value },
    });
    show(openDocument('/a.prompt', 'Once upon a time there was a prompt.'));
    const { formError, form } = await new Panel().snapshot();
    expect(form.blockSize).toBeTypeOf('number');
    expect(formError ?? '').toMatch(/^$|^Setting twoHeads\.|^Scenario |^Block size /);
    expect(registeredCommands()).toEqual(contributedCommands);
    expect(logged).toEqual([]);
  });

  it('calls no engine and says nothing before it is asked', async () => {
    const { engine } = await activated();
    await openPrompt('Once upon a time there was a prompt.');
    expect(engine.calls).toEqual([]);
    expect(['information', 'warning', 'error'].flatMap((kind) => textsOf(kind as 'error'))).toEqual([]);
  });

  it('leaves nothing behind when it is deactivated', async () => {
    const { engine, deactivate } = await activated();
    const { document } = await openPrompt('Once upon a time there was a prompt.');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    new Panel();
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    call.resolve(await reportFor(call));
    await running;
    edit(document, { from: 0, text: 'Not ' });
    expect(vi.getTimerCount()).toBeGreaterThan(3);
    expect(listenerCount()).toBeGreaterThan(20);
    deactivate();
    expect([vi.getTimerCount(), listenerCount()]).toEqual([0, 0]);
    expect(registeredCommands()).toEqual([]);
    expect([tools.size, webviewProviders.size, treeViews.size, statusItems.length, providerCount()]).toEqual([0, 0, 0, 0, 0]);
    expect(engine.disposed).toBe(true);
    expect(document.isClosed).toBe(false);
  });

  it('starts the other features where one fails, and logs why', async () => {
    const register = vi.spyOn(vscode.languages, 'registerHoverProvider').mockImplementation(() => {
      throw new Error('no hovers here');
    });
    await activated();
    register.mockRestore();
    expect(logged).toEqual([{ level: 'error', line: 'no hovers here' }]);
    expect(registeredCommands()).toEqual(contributedCommands);
    expect(tools.size).toBe(contributes.languageModelTools.length);
    const { document } = await openPrompt('Once upon a time there was a prompt.');
    expect((await shownLenses(document)).length).toBeGreaterThan(1);
  });

  it('starts in an editor that has no language models', async () => {
    await activated({ prepare: leaveOutLanguageModels });
    expect(registeredCommands()).toEqual(contributedCommands);
    expect(tools.size).toBe(0);
    expect(logged).toEqual([]);
  });

  it('speaks the language of the editor', async () => {
    await activated({
      prepare: () => {
        Object.assign(vscode.l10n, { bundle: { 'Two Heads: no text is in front; open a prompt first.': 'Erst eine Datei.' } });
      },
    });
    await executeCommand('twoHeads.simulateFile');
    expect(textsOf('warning')).toEqual(['Erst eine Datei.']);
    await executeCommand('twoHeads.showLog');
    expect(shownLogs).toEqual(['Two Heads']);
  });
});
