import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { messageShown, t } from '../../core/l10n';
import type { ExperimentFaults } from '../../engine/tasks/evaluate/experiment-faults';
import { Disposable } from '../disposable';
import type { Planner } from '../prompts/planner';
import { experimentPattern, isExperiment } from './experiment-files';

/** Pause after an edit before a file is looked at again, in milliseconds. */
const pauseMs = 300;

/** A diagnostic with the values that may have been meant. */
class FaultDiagnostic extends vscode.Diagnostic {
  constructor(
    range: vscode.Range,
    message: string,
    readonly instead: readonly string[],
  ) {
    super(range, message, vscode.DiagnosticSeverity.Error);
    this.source = 'Two Heads';
  }
}

/** What is wrong with the experiment files that are open, with quick fixes; the schema's part is VS Code's own. */
export class ExperimentChecks extends Disposable implements vscode.CodeActionProvider {
  private readonly changed = this.own(new vscode.EventEmitter<vscode.TextDocument>());
  /** Fires when what is known of a file changes. */
  readonly onDidChange = this.changed.event;
  private readonly diagnostics = this.own(vscode.languages.createDiagnosticCollection('two-heads'));
  private readonly found = new Map<string, ExperimentFaults & { readonly version: number }>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly planner: Pick<Planner, 'experiment'>,
    private readonly log: (line: string) => void,
  ) {
    super();
    const look = (document: vscode.TextDocument): void => this.lookSoon(document);
    this.own(vscode.workspace.onDidOpenTextDocument(look));
    this.own(vscode.workspace.onDidChangeTextDocument(({ document }) => look(document)));
    this.own(vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)));
    // What a file names may have come or gone.
    this.own(vscode.workspace.onDidSaveTextDocument(() => this.lookAtAll()));
    this.own(vscode.window.onDidChangeWindowState(({ focused }) => focused && this.lookAtAll()));
    this.own(vscode.workspace.onDidGrantWorkspaceTrust(() => this.lookAtAll()));
    this.own(
      vscode.languages.registerCodeActionsProvider({ pattern: experimentPattern }, this, {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
    );
    this.own({ dispose: () => this.timers.forEach((timer) => clearTimeout(timer)) });
    this.lookAtAll();
  }

  /** What is known of a file, and the version whose places it has; undefined where it was not looked at yet. */
  of(document: vscode.TextDocument): (ExperimentFaults & { readonly version: number }) | undefined {
    return this.found.get(document.uri.toString());
  }

  provideCodeActions(document: vscode.TextDocument, _: vscode.Range, { diagnostics }: vscode.CodeActionContext): vscode.CodeAction[] {
    // In a text that was changed since, their places may be others.
    const current = this.of(document)?.version === document.version ? diagnostics : [];
    return current
      .filter((diagnostic) => diagnostic instanceof FaultDiagnostic)
      .flatMap((diagnostic) =>
        diagnostic.instead.map((value, index) => {
          const action = new vscode.CodeAction(t('Use {0}', JSON.stringify(value)), vscode.CodeActionKind.QuickFix);
          action.edit = new vscode.WorkspaceEdit();
          action.edit.replace(document.uri, diagnostic.range, JSON.stringify(value));
          action.diagnostics = [diagnostic];
          action.isPreferred = index === 0;
          return action;
        }),
      );
  }

  private lookAtAll(): void {
    vscode.workspace.textDocuments.forEach((document) => this.lookSoon(document));
  }

  private lookSoon(document: vscode.TextDocument): void {
    if (isExperiment(document) && vscode.workspace.isTrusted) {
      const name = document.uri.toString();
      clearTimeout(this.timers.get(name));
      this.timers.set(
        name,
        setTimeout(() => void this.look(document), pauseMs),
      );
    }
  }

  private async look(document: vscode.TextDocument): Promise<void> {
    const { version } = document;
    try {
      const found = await this.planner.experiment(document.fileName, document.getText());
      if (document.isClosed || document.version !== version) {
        return;
      }
      this.found.set(document.uri.toString(), { ...found, version });
      this.diagnostics.set(
        document.uri,
        found.faults.map(({ from, to, message, instead }) => {
          const range = new vscode.Range(document.positionAt(from), document.positionAt(to));
          return new FaultDiagnostic(range, messageShown(message), instead);
        }),
      );
      this.changed.fire(document);
    } catch (error) {
      this.log(`${document.fileName} was not checked: ${messageOf(error)}`);
    }
  }

  private forget({ uri }: vscode.TextDocument): void {
    clearTimeout(this.timers.get(uri.toString()));
    this.timers.delete(uri.toString());
    this.found.delete(uri.toString());
    this.diagnostics.delete(uri);
  }
}
