import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, run } from '../../support/host';
import { contextKeys } from '../../support/workbench/commands';
import { closeDocument, edit, type FakeDocument, openDocument, openTextDocument, setLanguage } from '../../support/workbench/documents';
import { focus, show } from '../../support/workbench/editors';
import { openFolders, renameFile, restrict } from '../../support/workbench/files';
import { codeActions, codeLenses, inlayHints, lensesRefreshed, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { ConfigurationTarget } from '../../support/workbench/values';
import { statusItems } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(40);

/** Whether a document is a prompt, as the manifest's conditions know it of the editor in front. */
async function isPrompt(document: FakeDocument): Promise<boolean> {
  show(document);
  await Promise.resolve();
  return contextKeys.get('twoHeads.front') === 'prompt';
}

async function arePrompts(...paths: readonly string[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const path of paths) {
    found.push(await isPrompt(openDocument(path, 'x')));
  }
  return found;
}

describe('prompts by the settings', () => {
  it('are what prompts are called, and no README', async () => {
    await activated();
    const prompts = [
      '/a/review.prompt.md',
      '/a/review.prompt',
      '/a/chat.prompty',
      '/a/system-prompt.txt',
      '/a/Prompts.md',
      '/a/PROMPT.MD',
      '/a/prompts/deep/er/greeting.jinja2',
      '/a/.github/prompts/x.txt',
      '/a/.github/copilot-instructions.md',
      '/a/style.instructions.md',
      '/a/AGENTS.md',
      '/a/claude.md',
      '/a/case.chat.jsonl',
    ];
    expect(await arePrompts(...prompts)).toEqual(prompts.map(() => true));
    const others = [
      '/a/README.md',
      '/a/notes.txt',
      '/a/prompt.ts',
      '/a/prompts.json',
      '/a/prompt/README.md',
      '/a/chat.json',
      '/a/agents.ts',
    ];
    expect(await arePrompts(...others)).toEqual(others.map(() => false));
  });

  it("are documents of VS Code's own languages for prompts, wherever they are", async () => {
    await activated();
    for (const language of ['prompt', 'instructions', 'chatagent', 'chatmode', 'skill']) {
      expect(await isPrompt(openDocument(`/${language}.md`, 'x', language)), language).toBe(true);
    }
    expect(await isPrompt(openDocument('/README.md', 'x', 'markdown'))).toBe(false);
  });

  it('have the costs of their sections in those languages too', async () => {
    await activated({ prepare: () => set('twoHeads.hints.placement', 'inline') });
    const { document } = await openPrompt(`# One\n\n${text}\n`, '/review.prompt.md');
    expect(document.languageId).toBe('prompt');
    const hints = await inlayHints(document, new vscode.Range(0, 0, 3, 0));
    expect(hints.map(({ label }) => label as string)).toContainEqual(expect.stringMatching(/^§ /));
  });

  it('go by their path within the workspace, wherever that lies', async () => {
    await activated();
    const readme = openDocument('/home/prompts/app/README.md', 'x');
    expect(await isPrompt(readme)).toBe(true);
    openFolders('/home/prompts/app');
    set('twoHeads.files', ['**/prompts/**/*.md', 'docs/*.md']);
    focus(undefined);
    expect(await isPrompt(readme)).toBe(false);
    expect(await arePrompts('/home/prompts/app/docs/a.md', '/home/prompts/app/lib/docs/a.md')).toEqual([true, false]);
  });

  it('follow the settings at once', async () => {
    await activated();
    const code = openDocument('/code.ts', 'let x = "a prompt of more tokens than one";');
    const { document } = await openPrompt(text);
    const planned = lensesRefreshed();
    set('twoHeads.languages', ['typescript']);
    set('twoHeads.files', ['**/*.[Cc]ode']);
    await planned;
    expect(await codeLenses(document)).toEqual([]);
    expect(statusItems[0].visible).toBe(false);
    expect((await shownLenses(code)).length).toBeGreaterThan(1);
    expect(await arePrompts('/a.code', '/a.Code', '/a.cODE')).toEqual([true, true, true]);
    set('twoHeads.languages', ['*']);
    expect(await isPrompt(document)).toBe(true);
  });

  it('are those of the defaults where the settings hold no list, and nothing is thrown', async () => {
    await activated();
    set('twoHeads.languages', 5);
    set('twoHeads.files', { '**': true });
    expect(await arePrompts('/README.md', '/a.prompt')).toEqual([false, true]);
    set('twoHeads.files', [5, null, '', '[', '{', '[z-a]*', '**/*.ok']);
    expect(await arePrompts('/b.md', '/b.prompt', '/b.OK')).toEqual([false, false, true]);
  });

  it('are not told by a workspace that is not trusted', async () => {
    await activated({ prepare: restrict });
    set('twoHeads.files', ['**'], ConfigurationTarget.Workspace);
    set('twoHeads.languages', ['*'], ConfigurationTarget.Workspace);
    expect(await arePrompts('/code.ts', '/a.prompt')).toEqual([false, true]);
  });
});

describe('a text that the user says is a prompt', () => {
  it('is one in this workspace, until the user says otherwise', async () => {
    const state: Record<string, unknown> = {};
    const { deactivate } = await activated({ state });
    const document = openDocument('/README.md', text);
    show(document);
    expect(await codeLenses(document)).toEqual([]);
    await run('treatAsPrompt');
    expect((await shownLenses(document)).length).toBeGreaterThan(1);
    expect(statusItems[0].visible).toBe(true);
    expect(state.prompts).toEqual([['file:///README.md', true]]);
    deactivate();

    await activated({ state });
    const again = openDocument('/README.md', text);
    expect(await isPrompt(again)).toBe(true);
    await run('stopTreatingAsPrompt');
    expect(await codeLenses(again)).toEqual([]);
    expect(statusItems[0].visible).toBe(false);
    expect(state.prompts).toEqual([]);
  });

  it('may also be none that the settings would make one', async () => {
    const { state } = await activated();
    const { document } = await openPrompt(text);
    await run('stopTreatingAsPrompt');
    expect(await codeLenses(document)).toEqual([]);
    edit(document, { from: 0, text: 'No hints ' });
    expect(await codeLenses(document)).toEqual([]);
    expect(state.prompts).toEqual([['file:///prompts/prompt.md', false]]);
    await run('treatAsPrompt');
    expect((await shownLenses(document)).length).toBeGreaterThan(1);
    expect(state.prompts).toEqual([]);
  });

  it('is offered by an action where the user asks for one, and by no light bulb', async () => {
    await activated();
    const document = openDocument('/notes.txt', text);
    show(document);
    expect(await codeActions(document, vscode.CodeActionTriggerKind.Automatic)).toEqual([]);
    const [action, ...more] = await codeActions(document);
    expect(more).toEqual([]);
    expect([action.title, action.kind?.value, action.command?.command]).toEqual([
      'Treat as Prompt',
      'refactor.prompt',
      'twoHeads.treatAsPrompt',
    ]);
    await run('treatAsPrompt');
    expect((await codeActions(document)).map(({ command }) => command?.command)).toEqual(['twoHeads.stopTreatingAsPrompt']);
    expect(await codeActions(openDocument(vscode.Uri.parse('output:/log'), 'x'))).toEqual([]);
  });

  it('keeps being one when it or its folder is renamed', async () => {
    const { state } = await activated({
      state: {
        prompts: [
          ['file:///old/a.md', true],
          ['file:///older.md', true],
        ],
      },
    });
    // The editor may have opened it at its new address before it tells of that.
    const document = openDocument('/new/a.md', text);
    expect(await isPrompt(document)).toBe(false);
    const drawn = lensesRefreshed();
    renameFile(vscode.Uri.parse('file:///old'), vscode.Uri.parse('file:///new'));
    await drawn;
    expect((await shownLenses(document)).length).toBeGreaterThan(1);
    expect(state.prompts).toEqual([
      ['file:///older.md', true],
      ['file:///new/a.md', true],
    ]);
    expect(await arePrompts('/old/a.md', '/older.md')).toEqual([false, true]);
  });

  it('is forgotten after a thousand others', async () => {
    const others = Array.from({ length: 1000 }, (_, index) => [`file:///${index}.md`, true]);
    const { state } = await activated({ state: { prompts: others } });
    show(openDocument('/README.md', text));
    await run('treatAsPrompt');
    expect(state.prompts).toEqual([...others.slice(1), ['file:///README.md', true]]);
  });

  it('is one while it is open where it has no file, and as a file once it is saved', async () => {
    const { state, folder } = await activated();
    const untitled = await openTextDocument({ language: 'plaintext', content: text });
    expect(await isPrompt(untitled)).toBe(false);
    await run('treatAsPrompt');
    expect((await shownLenses(untitled)).length).toBeGreaterThan(1);
    expect(state.prompts).toBeUndefined();
    // The language of a document that stays open changes.
    setLanguage(untitled, 'markdown');
    expect(await isPrompt(untitled)).toBe(true);

    // As VS Code saves it: the file is written and opened first, and the untitled document closed then.
    const saved = openDocument(join(folder, 'saved.txt'), text);
    const other = openDocument(join(folder, 'other.txt'), `${text}!`);
    await saved.save();
    await other.save();
    closeDocument(untitled);
    expect([await isPrompt(saved), await isPrompt(other)]).toEqual([true, false]);
    rmSync(join(folder, 'saved.txt'));

    // The next untitled document has the same address.
    const next = openDocument(untitled.uri, text, 'plaintext');
    expect(await isPrompt(next)).toBe(false);
  });
});
