import type * as vscode from 'vscode';

/** Disposes of everything it owns, so that no emitter or listener leaks. */
export abstract class Disposable implements vscode.Disposable {
  private readonly owned: vscode.Disposable[] = [];

  dispose(): void {
    while (this.owned.length > 0) {
      this.owned.pop()?.dispose();
    }
  }

  /** Registers a disposable to be disposed of with this one; returns it. */
  protected own<T extends vscode.Disposable>(disposable: T): T {
    this.owned.push(disposable);
    return disposable;
  }
}
