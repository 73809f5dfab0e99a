import type * as vscode from 'vscode';

/** What returns a part of the workbench to where it began. */
const resets: (() => void)[] = [];

/** Has `reset` called before each test. */
export function onReset(reset: () => void): void {
  resets.push(reset);
}

/** Returns everything to where it began. */
export function resetAll(): void {
  resets.forEach((reset) => reset());
}

/** Errors that listeners threw: an editor logs them and goes on, a test fails of them. */
export const unexpected: unknown[] = [];
onReset(() => void unexpected.splice(0));

/** Listeners of all emitters together: what is left of them after a deactivation has leaked. */
let listening = 0;

/** How many listeners there are now. */
export function listenerCount(): number {
  return listening;
}

/** Gives back what it was made for, once. */
export class Disposable implements vscode.Disposable {
  private act: (() => unknown) | undefined;

  constructor(act: () => unknown) {
    this.act = act;
  }

  static from(...disposables: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => disposables.forEach((disposable) => disposable.dispose()));
  }

  dispose(): unknown {
    const { act } = this;
    this.act = undefined;
    return act?.();
  }
}

/** As in an editor, listeners are called in their order, one that throws keeps nothing from the next, and a disposed emitter is silent. */
export class EventEmitter<T> implements vscode.EventEmitter<T> {
  private readonly listeners = new Set<{ readonly hear: (event: T) => unknown }>();
  private disposed = false;

  readonly event: vscode.Event<T> = (listener, receiver, disposables) => {
    const own = { hear: (event: T): unknown => listener.call(receiver, event) };
    if (!this.disposed) {
      this.listeners.add(own);
      listening += 1;
    }
    const subscription = new Disposable(() => this.forget(own));
    disposables?.push(subscription);
    return subscription;
  };

  fire(event: T): void {
    for (const { hear } of [...this.listeners]) {
      try {
        hear(event);
      } catch (error) {
        unexpected.push(error);
      }
    }
  }

  dispose(): void {
    this.disposed = true;
    this.clear();
  }

  /** Forgets every listener. */
  clear(): void {
    [...this.listeners].forEach((own) => this.forget(own));
  }

  private forget(own: { readonly hear: (event: T) => unknown }): void {
    if (this.listeners.delete(own)) {
      listening -= 1;
    }
  }
}

/** An emitter of the editor's own: it loses its listeners before each test. */
export function emitter<T>(): EventEmitter<T> {
  const own = new EventEmitter<T>();
  onReset(() => own.clear());
  return own;
}

/** The next event. */
export function once<T>(event: vscode.Event<T>): Promise<T> {
  return new Promise((resolve) => {
    const subscription = event((value) => {
      subscription.dispose();
      resolve(value);
    });
  });
}

/** Resolves when `holds` does, looked at after each event. */
export function until(event: vscode.Event<unknown>, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (holds()) {
      resolve();
      return;
    }
    const subscription = event(() => {
      if (holds()) {
        subscription.dispose();
        resolve();
      }
    });
  });
}

/** Lets everything that only waits for its turn come to its end: promises, and not timers or files. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A source of cancellation. */
export class CancellationTokenSource implements vscode.CancellationTokenSource {
  private readonly cancelled = new EventEmitter<unknown>();
  private requested = false;
  readonly token: vscode.CancellationToken;

  constructor() {
    const isRequested = (): boolean => this.requested;
    this.token = {
      get isCancellationRequested(): boolean {
        return isRequested();
      },
      onCancellationRequested: this.cancelled.event,
    };
  }

  cancel(): void {
    if (!this.requested) {
      this.requested = true;
      this.cancelled.fire(undefined);
    }
  }

  dispose(): void {
    this.cancelled.dispose();
  }
}

/** What is thrown at an editor's own cancel. */
export class CancellationError extends Error {
  constructor() {
    super('Canceled');
    this.name = 'Canceled';
  }
}
