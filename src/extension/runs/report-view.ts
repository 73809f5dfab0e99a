import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { posix } from 'node:path';
import * as vscode from 'vscode';
import { exportFormats, type ExportFormat } from '../../core/report/formats';
import { formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import type { RunReport } from '../../core/report/report';

/** Asks for a format and a file, and writes runs there. @throws what the file system says */
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
  const chosen = await vscode.window.showInformationMessage(
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
    placeHolder: t('In which form?'),
  });
  return chosen?.format;
}

function suggestion({ ending }: ExportFormat): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  return vscode.Uri.joinPath(folder, `two-heads-runs.${ending}`);
}

/** Writes a file of any file system whole or not at all: to a neighbour first, then renamed over the target. */
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
