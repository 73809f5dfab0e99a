import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { dateOf, type LabResult } from '../../../src/core/record/record';
import type { RunNode } from '../../../src/extension/runs/run-tree';
import { openPrompt, Panel, run } from '../../support/host';
import { resultsOfEveryKind } from '../../support/records';
import { reportOf } from '../../support/reports';
import { childrenOf, itemOf, node, tree, withResults } from '../../support/run-tree';
import { executed } from '../../support/workbench/commands';
import { script, shownDialogs, shownPicks, textsOf } from '../../support/workbench/dialogs';
import { editors } from '../../support/workbench/editors';
import { openFolders } from '../../support/workbench/files';
import { webviewPanels } from '../../support/workbench/views';

const at = (minute: number): string => new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString();

describe('results of other kinds than runs', () => {
  const every = resultsOfEveryKind('docs/a.md');
  /** The record of a kind in the tree. */
  const of = (kind: LabResult['kind']): RunNode => {
    const found = [...childrenOf(), ...childrenOf().flatMap(childrenOf)].find(
      (each) => each.kind === 'record' && each.record.kind === kind,
    );
    if (found === undefined) {
      throw new Error(`no ${kind} in the tree`);
    }
    return found;
  };

  it('stand in the tree with an icon each, and the ledger without a prompt', async () => {
    await withResults(every);
    expect(childrenOf().map((each) => (each.kind === 'record' ? each.record.kind : each.path))).toEqual(['docs/a.md', 'ledger']);
    expect(itemOf(childrenOf()[0]).description).toBe('6 results');
    const icons = every.map(({ kind }) => (itemOf(of(kind)).iconPath as vscode.ThemeIcon).id);
    expect(new Set(icons).size).toBe(icons.length);
    expect(every.map(({ kind }) => itemOf(of(kind)).contextValue)).toEqual(every.map(({ kind }) => kind));
    const resolve = tree().options.treeDataProvider.resolveTreeItem?.bind(tree().options.treeDataProvider);
    const item = (await resolve?.(itemOf(of('ledger')), of('ledger'), undefined as never)) as vscode.TreeItem;
    expect((item.tooltip as vscode.MarkdownString).value).toContain('| Verdict | exact |');
  });

  it('are there again after a restart: the panel has the last ledger', async () => {
    await withResults(every);
    const panel = new Panel();
    const { ledger } = await panel.snapshot();
    expect(ledger).toMatchObject({ rows: [{ statement: 'Theorem 3.5' }, { statement: 'Theorem 3.5' }] });
    await run('deleteRuns', of('ledger'));
    expect((await panel.snapshot()).ledger).toBeNull();
  });

  it.each([
    ['comparison', 'Comparison of 2 scenarios: a.md', 'Left out full: It looks ahead.'],
    ['evaluation', 'Evaluation of 2 points: a.md', 'Cost and quality'],
    ['ledger', 'Ledger of theorems', 'Theorem 3.5'],
    ['atlas', 'Where attention goes, sliding-window(window 20): a.md', 'Where attention goes: each head'],
    ['advice', 'Masks within a mean KL of 0.02: a.md', 'Masks that were measured'],
  ] as const)('open as a report: %s', async (kind, title, content) => {
    await withResults(every);
    await run('showRun', of(kind));
    expect(webviewPanels[0].title).toBe(title);
    expect(webviewPanels[0].webview.html).toContain(content);
  });

  it('open beside a text, and in the column of a lab that is in front', async () => {
    await withResults(every);
    const columnOf = async (): Promise<unknown> => {
      await run('showRun', of('ledger'));
      const panel = webviewPanels.at(-1);
      panel?.dispose();
      return (panel?.place as { viewColumn: vscode.ViewColumn }).viewColumn;
    };
    editors.active = undefined;
    expect(await columnOf()).toBe(vscode.ViewColumn.Active);
    await openPrompt('A prompt.');
    expect(await columnOf()).toBe(vscode.ViewColumn.Beside);
  });

  it('open as a diff where they are continuations, with the first token that differs marked', async () => {
    await withResults(every);
    await run('showRun', of('continuation'));
    expect(executed.map(({ command }) => command)).toEqual(['vscode.diff']);
    expect(executed[0].given[2]).toBe('Continuation of a.md: causal against sliding-window(window 20)');
    const halves = editors.visible.map((editor) => ({
      text: editor.document.getText(),
      marks: [...editor.decorations.values()].flat() as vscode.DecorationOptions[],
    }));
    expect(halves.map(({ text }) => text)).toEqual([' once upon a\n time', ' once upon no time']);
    expect(halves.map(({ text, marks: [{ range }] }) => [range.start.line, text.slice(range.start.character).slice(0, 3)])).toEqual([
      [0, ' a\n'],
      [0, ' no'],
    ]);
    const hover = (halves[1].marks[0].hoverMessage as vscode.MarkdownString).value.replaceAll('&nbsp;', ' ').replaceAll(/\\(.)/g, '$1');
    expect(hover).toContain('First token that differs: 3 of the continuation, position 102.');
    expect(hover).toContain('causal: " a\\u{a}", token 3, probability 37%');
    expect(hover).toContain('sliding-window(window 20): " no", token 3, probability 37%');
  });

  it('have a baseline of each kind, which is pinned over a restart and gone with its record', async () => {
    const state: Record<string, unknown> = { baselines: 'nonsense' };
    const [first] = every;
    await withResults([first, { ...first, report: reportOf({ path: 'docs/a.md', date: at(9), meanKl: 0.5 }) } as LabResult], state);
    await run('pinBaseline', node('docs/a.md', 1));
    expect(itemOf(node('docs/a.md', 1))).toMatchObject({ contextValue: 'run.baseline', iconPath: { id: 'pinned' } });
    expect(itemOf(node('docs/a.md', 0)).description).toBe('calls 0%, time ×1, memory ×1, KL +0.25, perplexity 0%');
    expect(state.baselines).toEqual({ run: expect.stringMatching(/^2026/) as string });
    await run('unpinBaseline');
    expect(itemOf(node('docs/a.md', 1)).contextValue).toBe('run');
    await run('pinBaseline', node('docs/a.md', 1));
    await run('deleteRuns', node('docs/a.md', 1));
    expect(itemOf(node('docs/a.md', 0)).description).toContain(' calls · ');
  });

  it('compare with their own kind alone', async () => {
    await withResults([...every, ...resultsOfEveryKind('b.md').map((result) => laterBy(result, 30))]);
    await run('compareRuns', of('ledger'), [of('ledger'), childrenOf().filter((each) => each.kind === 'record')[1]]);
    expect(webviewPanels[0].title).toBe('Comparison of 2 results');
    expect(webviewPanels[0].webview.html).toContain('By statement');
    script.picks.push([]);
    await run('compareRuns', of('evaluation'));
    expect(shownPicks[0].items).toHaveLength(2);
    script.picks.push(shownPicks[0].items.map(({ label }) => label));
    await run('compareRuns', of('evaluation'));
    expect(webviewPanels[0].webview.html).toContain('By scenario, of one window');
    script.picks.push(undefined);
    await run('compareRuns');
    script.picks.push(
      shownPicks
        .at(-1)
        ?.items.slice(0, 2)
        .map(({ label }) => label),
    );
    await run('compareRuns');
    expect(textsOf('information').at(-1)).toContain('results of different kinds do not compare');
  });

  it.each([
    [['evaluation'], 'HTML', 'two-heads-evaluation.html', '<!DOCTYPE html>'],
    [['ledger'], 'JSON', 'two-heads-ledger.json', '"samplingVerdict"'],
    [['ledger', 'run'], 'JSON', 'two-heads-runs.json', '"samplingVerdict"'],
  ] as const)('are exported: %j as %s', async (kinds, format, name, content) => {
    const { folder } = await withResults(every);
    openFolders(folder);
    const target = join(folder, name);
    script.picks.push(format);
    script.targets.push(vscode.Uri.file(target));
    const nodes = kinds.map(of);
    await run('exportRuns', nodes[0], nodes);
    expect(shownDialogs[0].defaultUri?.path).toBe(target);
    expect(readFileSync(target, 'utf8')).toContain(content);
    expect(textsOf('information')).toEqual([`Two Heads: ${kinds.length} result${kinds.length === 1 ? '' : 's'} exported to ${name}.`]);
  });
});

/** The same result of some minutes later. */
function laterBy(result: LabResult, minutes: number): LabResult {
  const date = new Date(Date.parse(dateOf(result)) + minutes * 60_000).toISOString();
  return JSON.parse(JSON.stringify(result).replaceAll(dateOf(result), date)) as LabResult;
}
