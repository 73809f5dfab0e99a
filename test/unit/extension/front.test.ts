import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { contextKeys } from '../../support/workbench/commands';
import { textsOf } from '../../support/workbench/dialogs';
import { closeDocument, openDocument } from '../../support/workbench/documents';
import { closeEditor, focus, show, showDiffs } from '../../support/workbench/editors';
import { codeLenses, hoversAt, inlayHints, lensesRefreshed, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { TabInputTextDiff } from '../../support/workbench/values';
import { statusItems } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
const beginning = new vscode.Range(0, 0, 0, 10);

describe('the editor in front', () => {
  const front = async (panel: Panel): Promise<string | null> => (await panel.snapshot()).document;

  it('is what commands act on, whatever is beside it', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    await openPrompt(text, '/beside.prompt');
    const code = show(openDocument('/app.py', 'print("hello")'), { viewColumn: 2 });
    expect([await front(panel), statusItems[0].visible, contextKeys.get('twoHeads.front')]).toEqual([null, false, 'text']);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/app.py', text: 'print("hello")' });
    call.reject(new Error('enough'));
    await running;
    // What was run is shown.
    expect((await shownLenses(code.document)).length).toBeGreaterThan(1);
    expect([await front(panel), statusItems[0].visible, contextKeys.get('twoHeads.front')]).toEqual(['/app.py', true, 'prompt']);
  });

  it('makes prompts of what is planned, and none of what only a part is run of', async () => {
    const { engine, state } = await activated();
    const document = openDocument('/README.md', text);
    const editor = show(document);
    editor.selection = new vscode.Selection(0, 0, 0, 9);
    const running = run('simulateSelection');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/README.md#L1-L1', text: 'The quick' });
    call.reject(new Error('enough'));
    await running;
    expect(await codeLenses(document)).toEqual([]);
    await run('planOnly');
    expect(textsOf('information')).toEqual([expect.stringContaining('tokens')]);
    expect((await codeLenses(document)).length).toBeGreaterThan(1);
    expect(state.prompts).toBeUndefined();
  });

  it('stays so while the focus is in no text editor, is named then, and goes with its editor', async () => {
    await activated();
    const panel = new Panel();
    const { editor, document } = await openPrompt(text, '/one.prompt');
    expect(statusItems[0].text).not.toContain('one.prompt');
    focus(undefined);
    expect(await front(panel)).toBe('/one.prompt');
    expect(statusItems[0].text).toContain('one.prompt: ');
    // The same file in another group is another editor.
    const second = show(document, { viewColumn: 2, preserveFocus: true });
    closeEditor(editor);
    expect(await front(panel)).toBe('/one.prompt');
    closeEditor(second);
    expect(await front(panel)).toBeNull();
    expect(contextKeys.get('twoHeads.front')).toBe('none');
    await run('compareScenarios');
    expect(textsOf('warning')).toEqual(['Two Heads: no text is in front; open a prompt first.']);
  });

  it('is the file that a menu was opened on, wherever that is', async () => {
    const { engine } = await activated();
    const { document } = await openPrompt(text, '/beside.prompt');
    const other = openDocument('/notes.md', `${text}!`);
    expect(contextKeys.get('twoHeads.prompts')).toEqual(['/beside.prompt']);
    const running = run('simulateFile', other.uri, [other.uri]);
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/notes.md', text: `${text}!` });
    call.reject(new Error('enough'));
    await running;
    expect(contextKeys.get('twoHeads.prompts')).toEqual(['/notes.md']);
    await run('stopTreatingAsPrompt', document.uri);
    expect(contextKeys.get('twoHeads.prompts')).toEqual([]);
  });

  it('is refused by name where it cannot be edited', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    await openPrompt(text);
    set('twoHeads.languages', ['*']);
    for (const address of ['output:/Two Heads.log', 'git:/prompts/prompt.md']) {
      const document = openDocument(vscode.Uri.parse(address), text, 'plaintext');
      show(document);
      await run('simulateFile');
      await run('treatAsPrompt');
      expect(await front(panel)).toBeNull();
      expect(await codeLenses(document)).toEqual([]);
      expect(await inlayHints(document, beginning)).toEqual([]);
      expect(contextKeys.get('twoHeads.front')).toBe('none');
      closeDocument(document);
    }
    expect(engine.calls).toEqual([]);
    expect(textsOf('warning')).toEqual(
      ['Two Heads.log (output)', 'Two Heads.log (output)', 'prompt.md (git)', 'prompt.md (git)'].map(
        (name) => `Two Heads: ${name} is read-only and no prompt; copy its text into a file first.`,
      ),
    );
  });

  it('may be a cell of a notebook, or of a file system that can be written', async () => {
    await activated();
    for (const address of ['vscode-notebook-cell:/work.ipynb#W0', 'notes:/today.md']) {
      const document = openDocument(vscode.Uri.parse(address), text, 'markdown');
      show(document);
      expect(await codeLenses(document)).toEqual([]);
      await run('planOnly');
      expect((await codeLenses(document)).length).toBeGreaterThan(1);
    }
  });

  it('says so where its text ceases to be a prompt while it is planned', async () => {
    await activated();
    show(openDocument('/README.md', text));
    const planning = run('planOnly');
    await Promise.resolve();
    await run('stopTreatingAsPrompt');
    await planning;
    expect(textsOf('error')).toEqual(['Two Heads: This text is no longer a prompt.']);
  });
});

describe('a diff', () => {
  it('has no lens, hint or hover, unless its file is also open beside it', async () => {
    await activated({ prepare: () => set('twoHeads.hints.placement', 'inline') });
    const { document, editor } = await openPrompt(text);
    const shown = async (): Promise<number[]> => [
      (await codeLenses(document)).length,
      (await inlayHints(document, beginning)).length,
      (await hoversAt(document, new vscode.Position(0, 0))).length,
    ];
    const before = await shown();
    expect(Math.min(...before)).toBeGreaterThan(0);
    showDiffs(new TabInputTextDiff(document.uri.with({ scheme: 'git' }), document.uri));
    expect(await shown()).toEqual(before);
    const drawn = lensesRefreshed();
    const code = openDocument('/code.ts', 'x');
    show(code, { viewColumn: editor.viewColumn });
    await drawn;
    expect(await shown()).toEqual([0, 0, 0]);
    showDiffs();
    expect(await shown()).toEqual(before);
  });
});
