import * as vscode from 'vscode';
import { jsonOrNothing } from '../../engine/read/input/json';

/** What VS Code calls an output that is a stream or an error. */
const stream = /^application\/vnd\.code\.notebook\.(stdout|stderr)$/;
const failure = 'application/vnd.code.notebook.error';

/**
 * A notebook as Jupyter keeps it (nbformat 4), as far as the reader of such files needs it, so that an open notebook is read
 * as its file is. Images and other binary outputs are named without their data: the reader leaves them out and says so.
 *
 * @param written what its cells were written as before
 */
export function notebookJson(notebook: vscode.NotebookDocument, written: WrittenCells = new WeakMap()): string {
  // VS Code's Jupyter support keeps the file's own fields under `metadata`.
  const metadata = fieldsOf(notebook.metadata.metadata);
  const saysLanguage = 'kernelspec' in metadata || 'language_info' in metadata;
  const language = notebook.getCells().find(({ kind }) => kind === vscode.NotebookCellKind.Code)?.document.languageId;
  const own = saysLanguage || language === undefined ? metadata : { ...metadata, language_info: { name: language } };
  const cells = notebook.getCells().map((cell) => writtenCell(cell, written));
  return `{"nbformat":4,"nbformat_minor":5,"metadata":${JSON.stringify(own)},"cells":[${cells.join()}]}`;
}

/** What cells were written as, so that an edit of one costs no more than that one. */
export type WrittenCells = WeakMap<vscode.NotebookCell, WrittenCell>;

interface WrittenCell {
  /** Of its document. */
  readonly version: number;
  readonly outputs: readonly vscode.NotebookCellOutput[];
  readonly metadata: unknown;
  readonly json: string;
}

function writtenCell(cell: vscode.NotebookCell, written: WrittenCells): string {
  const { document, metadata } = cell;
  const outputs = [...cell.outputs];
  const before = written.get(cell);
  const isSame =
    before?.version === document.version &&
    before.metadata === metadata &&
    before.outputs.length === outputs.length &&
    outputs.every((output, index) => output === before.outputs[index]);
  if (before !== undefined && isSame) {
    return before.json;
  }
  const json = JSON.stringify(cellJson(cell));
  written.set(cell, { version: document.version, outputs, metadata, json });
  return json;
}

function cellJson({ kind, document, metadata, outputs }: vscode.NotebookCell): object {
  // A raw cell is a code cell of the language `raw`.
  const isRaw = document.languageId === 'raw';
  return {
    cell_type: kind === vscode.NotebookCellKind.Markup ? 'markdown' : isRaw ? 'raw' : 'code',
    // Jupyter keeps `\n`, also on Windows.
    source: document.getText().replaceAll('\r\n', '\n'),
    attachments: Object.fromEntries(Object.keys(fieldsOf(metadata.attachments)).map((name) => [name, {}])),
    outputs: outputs.map(outputJson),
  };
}

function outputJson({ items }: vscode.NotebookCellOutput): object {
  const streamed = items.filter(({ mime }) => stream.test(mime));
  if (streamed.length > 0) {
    return { output_type: 'stream', text: streamed.map(textOf) };
  }
  const failed = items.find(({ mime }) => mime === failure);
  if (failed !== undefined) {
    return { output_type: 'error', traceback: [errorText(textOf(failed))] };
  }
  return {
    output_type: 'display_data',
    data: Object.fromEntries(items.map((item) => [item.mime, item.mime === 'text/plain' ? textOf(item) : ''])),
  };
}

function textOf({ data }: vscode.NotebookCellOutputItem): string {
  return new TextDecoder().decode(data);
}

/** The traceback of an error, which Jupyter shows; else its name and message. What another extension wrote otherwise stays as it is. */
function errorText(written: string): string {
  const error = jsonOrNothing(written);
  if (error === undefined) {
    return written;
  }
  const { name, message, stack } = fieldsOf(error);
  return typeof stack === 'string' && stack !== '' ? stack : [name, message].filter((part) => typeof part === 'string').join(': ');
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
