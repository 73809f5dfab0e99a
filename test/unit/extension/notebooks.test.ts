import { describe, expect, it, vi } from 'vitest';
import { codeActions } from '../../support/workbench/languages';
import { contextKeys } from '../../support/workbench/commands';
import { textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { select, show } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { type CellParts, closeNotebook, type FakeNotebook, focusNotebook, showNotebook } from '../../support/workbench/notebooks';
import { set } from '../../support/workbench/settings';
import { statusItems } from '../../support/workbench/views';
import { activated, Panel, run } from '../../support/host';
import { readSource } from '../../../src/engine/read/source/read-source';
import { notebookJson, type WrittenCells } from '../../../src/extension/prompts/notebook-json';
import type { RunOrigin } from '../../../src/core/record/record';
import { sourceAgain } from '../../../src/extension/tasks/run-source';
import type * as vscode from 'vscode';

const words = 'The quick brown fox jumps over the lazy dog. ';

const cells: readonly CellParts[] = [
  { kind: 'markup', language: 'markdown', text: `# Foxes\n${words.repeat(20)}`, metadata: { attachments: { 'fox.png': {} } } },
  {
    kind: 'code',
    language: 'python',
    text: 'print("fox")\r\n1 / 0',
    outputs: [
      { 'application/vnd.code.notebook.stdout': 'fox\n' },
      {
        'application/vnd.code.notebook.error': JSON.stringify({ name: 'ZeroDivisionError', message: 'by zero', stack: 'line 2\nby zero' }),
      },
    ],
  },
  { kind: 'code', language: 'python', text: 'plot()', outputs: [{ 'image/png': new Uint8Array([137, 80]), 'text/plain': '<Figure>' }] },
  { kind: 'code', language: 'raw', text: 'as it is' },
];

/** The same notebook as Jupyter keeps it. */
const file = JSON.stringify({
  metadata: { kernelspec: { language: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
  cells: [
    { cell_type: 'markdown', source: `# Foxes\n${words.repeat(20)}`, attachments: { 'fox.png': { 'image/png': 'iVBO' } } },
    {
      cell_type: 'code',
      source: ['print("fox")\n', '1 / 0'],
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['fox\n'] },
        { output_type: 'error', ename: 'ZeroDivisionError', evalue: 'by zero', traceback: ['line 2', 'by zero'] },
      ],
    },
    {
      cell_type: 'code',
      source: 'plot()',
      outputs: [{ output_type: 'display_data', data: { 'image/png': 'iVBO', 'text/plain': ['<Figure>'] } }],
    },
    { cell_type: 'raw', source: 'as it is' },
  ],
});

const kernel = { metadata: { kernelspec: { language: 'python' } } };

function read(text: string): ReturnType<typeof readSource> {
  return readSource(
    { path: 'work.ipynb', text, source: { as: 'notebook', line: 0, variables: {} } },
    { name: 'gpt2', template: () => undefined },
  );
}

const jsonOf = (notebook: FakeNotebook): string => notebookJson(notebook as unknown as vscode.NotebookDocument);

describe('a notebook in an editor', () => {
  it('is read as its file is, with what is left out', async () => {
    await activated();
    const [open, kept] = [jsonOf(showNotebook('/work.ipynb', cells, kernel)), file].map(read);
    expect(open.text).toBe(kept.text);
    expect(open.notes).toEqual(kept.notes);
    expect(open.notes.join()).toContain('1 × image/png');
    expect(open.notes.join()).toContain('1 × attachment');
    expect(open.parts.map(({ title }) => title)).toEqual(kept.parts.map(({ title }) => title));
  });

  it('has the language of its first code cell where no kernel is named, and the name of an error without a traceback', async () => {
    await activated();
    const error = { 'application/vnd.code.notebook.error': JSON.stringify({ name: 'Error', message: 'no' }) };
    const notebook = showNotebook('/a.ipynb', [
      { kind: 'markup', language: 'markdown', text: 'Hi' },
      { kind: 'code', language: 'julia', text: 'f(x)', outputs: [error, { 'application/vnd.code.notebook.error': 'no JSON' }] },
    ]);
    expect(read(jsonOf(notebook))).toMatchObject({
      text: 'Hi\n\n```julia\nf(x)\n```\n\n```\nError: no\n```\n\n```\nno JSON\n```',
      notes: [],
    });
  });

  it('is written anew only where a cell has changed', async () => {
    await activated();
    const written: WrittenCells = new WeakMap();
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    const open = notebook as unknown as vscode.NotebookDocument;
    const before = notebookJson(open, written);
    const reads = notebook.getCells().map(({ document }) => vi.spyOn(document, 'getText'));
    expect(notebookJson(open, written)).toBe(before);
    reads.forEach((getText) => expect(getText).not.toHaveBeenCalled());
    notebook.add({ kind: 'markup', language: 'markdown', text: words });
    expect(JSON.parse(notebookJson(open, written))).toEqual(JSON.parse(notebookJson(open)));
  });

  it('is run whole, and is what panel and status item show then', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    show(openDocument('/beside.prompt', words));
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    expect([(await panel.snapshot()).document, contextKeys.get('twoHeads.front')]).toEqual([null, 'text']);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/work.ipynb', text: jsonOf(notebook), source: { as: 'notebook' } });
    call.reject(new Error('enough'));
    await running;
    await run('planOnly');
    const { document, plan } = await panel.snapshot();
    expect([document, contextKeys.get('twoHeads.front'), statusItems[0].visible]).toEqual(['/work.ipynb', 'prompt', true]);
    expect(plan?.notes.join()).toContain('image/png');
    expect(statusItems[0].text).not.toContain('work.ipynb');
    // The focus goes to the panel, and what has none is named.
    focusNotebook(false);
    expect(statusItems[0].text).toContain('work.ipynb: ');
    closeNotebook(notebook);
    expect([(await panel.snapshot()).document, contextKeys.get('twoHeads.front')]).toEqual([null, 'none']);
  });

  it('is planned anew when a cell is added or edited', async () => {
    await activated();
    const panel = new Panel();
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    await run('planOnly');
    const tokens = async (): Promise<number> => {
      await run('planOnly');
      return (await panel.snapshot()).plan?.tokens ?? 0;
    };
    const before = await tokens();
    notebook.add({ kind: 'markup', language: 'markdown', text: words });
    const added = await tokens();
    edit(notebook.cellAt(0).document, { from: 0, text: words.repeat(5) });
    const edited = await tokens();
    expect([added > before, edited > added + 40]).toEqual([true, true]);
  });

  it('lets the selection of a cell be run, and says where blocks have no place', async () => {
    const { engine } = await activated();
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    await run('simulateSelection');
    const editor = show(notebook.cellAt(0).document);
    select(editor, notebook.cellAt(0).document.lineAt(0).range);
    const running = run('simulateSelection');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ text: '# Foxes', source: { as: 'text' } });
    call.reject(new Error('enough'));
    await running;
    await run('goToExpensiveBlock');
    expect(textsOf('warning')).toEqual([
      'Two Heads: nothing is selected; select the text to run.',
      'Two Heads: blocks have no place in the cells of a notebook; open work.ipynb as text to go to them.',
    ]);
  });

  it('is what a run of it is repeated on, with what is not saved', async () => {
    await activated();
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    const { uri } = notebook;
    const again = await sourceAgain({ uri: uri.toString(), selection: null, at: null, options: {} as RunOrigin['options'] });
    expect(again).toMatchObject({ uri: uri.toString(), path: '/work.ipynb', text: jsonOf(notebook), source: { as: 'notebook' } });
  });

  it('is a prompt because the user says so in a cell, or by its name', async () => {
    await activated();
    const notebook = showNotebook('/work.ipynb', cells, kernel);
    const titles = async (): Promise<string[]> => (await codeActions(notebook.cellAt(1).document)).map(({ title }) => title);
    expect(await titles()).toEqual(['Treat as Prompt']);
    await run('treatAsPrompt');
    expect([await titles(), contextKeys.get('twoHeads.front')]).toEqual([['Stop Treating as Prompt'], 'prompt']);
    await run('stopTreatingAsPrompt');
    expect(contextKeys.get('twoHeads.front')).toBe('text');
    set('twoHeads.files', ['**/*.ipynb']);
    await settled();
    expect(contextKeys.get('twoHeads.front')).toBe('prompt');
  });
});
