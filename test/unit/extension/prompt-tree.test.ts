import { describe, expect, it } from 'vitest';
import type * as vscode from 'vscode';
import { activated, openPrompt } from '../../support/host';
import { openDocument } from '../../support/workbench/documents';
import { treeViews } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(60);

const provider = (): vscode.TreeDataProvider<unknown> => treeViews.get('twoHeads.prompts')?.options.treeDataProvider as never;
const items = (): vscode.TreeItem[] =>
  ((provider().getChildren() ?? []) as unknown[]).map((node) => provider().getTreeItem(node) as vscode.TreeItem);

describe('the tree of prompts', () => {
  it('has a row for each prompt that has a tab, with its tokens and what it costs', async () => {
    await activated();
    expect(items()).toEqual([]);
    // Open for an extension alone.
    openDocument('/prompts/unseen.prompt', text);
    await openPrompt(text);
    const [row, ...others] = items();
    expect(others).toEqual([]);
    expect(row.label).toBe('prompt.md');
    expect(row.description).toMatch(/ tokens.* calls/);
    expect(row.command).toMatchObject({ command: 'vscode.open' });
    expect(provider().getChildren((provider().getChildren() as unknown[])[0])).toEqual([]);
  });
});
