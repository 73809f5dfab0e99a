import type * as vscode from 'vscode';

/** Collects what must go when its owner goes, so that no emitter or listener leaks. */
export abstract class Disposable implements vscode.Disposable {
  private readonly owned: vscode.Disposable[] = [];

  dispose(): void {
    while (this.owned.length > 0) {
      this.owned.pop()?.dispose();
    }
  }

  /** Ties a disposable's life to this one's; returns it. */
  protected own<T extends vscode.Disposable>(disposable: T): T {
    this.owned.push(disposable);
    return disposable;
  }
}
