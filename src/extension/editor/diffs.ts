import * as vscode from 'vscode';
import { Disposable } from '../disposable';

/** Tells which documents are shown in diffs alone, where hints would be taken for changes. */
export class Diffs extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when a document is shown in diffs alone from now on, or no longer. */
  readonly onDidChange = this.changed.event;
  private addresses: ReadonlySet<string> = new Set();

  constructor() {
    super();
    const { tabGroups } = vscode.window;
    this.own(tabGroups.onDidChangeTabs(() => this.update()));
    this.own(tabGroups.onDidChangeTabGroups(() => this.update()));
    this.update();
  }

  /** Whether a document is on screen in diffs and in no editor of its own. An extension cannot tell the two apart in other ways. */
  isOnlyInDiffs({ uri }: vscode.TextDocument): boolean {
    return this.addresses.has(uri.toString());
  }

  private update(): void {
    const inputs = vscode.window.tabGroups.all.map(({ activeTab }): unknown => activeTab?.input);
    const compared = inputs.flatMap((input) => (input instanceof vscode.TabInputTextDiff ? [input.original, input.modified] : []));
    const addresses = new Set(compared.map((uri) => uri.toString()));
    for (const input of inputs) {
      if (input instanceof vscode.TabInputText) {
        addresses.delete(input.uri.toString());
      }
    }
    const before = this.addresses;
    this.addresses = addresses;
    if (addresses.size !== before.size || [...addresses].some((address) => !before.has(address))) {
      this.changed.fire();
    }
  }
}
