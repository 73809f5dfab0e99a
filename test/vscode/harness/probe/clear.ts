import * as vscode from 'vscode';

/** Leaves nothing open and nothing running of what a test before may have left. */
export async function clear(): Promise<boolean> {
  await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
  if (vscode.extensions.getExtension('two-heads.two-heads')?.isActive === true) {
    await vscode.commands.executeCommand('twoHeads.cancel');
  }
  await closeEditors();
  await vscode.commands.executeCommand('notifications.clearAll');
  return true;
}

/** Closes every editor; the changes of those that were edited are undone, so that none asks whether to keep them. */
async function closeEditors(): Promise<void> {
  const edited = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter(({ isDirty }) => isDirty);
  for (const { input, group } of edited) {
    if (input instanceof vscode.TabInputText) {
      await vscode.window.showTextDocument(input.uri, { viewColumn: group.viewColumn });
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    }
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** Two Heads forgets such a choice when a setting that it stands for changes: one does, and back again. */
export async function unchoose(): Promise<boolean> {
  const settings = vscode.workspace.getConfiguration('twoHeads');
  const before = settings.inspect<number>('seed')?.globalValue;
  await settings.update('seed', settings.get('seed', 1) + 1, vscode.ConfigurationTarget.Global);
  await settings.update('seed', before, vscode.ConfigurationTarget.Global);
  return true;
}
