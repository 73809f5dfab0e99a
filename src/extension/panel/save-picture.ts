import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { t } from '../../core/l10n';
import type { PageMessage } from '../../protocol/panel';

/** Writes a picture of a prompt's map where the user wants it. */
export async function savePicture(
  prompt: vscode.Uri | undefined,
  { format, data }: PageMessage & { readonly type: 'save-picture' },
): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: t('Save the Tile Map'),
    filters: { [format.toUpperCase()]: [format] },
    ...defaultTarget(prompt, format),
  });
  if (target === undefined) {
    return;
  }
  try {
    await vscode.workspace.fs.writeFile(target, data);
    void vscode.window.showInformationMessage(t('The tile map is saved as {0}.', vscode.workspace.asRelativePath(target)));
  } catch (error) {
    void vscode.window.showErrorMessage(t('The tile map cannot be saved: {0}', messageOf(error)));
  }
}

/** Beside the prompt, under its name; a prompt that was never saved has no place of its own. */
function defaultTarget(prompt: vscode.Uri | undefined, format: string): { readonly defaultUri?: vscode.Uri } {
  if (prompt === undefined || prompt.scheme === 'untitled') {
    const folder = vscode.workspace.workspaceFolders?.at(0)?.uri;
    return folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, `tile-map.${format}`) };
  }
  const name = prompt.path.slice(prompt.path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return { defaultUri: vscode.Uri.joinPath(prompt, '..', `${name}-tile-map.${format}`) };
}
