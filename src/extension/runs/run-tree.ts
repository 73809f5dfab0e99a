import * as vscode from 'vscode';
import { fileName, formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { markdownFigures } from '../../core/report/formats';
import { byPrompt, type PromptRuns, runDescription, runLabel, runSpoken } from '../../core/report/run-label';
import type { KeptRun } from '../../engine/store/runs';
import { Disposable } from '../disposable';
import type { RunHistory } from './run-history';

/** The view's id in the manifest. */
const runTreeId = 'twoHeads.history';

/** Context key for the manifest: whether any run is kept. */
const hasRunsKey = 'twoHeads.hasRuns';

/** A node of the tree: a prompt with its runs, or one of its runs. */
export type RunNode = ({ readonly kind: 'prompt' } & PromptRuns<KeptRun>) | { readonly kind: 'run'; readonly run: KeptRun };

/** The kept runs by prompt, newest first. */
export class RunTree extends Disposable implements vscode.TreeDataProvider<RunNode> {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<RunNode>;

  constructor(private readonly history: RunHistory) {
    super();
    this.view = this.own(vscode.window.createTreeView(runTreeId, { treeDataProvider: this, canSelectMany: true, showCollapseAll: true }));
    this.own(history.onDidChange(() => this.refresh()));
    this.refresh();
  }

  /** The nodes selected in the view. */
  get selection(): readonly RunNode[] {
    return this.view.visible ? this.view.selection : [];
  }

  getChildren(node?: RunNode): RunNode[] {
    if (node === undefined) {
      return byPrompt(this.history.runs).map((prompt) => ({ kind: 'prompt', ...prompt }));
    }
    return node.kind === 'run' ? [] : node.runs.map((run) => ({ kind: 'run', run }));
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    return node.kind === 'prompt' ? promptItem(node) : runItem(node);
  }

  /** Adds the tooltip when VS Code asks for it. */
  resolveTreeItem(item: vscode.TreeItem, node: RunNode): vscode.TreeItem {
    if (node.kind === 'run') {
      item.tooltip = new vscode.MarkdownString(inEnglish(() => markdownFigures(node.run.report)));
    }
    return item;
  }

  private refresh(): void {
    void vscode.commands.executeCommand('setContext', hasRunsKey, this.history.runs.length > 0);
    this.changed.fire();
  }
}

/** The runs of some nodes, newest first, without duplicates. */
export function runsOf(nodes: readonly RunNode[]): KeptRun[] {
  const runs = nodes.flatMap((node) => (node.kind === 'run' ? [node.run] : node.runs));
  return [...new Map(runs.map((run) => [run.id, run])).values()].sort((one, other) => (one.id < other.id ? 1 : -1));
}

function promptItem({ path, runs }: PromptRuns<KeptRun>): vscode.TreeItem {
  const item = new vscode.TreeItem(fileName(path), vscode.TreeItemCollapsibleState.Expanded);
  const count = formatNumberOf(runs.length, 'run');
  item.id = `prompt ${path}`;
  item.description = count;
  item.tooltip = path;
  item.iconPath = new vscode.ThemeIcon('note');
  item.contextValue = 'prompt';
  item.accessibilityInformation = { label: `${path}, ${count}` };
  return item;
}

function runItem(node: Extract<RunNode, { kind: 'run' }>): vscode.TreeItem {
  const { id, origin, report } = node.run;
  const item = new vscode.TreeItem(runLabel(report));
  item.id = id;
  item.description = runDescription(report);
  item.iconPath =
    report.verdict.kind === 'failed'
      ? new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'))
      : new vscode.ThemeIcon('beaker');
  // Runs of an earlier version, and of other extensions, can't be repeated.
  item.contextValue = origin === null ? 'run' : 'run.repeatable';
  item.accessibilityInformation = { label: runSpoken(report) };
  item.command = { command: 'twoHeads.showRun', title: t('Open Report'), arguments: [node] };
  return item;
}

/** Lets the user pick runs. @param picked the runs selected initially @returns undefined if the user cancelled */
export async function pickRuns(
  runs: readonly KeptRun[],
  title: string,
  picked: readonly KeptRun[],
): Promise<readonly KeptRun[] | undefined> {
  const items = itemsOf(runs).map((item) => ({ ...item, picked: picked.includes(item.run) }));
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: t('Which runs?'), canPickMany: true, matchOnDetail: true });
  return chosen?.map(({ run }) => run);
}

/** Lets the user pick one run. @returns undefined if the user cancelled */
export async function pickRun(runs: readonly KeptRun[], title: string): Promise<KeptRun | undefined> {
  const chosen = await vscode.window.showQuickPick(itemsOf(runs), { title, placeHolder: t('Which run?'), matchOnDetail: true });
  return chosen?.run;
}

function itemsOf(runs: readonly KeptRun[]): (vscode.QuickPickItem & { readonly run: KeptRun })[] {
  return runs.map((run) => ({
    label: runLabel(run.report),
    description: fileName(run.report.prompt.path),
    detail: runDescription(run.report),
    run,
  }));
}
