import * as vscode from 'vscode';
import { htmlReport } from '../../core/report/html';
import { formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { RunReport } from '../../core/report/report';
import { Disposable } from '../disposable';

/** The one editor that shows the report of a run, or of several beside each other: the page that an export to HTML writes. */
export class ReportView extends Disposable {
  private panel: vscode.WebviewPanel | undefined;

  constructor() {
    super();
    this.own({
      dispose: () => {
        this.panel?.dispose();
      },
    });
  }

  /** Shows runs beside the prompt, in place of those shown before. The focus stays where it is. */
  show(reports: readonly RunReport[]): void {
    const panel = this.panel ?? this.open();
    panel.title =
      reports.length === 1
        ? t('Run: {0}', scenarioLabel(reports[0].scenario))
        : t('Comparison of {0}', formatNumberOf(reports.length, 'Run'));
    panel.webview.html = inEnglish(() => htmlReport(reports));
    panel.reveal(undefined, true);
  }

  private open(): vscode.WebviewPanel {
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    // The page needs neither scripts nor files.
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
