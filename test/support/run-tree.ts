import { expect } from 'vitest';
import type * as vscode from 'vscode';
import type { LabResult } from '../../src/core/record/record';
import type { RunNode } from '../../src/extension/runs/run-tree';
import { activated, type Host } from './host';
import { contextKeys } from './workbench/commands';
import { settled, until } from './workbench/events';
import { type FakeTreeView, treeViews } from './workbench/views';

/** The tree of the view Runs. */
export function tree(): FakeTreeView<RunNode> {
  return treeViews.get('twoHeads.history') as FakeTreeView<RunNode>;
}

export function childrenOf(node?: RunNode): RunNode[] {
  return tree().options.treeDataProvider.getChildren(node) as RunNode[];
}

export function itemOf(node: RunNode): vscode.TreeItem {
  return tree().options.treeDataProvider.getTreeItem(node) as vscode.TreeItem;
}

/** A record's node. @param place among those of the prompt, newest first */
export function node(path: string, place: number): RunNode {
  const prompt = childrenOf().find((each) => each.kind === 'prompt' && each.path === path);
  return childrenOf(prompt)[place];
}

/** The extension with results that were kept, once they are read. @param state of the workspace */
export async function withResults(results: readonly LabResult[], state: Record<string, unknown> = {}): Promise<Host> {
  const host = await activated({ results, state });
  tree().show(true);
  await until(tree().options.treeDataProvider.onDidChangeTreeData as vscode.Event<unknown>, () => childrenOf().length > 0);
  await settled();
  expect(contextKeys.get('twoHeads.hasRuns')).toBe(true);
  return host;
}
