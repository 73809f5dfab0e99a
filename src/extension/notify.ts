import * as vscode from 'vscode';
import { errorShown } from '../core/errors';

/**
 * VS Code's notifications, for texts that may have parts of files in them: VS Code makes links of `[text](target)`, and runs the
 * commands that they name.
 */
type Show = <Item extends string>(message: string, ...items: Item[]) => Thenable<Item | undefined>;

export const showError: Show = (message, ...items) => vscode.window.showErrorMessage(unlinked(message), ...items);
export const showWarning: Show = (message, ...items) => vscode.window.showWarningMessage(unlinked(message), ...items);
export const showInformation: Show = (message, ...items) => vscode.window.showInformationMessage(unlinked(message), ...items);

/** What went wrong, in the editor's language, under this extension's name. */
export function showFailure<Item extends string>(error: unknown, ...items: Item[]): Thenable<Item | undefined> {
  return showError(`Two Heads: ${errorShown(error)}`, ...items);
}

/** A message without links: nothing is one that has anything between its text and its target. */
function unlinked(message: string): string {
  return message.replaceAll('](', '] (');
}
