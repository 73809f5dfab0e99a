import * as vscode from 'vscode';
import { InputError, messageOf } from '../../core/errors';
import type { RunOrigin } from '../../engine/store/runs';

/** Text to run: a whole prompt or a selection. */
export interface RunSource extends Pick<RunOrigin, 'uri' | 'selection'> {
  /** The prompt's name in the report. */
  readonly path: string;
  readonly text: string;
}

/** A document as the source of a run. @param selection the part to run; by default the whole document */
export function sourceOf(document: vscode.TextDocument, selection?: vscode.Range): RunSource {
  const path = vscode.workspace.asRelativePath(document.uri);
  const uri = document.uri.toString();
  if (selection === undefined) {
    return { uri, selection: null, path, text: document.getText() };
  }
  const { start, end } = selection;
  return {
    uri,
    selection: { startLine: start.line, startCharacter: start.character, endLine: end.line, endCharacter: end.character },
    path: `${path}#L${start.line + 1}-L${end.line + 1}`,
    text: document.getText(selection),
  };
}

/** The text of an earlier run as it is now. @throws InputError if it no longer exists */
export async function sourceAgain({ uri, selection }: RunOrigin): Promise<RunSource> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri)).then(undefined, (error: unknown) => {
    throw new InputError(`${uri} cannot be opened (${messageOf(error)}); open the prompt and simulate it.`);
  });
  const range =
    selection &&
    document.validateRange(new vscode.Range(selection.startLine, selection.startCharacter, selection.endLine, selection.endCharacter));
  return sourceOf(document, range ?? undefined);
}
