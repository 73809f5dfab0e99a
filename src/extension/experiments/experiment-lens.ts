import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { formatCount, formatDuration, formatNumberOf } from '../../core/format';
import { t } from '../../core/l10n';
import type { ExperimentOutlook } from '../../core/lab/outlook';
import { Disposable } from '../disposable';
import type { SingleTask } from '../tasks/single-task';
import type { ExperimentChecks } from './experiment-checks';
import { experimentPattern, isExperiment } from './experiment-files';
import type { ExperimentOutlooks } from './experiment-outlooks';

/** Lenses on the first line of an experiment file: what runs it, with its points, its time and what is kept; its lab; a sweep. */
export class ExperimentLens extends Disposable implements vscode.CodeLensProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;
  constructor(
    private readonly outlooks: ExperimentOutlooks,
    private readonly checks: ExperimentChecks,
    private readonly task: SingleTask,
    private readonly log: (line: string) => void,
  ) {
    super();
    this.own(vscode.languages.registerCodeLensProvider({ pattern: experimentPattern }, this));
    this.own(checks.onDidChange(() => this.changed.fire()));
    this.own(outlooks.onDidChange(() => this.changed.fire()));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!isExperiment(document)) {
      return [];
    }
    const first = new vscode.Range(0, 0, 0, 0);
    const checked = this.checks.of(document);
    const outlook = this.outlookOf(document, checked?.faults.length === 0);
    const lens = (title: string, command: string, tooltip: string, ...given: readonly unknown[]): vscode.CodeLens =>
      new vscode.CodeLens(first, { title, command, tooltip, arguments: [...given] });
    const sweep = checked?.sweep ?? null;
    return [
      lens(
        `$(play) ${runTitle(outlook)}`,
        'twoHeads.runExperiment',
        t('Run this experiment, going on from the results that are kept'),
        document.uri,
      ),
      lens(t('Open Lab'), 'twoHeads.openLab', t('Its points as pictures, in the lab'), document.uri),
      ...(sweep === null ? [] : [lens(t('Add a Sweep of Windows'), 'twoHeads.addSweep', sweep.text.slice(2), document.uri)]),
    ];
  }

  /** Adds the windows that a file does not try yet to its scenarios. @param on its address; the file in front by default */
  async addSweep(on: unknown): Promise<void> {
    const document = on instanceof vscode.Uri ? await vscode.workspace.openTextDocument(on) : vscode.window.activeTextEditor?.document;
    if (document === undefined) {
      return;
    }
    const { sweep = null, version } = this.checks.of(document) ?? {};
    // In a text that was changed since, its place may be another.
    if (sweep !== null && version === document.version) {
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, document.positionAt(sweep.at), sweep.text);
      await vscode.workspace.applyEdit(edit);
    }
  }

  /** What an experiment would cost; undefined until that is known. @param canRun whether nothing was found wrong with it */
  private outlookOf(document: vscode.TextDocument, canRun: boolean): ExperimentOutlook | undefined {
    const { outlook, isStale } = this.outlooks.known(document);
    // The engine reads what is saved, and not while it runs something.
    if (isStale && canRun && !document.isDirty && this.task.activity.state !== 'running') {
      this.outlooks.read(document).catch((error: unknown) => this.log(`${document.fileName}: ${messageOf(error)}`));
    }
    return outlook;
  }
}

function runTitle(outlook: ExperimentOutlook | undefined): string {
  if (outlook === undefined) {
    return t('Run Experiment');
  }
  const { points, predictedMs, units, known } = outlook;
  return [
    t('Run {0}', formatNumberOf(points.length, 'point')),
    ...(predictedMs === null ? [] : [t('about {0}', formatDuration(predictedMs))]),
    ...(known === 0 ? [] : [t('{0} of {1} measured', formatCount(known), formatNumberOf(units, 'result'))]),
  ].join(' · ');
}
