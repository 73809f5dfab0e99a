import * as vscode from 'vscode';
import { InputError, messageOf } from '../../core/errors';
import type { SimulationOptions } from '../../core/options/table';
import { plainSource, type PromptSource } from '../../core/source/options';
import { NotebookText, type PromptDocument } from '../prompts/notebooks';
import { sourceIn } from '../prompts/sent-prompt';
import type { RunOrigin } from '../../core/record/record';

/** Text to run: a whole prompt or a selection. */
export interface RunSource extends Omit<RunOrigin, 'options'> {
  /** The prompt's name in the report. */
  readonly path: string;
  readonly text: string;
  /** How the prompt is read from the text. */
  readonly source: PromptSource;
}

/** What repeats a run of a source. */
export function originOf({ uri, selection, at }: RunSource, options: SimulationOptions): RunOrigin {
  return { uri, selection, at, options };
}

/** A document as the source of a run. @param source how the prompt is read from it */
export function sourceOf(document: PromptDocument, source: PromptSource): RunSource {
  const at = source.at ?? null;
  return {
    uri: document.uri.toString(),
    selection: null,
    at,
    path: vscode.workspace.asRelativePath(document.uri),
    text: document.getText(),
    source,
  };
}

/** A part of a document as the source of a run: its text as it is, in whatever language it is written. */
export function selectionOf(document: vscode.TextDocument, { start, end }: vscode.Range): RunSource {
  const range = new vscode.Range(start, end);
  return {
    uri: document.uri.toString(),
    selection: { startLine: start.line, startCharacter: start.character, endLine: end.line, endCharacter: end.character },
    at: null,
    path: `${vscode.workspace.asRelativePath(document.uri)}#L${start.line + 1}-L${end.line + 1}`,
    text: document.getText(range),
    source: { ...plainSource, as: 'text' },
  };
}

/** The text of an earlier run as it is now. @throws InputError if it no longer exists */
export async function sourceAgain({ uri, selection, at }: RunOrigin): Promise<RunSource> {
  const notebook = vscode.workspace.notebookDocuments.find((open) => open.uri.toString() === uri);
  if (notebook !== undefined) {
    const text = new NotebookText(notebook);
    return sourceOf(text, sourceIn(text, undefined));
  }
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri)).then(undefined, (error: unknown) => {
    throw new InputError(`${uri} cannot be opened (${messageOf(error)}); open the prompt and simulate it.`);
  });
  if (selection === null) {
    return sourceOf(document, sourceIn(document, at ?? undefined));
  }
  const { startLine, startCharacter, endLine, endCharacter } = selection;
  return selectionOf(document, document.validateRange(new vscode.Range(startLine, startCharacter, endLine, endCharacter)));
}
