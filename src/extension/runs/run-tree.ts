import * as vscode from 'vscode';
import { fileName, formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { byPrompt, kindName, type PromptRecords, recordDescription, recordFacts, recordLabel, recordSpoken } from '../../core/record/label';
import type { LabRecord, RecordKind } from '../../core/record/record';
import { rowOf } from '../../core/record/row';
import { markdownFigures, markdownPairs } from '../../core/report/formats';
import { Disposable } from '../disposable';
import type { Baselines } from './baselines';
import type { RunHistory } from './run-history';

/** The view's id in the manifest. */
const runTreeId = 'twoHeads.history';

/** Context key for the manifest: whether any record is kept. */
const hasRunsKey = 'twoHeads.hasRuns';

/** A node of the tree: a prompt or an experiment file with its records, or one record. */
export type RunNode =
  | ({ readonly kind: 'prompt' } & PromptRecords<LabRecord> & { readonly path: string })
  | { readonly kind: 'record'; readonly record: LabRecord };

/** The kept records by prompt, newest first; those of no prompt stand for themselves. */
export class RunTree extends Disposable implements vscode.TreeDataProvider<RunNode> {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<RunNode>;

  constructor(
    private readonly history: RunHistory,
    private readonly baselines: Baselines,
  ) {
    super();
    this.view = this.own(vscode.window.createTreeView(runTreeId, { treeDataProvider: this, canSelectMany: true, showCollapseAll: true }));
    this.own(history.onDidChange(() => this.refresh()));
    this.own(baselines.onDidChange(() => this.refresh()));
    this.refresh();
  }

  /** The nodes selected in the view. */
  get selection(): readonly RunNode[] {
    return this.view.visible ? this.view.selection : [];
  }

  getChildren(node?: RunNode): RunNode[] {
    if (node === undefined) {
      return byPrompt(this.history.records).flatMap(({ path, records }): RunNode[] =>
        path === null ? records.map(nodeOf) : [{ kind: 'prompt', path, records }],
      );
    }
    return node.kind === 'record' ? [] : node.records.map(nodeOf);
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    return node.kind === 'prompt' ? promptItem(node) : recordItem(node, this.baselines.of(node.record.kind));
  }

  /** Adds the tooltip when VS Code asks for it. */
  resolveTreeItem(item: vscode.TreeItem, node: RunNode): vscode.TreeItem {
    if (node.kind === 'record') {
      const { record } = node;
      item.tooltip = new vscode.MarkdownString(
        record.kind === 'run'
          ? inEnglish(() => markdownFigures(record.report))
          : markdownPairs([t('Figure'), t('Value')], recordFacts(record)),
      );
    }
    return item;
  }

  private refresh(): void {
    void vscode.commands.executeCommand('setContext', hasRunsKey, this.history.records.length > 0);
    this.changed.fire();
  }
}

function nodeOf(record: LabRecord): RunNode {
  return { kind: 'record', record };
}

/** The records of some nodes, newest first, without duplicates. */
export function recordsOf(nodes: readonly RunNode[]): LabRecord[] {
  const records = nodes.flatMap((node) => (node.kind === 'record' ? [node.record] : node.records));
  return [...new Map(records.map((record) => [record.id, record])).values()].sort((one, other) => (one.id < other.id ? 1 : -1));
}

/** How many records there are, in words: runs are named as such. */
export function recordCount(records: readonly LabRecord[]): string {
  return formatNumberOf(records.length, records.every(({ kind }) => kind === 'run') ? 'run' : 'result');
}

function promptItem({ path, records }: Extract<RunNode, { kind: 'prompt' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(fileName(path), vscode.TreeItemCollapsibleState.Expanded);
  const count = recordCount(records);
  item.id = `prompt ${path}`;
  item.description = count;
  item.tooltip = path;
  item.iconPath = new vscode.ThemeIcon('note');
  item.contextValue = 'prompt';
  item.accessibilityInformation = { label: `${path}, ${count}` };
  return item;
}

const icons: Readonly<Record<RecordKind, string>> = {
  run: 'beaker',
  comparison: 'diff-multiple',
  evaluation: 'graph-line',
  ledger: 'book',
  atlas: 'map',
  continuation: 'comment',
  advice: 'lightbulb',
};

function recordItem(node: Extract<RunNode, { kind: 'record' }>, baseline: LabRecord | undefined): vscode.TreeItem {
  const { record } = node;
  const item = new vscode.TreeItem(recordLabel(record));
  item.id = record.id;
  item.description = recordDescription(record, baseline);
  item.iconPath =
    rowOf(record).verdict === 'failed'
      ? new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'))
      : new vscode.ThemeIcon(baseline?.id === record.id ? 'pinned' : icons[record.kind]);
  // Runs of an earlier version, and of other extensions, can't be repeated.
  const traits = [record.kind === 'run' && record.origin !== null ? 'repeatable' : '', baseline?.id === record.id ? 'baseline' : ''];
  item.contextValue = [record.kind, ...traits.filter((trait) => trait !== '')].join('.');
  item.accessibilityInformation = { label: recordSpoken(record, baseline) };
  item.command = { command: 'twoHeads.showRun', title: t('Open Report'), arguments: [node] };
  return item;
}

/** Lets the user pick records. @param picked those selected initially @returns undefined if the user cancelled */
export async function pickRecords(
  records: readonly LabRecord[],
  title: string,
  picked: readonly LabRecord[],
): Promise<readonly LabRecord[] | undefined> {
  const items = itemsOf(records).map((item) => ({ ...item, picked: picked.includes(item.record) }));
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: t('Which runs?'), canPickMany: true, matchOnDetail: true });
  return chosen?.map(({ record }) => record);
}

/** Lets the user pick one record. @returns undefined if the user cancelled */
export async function pickRecord(records: readonly LabRecord[], title: string): Promise<LabRecord | undefined> {
  const chosen = await vscode.window.showQuickPick(itemsOf(records), { title, placeHolder: t('Which run?'), matchOnDetail: true });
  return chosen?.record;
}

function itemsOf(records: readonly LabRecord[]): (vscode.QuickPickItem & { readonly record: LabRecord })[] {
  return records.map((record) => {
    const { prompt } = rowOf(record);
    return {
      label: recordLabel(record),
      description: prompt === null ? kindName(record.kind) : fileName(prompt),
      detail: recordDescription(record),
      record,
    };
  });
}
