import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { posix } from 'node:path';
import * as vscode from 'vscode';
import { formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { type ExportFormat, exportFormats } from '../../core/report/formats';
import { htmlReport } from '../../core/report/html';
import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import { Disposable } from '../disposable';
import { showInformation } from '../notify';

/** The editor that shows the report of one run, or of several side by side: the same page as an export to HTML. */
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

  /** Shows runs beside the prompt, replacing those shown before. The focus stays where it is. */
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

/** Asks for a format and a file, and writes the runs. @throws file system errors */
export async function exportRuns(reports: readonly RunReport[]): Promise<void> {
  const format = await askFormat(reports.length);
  const target =
    format &&
    (await vscode.window.showSaveDialog({
      title: t('Export Runs'),
      defaultUri: suggestion(format),
      filters: { [format.title]: [format.ending] },
    }));
  if (format === undefined || target === undefined) {
    return;
  }
  await writeWhole(
    target,
    inEnglish(() => format.write(reports)),
  );
  const open = t('Open');
  const chosen = await showInformation(
    t('Two Heads: {0} exported to {1}.', formatNumberOf(reports.length, 'run'), posix.basename(target.path)),
    open,
  );
  if (chosen === open) {
    await vscode.commands.executeCommand('vscode.open', target);
  }
}

async function askFormat(runs: number): Promise<ExportFormat | undefined> {
  const items = exportFormats.map((format) => ({ label: format.title, detail: format.description, format }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: t('Export {0}', formatNumberOf(runs, 'Run')),
    placeHolder: t('Choose a format'),
  });
  return chosen?.format;
}

function suggestion({ ending }: ExportFormat): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  return vscode.Uri.joinPath(folder, `two-heads-runs.${ending}`);
}

/** Writes a file of any file system atomically: to a temporary neighbour, which is then renamed over the target. */
async function writeWhole(target: vscode.Uri, content: string): Promise<void> {
  const { fs } = vscode.workspace;
  const draft = target.with({ path: posix.join(posix.dirname(target.path), `.${posix.basename(target.path)}.${randomUUID()}.part`) });
  try {
    await fs.writeFile(draft, new TextEncoder().encode(content));
    await fs.rename(draft, target, { overwrite: true });
  } catch (error) {
    await fs.delete(draft).then(undefined, () => undefined);
    throw error;
  }
}
