import type * as vscode from 'vscode';
import { minimatch } from 'minimatch';
import { Disposable, emitter, onReset } from './events';

/** What an editor marks as wrong, by the address of the document. */
export const problems = new Map<string, readonly vscode.Diagnostic[]>();
onReset(() => problems.clear());

export function createDiagnosticCollection(): Pick<vscode.DiagnosticCollection, 'delete' | 'dispose'> & { set: typeof setProblems } {
  return { set: setProblems, delete: (uri) => void problems.delete(uri.toString()), dispose: () => problems.clear() };
}

function setProblems(uri: vscode.Uri, found: readonly vscode.Diagnostic[]): void {
  problems.set(uri.toString(), found);
}

/** The files of the workspace. */
export const workspaceFiles: vscode.Uri[] = [];
onReset(() => workspaceFiles.splice(0));

export function findFiles(pattern: string): Promise<vscode.Uri[]> {
  return Promise.resolve(workspaceFiles.filter(({ path }) => minimatch(path, pattern)));
}

const windowState = emitter<vscode.WindowState>();
export const onDidChangeWindowState = windowState.event;

class FakeItems extends Map<string, vscode.TestItem> {
  add(item: vscode.TestItem): void {
    this.set(item.id, item);
  }
}

/** A test controller, with what its runs told. */
export class FakeTests {
  readonly items = new FakeItems();
  readonly told: [what: string, label: string, ...messages: string[]][] = [];
  resolveHandler: vscode.TestController['resolveHandler'];
  private handler: vscode.TestRunProfile['runHandler'] | undefined;

  createRunProfile(_label: string, _kind: number, handler: vscode.TestRunProfile['runHandler']): void {
    this.handler = handler;
  }

  createTestItem(id: string, label: string, uri: vscode.Uri): Pick<vscode.TestItem, 'id' | 'label' | 'uri'> {
    return { id, label, uri };
  }

  createTestRun(): object {
    const tell =
      (what: string) =>
      ({ label }: vscode.TestItem, given: vscode.TestMessage | readonly vscode.TestMessage[] | number = []): void => {
        const messages = typeof given === 'number' ? [] : [given].flat();
        this.told.push([what, label, ...messages.map(({ message }) => (typeof message === 'string' ? message : message.value))]);
      };
    const ways = ['enqueued', 'started', 'passed', 'failed', 'errored', 'skipped'].map((what) => [what, tell(what)] as const);
    return { ...Object.fromEntries(ways), appendOutput: () => undefined, end: () => undefined };
  }

  /** Runs all tests that are found. */
  async runAll(): Promise<void> {
    await this.resolveHandler?.(undefined);
    const token = { onCancellationRequested: () => new Disposable(() => undefined) } as unknown as vscode.CancellationToken;
    await this.handler?.({} as vscode.TestRunRequest, token);
  }

  dispose(): void {
    this.items.clear();
  }
}

/** The controllers of the extension. */
export const controllers: FakeTests[] = [];
onReset(() => controllers.splice(0));

export const tests = {
  createTestController: (): FakeTests => {
    const made = new FakeTests();
    controllers.push(made);
    return made;
  },
};

/** The providers of tasks, by type. */
export const taskProviders = new Map<string, vscode.TaskProvider>();
onReset(() => taskProviders.clear());

export const tasks = {
  registerTaskProvider: (type: string, provider: vscode.TaskProvider): Disposable => {
    taskProviders.set(type, provider);
    return new Disposable(() => taskProviders.delete(type));
  },
};
