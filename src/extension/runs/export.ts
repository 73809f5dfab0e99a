import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { posix } from 'node:path';
import * as vscode from 'vscode';
import { inEnglish, t } from '../../core/l10n';
import { comparisonHtml, recordHtml } from '../../core/record/html';
import type { LabRecord } from '../../core/record/record';
import { exportFormats } from '../../core/report/formats';
import { toJson } from '../../core/report/json';
import { showInformation } from '../notify';
import { recordCount } from './run-tree';

/** A format of a file, as a menu offers it. */
interface Format {
  readonly title: string;
  /** In the editor's language. */
  readonly description: string;
  readonly ending: string;
  readonly write: () => string;
}

/** Asks for a format and a file, and writes records. @param records oldest first @throws file system errors */
export async function exportRecords(records: readonly LabRecord[]): Promise<void> {
  const format = await askFormat(records);
  const target =
    format &&
    (await vscode.window.showSaveDialog({
      title: t('Export Runs'),
      defaultUri: suggestion(records, format),
      filters: { [format.title]: [format.ending] },
    }));
  if (format === undefined || target === undefined) {
    return;
  }
  await writeWhole(target, inEnglish(format.write));
  const open = t('Open');
  const chosen = await showInformation(t('Two Heads: {0} exported to {1}.', recordCount(records), posix.basename(target.path)), open);
  if (chosen === open) {
    await vscode.commands.executeCommand('vscode.open', target);
  }
}

/** Runs have all formats of `two-heads report`; other records their reports as JSON, and a page where they are of one kind. */
function formatsOf(records: readonly LabRecord[]): Format[] {
  const runs = records.flatMap((record) => (record.kind === 'run' ? [record.report] : []));
  if (runs.length === records.length) {
    return exportFormats.map(({ title, description, ending, write }) => ({ title, description, ending, write: () => write(runs) }));
  }
  const reports = records.map(({ report }) => report);
  const json: Format = {
    title: 'JSON',
    description: t('The reports whole, as the command line prints them'),
    ending: 'json',
    write: () => `${toJson(reports.length === 1 ? reports[0] : reports, 2)}\n`,
  };
  const html: Format = {
    title: 'HTML',
    description: records.length === 1 ? t('A page that needs no other file') : t('A page with the results side by side'),
    ending: 'html',
    write: () => (records.length === 1 ? recordHtml(records[0]) : comparisonHtml(records)),
  };
  return records.every(({ kind }) => kind === records[0].kind) ? [html, json] : [json];
}

async function askFormat(records: readonly LabRecord[]): Promise<Format | undefined> {
  const items = formatsOf(records).map((format) => ({ label: format.title, detail: format.description, format }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: t('Export {0}', recordCount(records)),
    placeHolder: t('Choose a format'),
  });
  return chosen?.format;
}

function suggestion([{ kind }, ...others]: readonly LabRecord[], { ending }: Format): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  const name = others.every((other) => other.kind === kind) && kind !== 'run' ? `two-heads-${kind}` : 'two-heads-runs';
  return vscode.Uri.joinPath(folder, `${name}.${ending}`);
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
