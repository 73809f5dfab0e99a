import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { activated, openPrompt, Panel } from '../../support/host';
import { messages, onDidShowMessage, script, shownDialogs, textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { scroll, select, show } from '../../support/workbench/editors';
import { once, settled } from '../../support/workbench/events';
import { openFolders } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';
import { lensesRefreshed } from '../../support/workbench/languages';
import { queryBlockAt } from '../../../src/core/plan/query-blocks';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(60);

describe('the map', () => {
  it('selects a tile in the editor, and reads it', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const panel = new Panel();
    const { editor, document } = await openPrompt(text);
    panel.say({ type: 'select-tile', queryBlock: 3, keyBlock: 1 });
    await settled();
    const [queries, keys] = editor.selections;
    expect(editor.selections).toHaveLength(2);
    expect(queries.isReversed).toBe(true);
    expect(document.offsetAt(keys.end)).toBeLessThanOrEqual(document.offsetAt(queries.start));
    expect(editor.revealed.at(-1)?.range.isEqual(queries)).toBe(true);
    const answer = panel.next('tile-text');
    panel.say({ type: 'read-tile', request: 7, queryBlock: 3, keyBlock: 1 });
    const excerpt = await answer;
    expect(excerpt.request).toBe(7);
    expect(document.getText(queries).startsWith(excerpt.queries.slice(0, 15))).toBe(true);
    expect(document.getText(keys).startsWith((excerpt.keys ?? '').slice(0, 15))).toBe(true);
    panel.say({ type: 'select-tile', queryBlock: 2, keyBlock: 2 });
    await settled();
    expect(editor.selections).toHaveLength(1);
  });

  it('has no keys to select where they are sampled', async () => {
    await activated({
      prepare: () => {
        set('twoHeads.blockSize', 64);
        set('twoHeads.scenario', 'average-case');
      },
    });
    const panel = new Panel();
    const { editor } = await openPrompt(text);
    const answer = panel.next('tile-text');
    const { plan } = await panel.snapshot();
    const sampled = plan && queryBlockAt(plan.queryBlocks, 5).runs.find(({ kind }) => kind === 'sampled');
    panel.say({ type: 'read-tile', request: 1, queryBlock: 5, keyBlock: sampled?.from ?? -1 });
    expect((await answer).keys).toBeNull();
    panel.say({ type: 'select-tile', queryBlock: 5, keyBlock: sampled?.from ?? -1 });
    await settled();
    expect(editor.selections).toHaveLength(1);
  });

  it('does nothing with a tile of a plan that is no longer the text', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const panel = new Panel();
    const { editor, document } = await openPrompt(text);
    const [before] = editor.selections;
    panel.say({ type: 'select-tile', queryBlock: 9999, keyBlock: 0 });
    edit(document, { from: 0, text: 'x' });
    panel.say({ type: 'select-tile', queryBlock: 3, keyBlock: 1 });
    panel.say({ type: 'read-tile', request: 7, queryBlock: 3, keyBlock: 1 });
    await settled();
    expect(editor.selections).toEqual([before]);
    expect(panel.all('tile-text')).toEqual([]);
    expect((await panel.snapshot()).place).toEqual({ cursor: null, visible: null });
    await lensesRefreshed();
  });

  it('marks the blocks of the cursor and of what is on screen', async () => {
    await activated({ prepare: () => set('twoHeads.blockSize', 64) });
    const panel = new Panel();
    const { editor, document } = await openPrompt(text.replaceAll('. ', '.\n'));
    expect((await panel.snapshot()).place.cursor).toBe(0);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    // Scrolling fires at every frame.
    for (let line = 0; line < 10; line += 1) {
      scroll(editor, new vscode.Range(line, 0, line + 20, 0));
    }
    const end = document.positionAt(document.getText().length);
    select(editor, new vscode.Range(end, end));
    await settled();
    expect(panel.all('place')).toEqual([]);
    vi.advanceTimersByTime(50);
    const [{ place }] = panel.all('place');
    expect(place.cursor).toBeGreaterThan(5);
    expect(place.visible?.from).toBeGreaterThan(0);
    expect(place.visible?.to).toBeLessThan(place.cursor ?? 0);
    vi.advanceTimersByTime(1000);
    expect(panel.all('place')).toHaveLength(1);
    // What is no prompt moves nothing.
    const code = show(openDocument('/code.ts', 'x'), { viewColumn: 2 });
    scroll(code, new vscode.Range(0, 0, 0, 1));
    vi.advanceTimersByTime(1000);
    expect(panel.all('place')).toHaveLength(1);
  });

  it('is saved as a picture where the user wants it', async () => {
    const { folder } = await activated();
    openFolders(folder);
    const panel = new Panel();
    const data = new Uint8Array([1, 2, 3]);
    const target = join(folder, 'map.svg');
    script.targets.push(vscode.Uri.file(target));
    const save = async (format: 'svg' | 'png'): Promise<void> => {
      const said = script.targets[0] === undefined ? settled() : once(onDidShowMessage);
      panel.say({ type: 'save-picture', format, data });
      await said;
    };
    await save('svg');
    expect([...readFileSync(target)]).toEqual([1, 2, 3]);
    expect(textsOf('information')).toEqual(['Tile map saved as map.svg.']);
    expect(shownDialogs[0]).toMatchObject({ filters: { SVG: ['svg'] }, defaultUri: { path: `${folder}/tile-map.svg` } });
    await openPrompt(text, `${folder}/long.prompt.md`);
    script.targets.push(undefined);
    await save('png');
    expect(messages).toHaveLength(1);
    expect(shownDialogs[1]).toMatchObject({ filters: { PNG: ['png'] }, defaultUri: { path: `${folder}/long.prompt-tile-map.png` } });
    writeFileSync(join(folder, 'file'), '');
    script.targets.push(vscode.Uri.file(join(folder, 'file', 'map.png')));
    await save('png');
    expect(textsOf('error')).toEqual([expect.stringMatching(/^Could not save the tile map: /)]);
  });
});
