import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { defaultOptions } from '../../../src/core/options/table';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { dateOf, type LabResult, type RunOrigin } from '../../../src/core/record/record';
import type { RunNode } from '../../../src/extension/runs/run-tree';
import { activated, type Host, openPrompt, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { reportOf } from '../../support/reports';
import { childrenOf, itemOf, node, tree, withResults } from '../../support/run-tree';
import { contextKeys, executed } from '../../support/workbench/commands';
import { messages, script, shownDialogs, shownPicks, textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { settled } from '../../support/workbench/events';
import { openFolders } from '../../support/workbench/files';
import { logged, webviewPanels } from '../../support/workbench/views';

const options = { ...defaultOptions, scenario: makeScenario('causal'), blockSize: 64 };
const originOf = (uri: string): RunOrigin => ({ uri, at: null, selection: null, options });
const at = (minute: number): string => new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString();

/** Three runs, oldest first: two of one prompt, and one that nobody can repeat. */
const three: readonly LabResult[] = [
  { kind: 'run', report: reportOf({ path: 'docs/a.md', date: at(1) }), origin: originOf('file:///docs/a.md') },
  { kind: 'run', report: reportOf({ path: 'b.md', date: at(2), scenario: makeScenario('full') }), origin: null },
  {
    kind: 'run',
    report: reportOf({ path: 'docs/a.md', date: at(3), scenario: makeScenario('full') }),
    origin: originOf('file:///docs/a.md'),
  },
];

/** The extension with runs that were kept, once they are read. */
const withRuns = (results = three): Promise<Host> => withResults(results);

/** The runs of the tree by prompt: [path, minutes]. */
function shown(): [string, number[]][] {
  return childrenOf().map((prompt) => [
    (prompt as Extract<RunNode, { kind: 'prompt' }>).path,
    childrenOf(prompt).map((each) => new Date(dateOf((each as Extract<RunNode, { kind: 'record' }>).record)).getUTCMinutes()),
  ]);
}

describe('the tree of runs', () => {
  it('has the runs by prompt, newest first, and says how each can be used', async () => {
    await withRuns();
    expect(shown()).toEqual([
      ['docs/a.md', [3, 1]],
      ['b.md', [2]],
    ]);
    const [prompt] = childrenOf();
    expect(itemOf(prompt)).toMatchObject({
      label: 'a.md',
      description: '2 runs',
      tooltip: 'docs/a.md',
      contextValue: 'prompt',
      collapsibleState: vscode.TreeItemCollapsibleState.Expanded,
      accessibilityInformation: { label: 'docs/a.md, 2 runs' },
    });
    const newest = itemOf(node('docs/a.md', 0));
    expect(newest.label).toMatch(/^full, /);
    expect(newest).toMatchObject({ contextValue: 'run.repeatable', description: expect.stringContaining('1.23 s') as string });
    expect(itemOf(node('b.md', 0)).contextValue).toBe('run');
    expect(newest.command?.command).toBe('twoHeads.showRun');
    expect(newest.tooltip).toBeUndefined();
    const resolve = tree().options.treeDataProvider.resolveTreeItem?.bind(tree().options.treeDataProvider);
    const resolved = (await resolve?.(newest, node('docs/a.md', 0), undefined as never)) as vscode.TreeItem;
    expect((resolved.tooltip as vscode.MarkdownString).value).toContain('| Figure | Value |');
    expect(((await resolve?.(itemOf(prompt), prompt, undefined as never)) as vscode.TreeItem).tooltip).toBe('docs/a.md');
    expect(childrenOf(node('b.md', 0))).toEqual([]);
  });

  it('has a run as it ends, and so have the files', async () => {
    const { engine, folder } = await withRuns();
    await openPrompt('A prompt.', '/docs/c.prompt');
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    call.resolve(await reportFor(call, at(9)));
    await running;
    expect(shown()[0]).toEqual(['/docs/c.prompt', [9]]);
    expect(readdirSync(join(folder, 'workspace-storage', 'runs')).filter((name) => name.endsWith('.json'))).toHaveLength(4);
  });
});

describe('the report of a run', () => {
  it('is shown in one editor, without scripts, the next in place of the one before', async () => {
    await withRuns();
    await run('showRun', node('docs/a.md', 0));
    expect(webviewPanels).toHaveLength(1);
    const [panel] = webviewPanels;
    expect(panel.title).toBe('Run: full');
    expect(panel.options).toMatchObject({ enableScripts: false, localResourceRoots: [] });
    expect(panel.webview.html).toContain('docs/a.md');
    await run('showRun', node('docs/a.md', 1));
    expect(webviewPanels).toHaveLength(1);
    expect(panel.title).toBe('Run: causal');
    panel.dispose();
    await run('showRun', node('b.md', 0));
    expect(webviewPanels).toHaveLength(2);
  });

  it('is asked for where none is clicked or selected', async () => {
    await withRuns();
    script.picks.push(undefined);
    await run('showRun');
    expect(shownPicks[0].items.map(({ description }) => description)).toEqual(['a.md', 'b.md', 'a.md']);
    expect(webviewPanels).toEqual([]);
    script.picks.push(shownPicks[0].items[1].label);
    await run('showRun');
    expect(webviewPanels[0].webview.html).toContain('b.md');
    tree().selection = [node('docs/a.md', 1)];
    await run('showRun');
    expect(webviewPanels[0].title).toBe('Run: causal');
  });

  it('is asked for where the selection is not on screen', async () => {
    await withRuns();
    tree().selection = [node('docs/a.md', 1)];
    tree().show(false);
    script.picks.push(undefined);
    await run('showRun');
    expect(webviewPanels).toEqual([]);
  });

  it('goes with the extension', async () => {
    const { deactivate } = await withRuns();
    await run('showRun', node('b.md', 0));
    deactivate();
    expect(webviewPanels[0].disposed).toBe(true);
  });
});

describe('a comparison of runs', () => {
  it('shows those of a selection, or of a prompt', async () => {
    await withRuns();
    await run('compareRuns', node('docs/a.md', 0), [node('b.md', 0), node('docs/a.md', 0)]);
    expect(webviewPanels[0].title).toBe('Comparison of 2 Runs');
    // The prompt and one of its runs: two runs.
    await run('compareRuns', childrenOf()[0], [childrenOf()[0], node('docs/a.md', 0)]);
    expect(webviewPanels[0].title).toBe('Comparison of 2 Runs');
  });

  it('needs two', async () => {
    await withRuns();
    const label = itemOf(node('b.md', 0)).label as string;
    script.picks.push([label]);
    await run('compareRuns', node('b.md', 0));
    expect(shownPicks[0].items.map(({ picked }) => picked)).toEqual([false, true, false]);
    expect(textsOf('information')).toEqual(['Two Heads: choose two or more runs to compare.']);
    script.picks.push(undefined);
    await run('compareRuns', node('b.md', 0));
    expect(textsOf('information')).toHaveLength(1);
    expect(webviewPanels).toEqual([]);
  });
});

describe('a run that is run again', () => {
  it('reads its prompt as it is now, with its options', async () => {
    const { engine } = await withRuns();
    const document = openDocument('/docs/a.md', 'Before.');
    edit(document, { from: 0, to: 6, text: 'After' });
    const running = run('rerun', node('docs/a.md', 0), [node('b.md', 0), node('docs/a.md', 0)]);
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/docs/a.md', text: 'After.', source: { languageId: 'markdown' }, options });
    call.resolve(await reportFor(call));
    await running;
    expect(textsOf('information')).toEqual([expect.stringContaining('tokens in 1.23 s')]);
  });

  it('may be of a selection, as far as that is still there', async () => {
    const selection = { startLine: 1, startCharacter: 0, endLine: 9, endCharacter: 9 };
    const { engine } = await withRuns([
      { kind: 'run', report: reportOf({ date: at(1) }), origin: { ...originOf('file:///docs/a.md'), selection } },
    ]);
    openDocument('/docs/a.md', 'One.\nTwo.');
    const running = run('rerun', node('prompt.md', 0));
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/docs/a.md#L2-L2', text: 'Two.' });
    call.reject(new Error('enough'));
    await running;
  });

  it('is none where it is not known what repeats it, or its prompt is gone', async () => {
    const { engine } = await withRuns();
    await run('rerun', node('b.md', 0));
    expect(textsOf('warning')).toEqual([expect.stringContaining("this run can't be repeated because its options weren't saved")]);
    await run('rerun', node('docs/a.md', 0));
    expect(textsOf('error')).toEqual([
      expect.stringMatching(/^Two Heads: file:\/\/\/docs\/a\.md cannot be opened \(.*\); open the prompt and simulate it\.$/),
    ]);
    expect(logged.map(({ level }) => level)).toEqual(['error']);
    script.picks.push(undefined);
    await run('rerun');
    expect(shownPicks[0].items).toHaveLength(2);
    expect(engine.calls).toEqual([]);
  });
});

describe('an export', () => {
  it.each([
    ['Markdown', 'md', '# Two Heads: 2 runs'],
    ['CSV', 'csv', 'docs/a.md'],
    ['HTML', 'html', '<!DOCTYPE html>'],
    ['JSON', 'json', '"schemaVersion"'],
  ])('writes %s where the user wants it', async (format, ending, content) => {
    const { folder } = await withRuns();
    openFolders(folder);
    const target = join(folder, `runs.${ending}`);
    writeFileSync(target, 'what was there before');
    script.picks.push(format);
    script.targets.push(vscode.Uri.file(target));
    script.press = () => 'Open';
    await run('exportRuns', childrenOf()[0]);
    expect(readFileSync(target, 'utf8')).toContain(content);
    expect(readFileSync(target, 'utf8')).not.toContain('b.md');
    expect(shownDialogs[0].defaultUri?.path).toBe(`${folder}/two-heads-runs.${ending}`);
    expect(textsOf('information')).toEqual([`Two Heads: 2 runs exported to runs.${ending}.`]);
    expect(executed.map(({ command }) => command)).toEqual(['vscode.open']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('has the oldest run first, whatever was selected first', async () => {
    const { folder } = await withRuns();
    const target = join(folder, 'runs.csv');
    script.picks.push('CSV');
    script.targets.push(vscode.Uri.file(target));
    await run('exportRuns', node('docs/a.md', 0), [node('docs/a.md', 0), node('b.md', 0), node('docs/a.md', 1)]);
    const dates = readFileSync(target, 'utf8').match(/2026-02-01T00:\d\d/g);
    expect(dates).toEqual(['2026-02-01T00:01', '2026-02-01T00:02', '2026-02-01T00:03']);
  });

  it('offers all where none is selected, and writes nothing without an answer', async () => {
    await withRuns();
    script.picks.push(undefined);
    await run('exportRuns');
    expect(shownPicks[0].items.map(({ picked }) => picked)).toEqual([true, true, true]);
    script.picks.push([]);
    await run('exportRuns');
    script.picks.push(undefined);
    await run('exportRuns', node('b.md', 0));
    script.picks.push('CSV');
    script.targets.push(undefined);
    await run('exportRuns', node('b.md', 0));
    expect(messages).toEqual([]);
  });

  it('leaves nothing behind where it fails, and says so', async () => {
    const { folder } = await withRuns();
    const target = join(folder, 'a-folder');
    mkdirSync(join(target, 'full'), { recursive: true });
    script.picks.push('CSV');
    script.targets.push(vscode.Uri.file(target));
    await run('exportRuns', node('b.md', 0));
    expect(textsOf('error')).toEqual([expect.stringMatching(/^Two Heads: /)]);
    expect(logged.map(({ level }) => level)).toEqual(['error']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(readdirSync(target)).toEqual(['full']);
  });
});

describe('deleting runs', () => {
  it('takes one at once, and many only where the user says so', async () => {
    const { folder } = await withRuns();
    await run('deleteRuns', node('b.md', 0));
    expect(messages).toEqual([]);
    expect(shown()).toEqual([['docs/a.md', [3, 1]]]);
    await run('deleteRuns', childrenOf()[0]);
    expect(messages).toMatchObject([{ kind: 'warning', text: 'Delete 2 runs?', modal: true, buttons: ['Delete'] }]);
    expect(shown()).toHaveLength(1);
    script.press = () => 'Delete';
    await run('deleteRuns', childrenOf()[0]);
    expect(shown()).toEqual([]);
    expect(contextKeys.get('twoHeads.hasRuns')).toBe(false);
    expect(readdirSync(join(folder, 'workspace-storage', 'runs'))).toEqual([]);
  });

  it('asks which where none is selected', async () => {
    await withRuns();
    script.picks.push(undefined);
    await run('deleteRuns');
    expect(shownPicks[0].items.some(({ picked }) => picked)).toBe(false);
    script.picks.push([shownPicks[0].items[2].label]);
    await run('deleteRuns');
    expect(shown()).toEqual([
      ['docs/a.md', [3]],
      ['b.md', [2]],
    ]);
  });

  it('clears all only where the user says so', async () => {
    await withRuns();
    await run('clearHistory');
    expect(textsOf('warning')).toEqual(['Delete 3 runs?']);
    expect(shown()).toHaveLength(2);
    script.press = () => 'Delete';
    await run('clearHistory');
    expect(shown()).toEqual([]);
  });
});

it('says that there are no runs yet, whatever is asked', async () => {
  await activated();
  await settled();
  const asked = ['showRun', 'compareRuns', 'rerun', 'pinBaseline', 'unpinBaseline', 'exportRuns', 'deleteRuns', 'clearHistory'];
  for (const command of asked) {
    await run(command);
  }
  expect(textsOf('information')).toEqual(asked.map(() => 'Two Heads: no runs yet; simulate a prompt first.'));
});
