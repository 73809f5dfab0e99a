import * as vscode from 'vscode';
import { fileName, formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { comparisonHtml, recordHtml } from '../../core/record/html';
import { subjectOf } from '../../core/record/label';
import type { LabRecord } from '../../core/record/record';
import { rowOf } from '../../core/record/row';
import { Disposable } from '../disposable';
import type { Continuations } from '../tasks/continuations';
import { recordCount } from './run-tree';

/** Opens records: the report of one, or of several side by side, in an editor with the same page as an export to HTML; a continuation as a diff. */
export class ReportView extends Disposable {
  private panel: vscode.WebviewPanel | undefined;

  constructor(private readonly continuations: Continuations) {
    super();
    this.own({
      dispose: () => {
        this.panel?.dispose();
      },
    });
  }

  /** Opens a record beside the prompt, in place of the report shown before. The focus stays where it is. */
  async open(record: LabRecord): Promise<void> {
    if (record.kind === 'continuation') {
      await this.continuations.show(record);
      return;
    }
    this.show(titleOf(record), () => recordHtml(record));
  }

  /** Shows records of one kind side by side. @param records at least two, oldest first */
  compare(records: readonly LabRecord[]): void {
    const count = recordCount(records);
    this.show(
      records[0].kind === 'run' ? t('Comparison of {0}', formatNumberOf(records.length, 'Run')) : t('Comparison of {0}', count),
      () => comparisonHtml(records),
    );
  }

  private show(title: string, html: () => string): void {
    const panel = this.panel ?? this.create();
    panel.title = title;
    panel.webview.html = inEnglish(html);
    panel.reveal(undefined, true);
  }

  private create(): vscode.WebviewPanel {
    // Beside a text; where a lab is in front, which is beside one already, in its column: a third would leave none of them room.
    const { Active, Beside } = vscode.ViewColumn;
    const place = { viewColumn: vscode.window.activeTextEditor === undefined ? Active : Beside, preserveFocus: true };
    // The page needs no scripts and no files.
    const panel = vscode.window.createWebviewPanel('twoHeads.report', 'Two Heads', place, {
      enableScripts: false,
      localResourceRoots: [],
      enableFindWidget: true,
    });
    panel.onDidDispose(() => (this.panel = undefined));
    this.panel = panel;
    return panel;
  }
}

function titleOf(record: LabRecord): string {
  const { prompt } = rowOf(record);
  const subject = subjectOf(record);
  return record.kind === 'run' ? t('Run: {0}', subject) : prompt === null ? subject : t('{0}: {1}', subject, fileName(prompt));
}
