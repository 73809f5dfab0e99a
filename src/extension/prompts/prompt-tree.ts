import { posix } from 'node:path';
import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { totals } from '../editor/plan-status';
import type { Notebooks, PromptDocument } from './notebooks';
import type { PromptDocuments } from './prompt-documents';
import type { PromptPlans } from './prompt-plans';

/** The view's id in the manifest. */
const promptTreeId = 'twoHeads.prompts';

/** Open prompts, a row each with its tokens and what it costs; a click brings one to the front. */
export class PromptTree extends Disposable implements vscode.TreeDataProvider<PromptDocument> {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly prompts: PromptDocuments,
    private readonly plans: PromptPlans,
    private readonly notebooks: Notebooks,
  ) {
    super();
    this.own(vscode.window.createTreeView(promptTreeId, { treeDataProvider: this }));
    const change = (): void => this.changed.fire();
    this.own(plans.onDidChange(change));
    this.own(prompts.onDidChange(change));
    this.own(vscode.window.tabGroups.onDidChangeTabs(change));
  }

  /** Prompts that have a tab: others are open for an extension alone. */
  getChildren(prompt?: PromptDocument): PromptDocument[] {
    if (prompt !== undefined) {
      return [];
    }
    const tabs = vscode.window.tabGroups.all.flatMap(({ tabs: own }) => own);
    const shown = new Set(tabs.map(({ input }) => addressOf(input)));
    const notebooks = vscode.workspace.notebookDocuments.map((notebook) => this.notebooks.textOf(notebook));
    return [...vscode.workspace.textDocuments, ...notebooks].filter(
      (document) => shown.has(document.uri.toString()) && this.prompts.isPrompt(document),
    );
  }

  getTreeItem(document: PromptDocument): vscode.TreeItem {
    const planned = this.plans.get(document);
    const item = new vscode.TreeItem(posix.basename(document.uri.path));
    item.id = document.uri.toString();
    item.resourceUri = document.uri;
    item.iconPath = vscode.ThemeIcon.File;
    item.description = planned === undefined ? '' : planned.error === null ? totals(planned) : planned.error;
    item.tooltip = `${vscode.workspace.asRelativePath(document.uri)}\n${item.description}`;
    item.command = { title: '', command: 'vscode.open', arguments: [document.uri] };
    return item;
  }
}

/** Of what a tab shows, of whatever kind that is; undefined where it has no address. */
function addressOf(input: unknown): string | undefined {
  return typeof input === 'object' && input !== null && 'uri' in input && input.uri instanceof vscode.Uri
    ? input.uri.toString()
    : undefined;
}
