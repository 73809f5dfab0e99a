import { InputError } from '../../../core/errors';
import { partTitles, sourceNotes } from '../../../core/source/notes';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import type { Part, PromptText } from '../../../core/source/prompt-text';
import { VariableFiller, type Variables } from '../../../core/source/variables';
import { fieldOf, itemsOf, type JsonNode, parseJsonPlaces, textOf, writeString } from './json-places';

/**
 * What a model reads of a Jupyter notebook (nbformat 4): its cells in order, parted by blank lines; Markdown and raw cells as
 * they are, code and text outputs in fences. Images, other binary outputs and attachments are left out and noted.
 *
 * @throws InputError for what is no JSON or no notebook
 */
export function notebookText(path: string, document: string, variables: Variables): PromptText {
  const root = parseJsonPlaces(path, document);
  const cells = itemsOf(fieldOf(root, 'cells'));
  if (cells === undefined) {
    throw new InputError(`${path} is no notebook: it has no list of cells; give a notebook of format 4, or read it with --as text.`);
  }
  if (cells.length === 0) {
    throw new InputError(`${path} has no cells; give a notebook with at least one.`);
  }
  const metadata = fieldOf(root, 'metadata');
  const language =
    textOf(document, fieldOf(fieldOf(metadata, 'kernelspec'), 'language')) ??
    textOf(document, fieldOf(fieldOf(metadata, 'language_info'), 'name')) ??
    '';
  const writer = new CellWriter(document, variables, language);
  cells.forEach((cell, index) => writer.write(cell, index));
  return writer.finish();
}

/** Writes cells, and keeps count of what is left out. */
class CellWriter {
  private readonly writer = new PieceWriter();
  private readonly parts: Part[] = [];
  private readonly leftOut = new Map<string, number>();
  private readonly filler: VariableFiller;

  constructor(
    private readonly document: string,
    variables: Variables,
    private readonly language: string,
  ) {
    this.filler = new VariableFiller(variables);
  }

  write(cell: JsonNode, index: number): void {
    const { writer, document } = this;
    const from = writer.length;
    const kind = textOf(document, fieldOf(cell, 'cell_type')) ?? 'raw';
    if (from > 0) {
      writer.replace('\n\n', cell.from, cell.from);
    }
    const source = this.filler.fill(textIn(document, fieldOf(cell, 'source')));
    if (kind === 'code') {
      this.fence(source, this.language, cell.from);
    } else {
      writer.append(source);
    }
    const attachments = fieldOf(cell, 'attachments');
    if (attachments?.kind === 'object') {
      this.leaveOut('attachment', attachments.fields.size);
    }
    const place = { from: cell.from, to: cell.to };
    this.part(partTitles.cell(index + 1, kind), kind, from, place);
    const outputsFrom = writer.length;
    itemsOf(fieldOf(cell, 'outputs'))?.forEach((output) => this.output(output));
    if (writer.length > outputsFrom) {
      this.part(partTitles.cell(index + 1, 'output'), 'output', outputsFrom, place);
    }
  }

  finish(): PromptText {
    const { writer, parts, filler, leftOut } = this;
    return {
      ...writer.finish(),
      format: 'notebook',
      parts,
      notes: [
        ...(leftOut.size > 0 ? [sourceNotes.leftOut(leftOut)] : []),
        ...(filler.unfilled.length > 0 ? [sourceNotes.unfilled(filler.unfilled)] : []),
      ],
      isComplete: false,
      filled: filler.filled,
    };
  }

  private part(title: string, role: string, from: number, document: Part['document']): void {
    if (this.writer.length > from) {
      this.parts.push({ title, role, text: { from, to: this.writer.length }, document });
    }
  }

  /** A stream, a result or an error, as far as it is text. */
  private output(output: JsonNode): void {
    const { document } = this;
    const data = fieldOf(output, 'data');
    if (data?.kind === 'object') {
      const plain = data.fields.get('text/plain');
      for (const kind of data.fields.keys()) {
        // HTML and the like show again what the text shows.
        if (plain === undefined || !kind.startsWith('text/')) {
          this.leaveOut(kind, 1);
        }
      }
      this.outputText(output, plain === undefined ? [] : [plain]);
      return;
    }
    const traceback = itemsOf(fieldOf(output, 'traceback'));
    const kind = textOf(document, fieldOf(output, 'output_type'));
    const text = fieldOf(output, 'text');
    this.outputText(output, kind === 'error' ? (traceback ?? []) : text === undefined ? [] : [text], kind === 'error' ? '\n' : '');
  }

  private outputText({ from }: JsonNode, texts: readonly JsonNode[], between = ''): void {
    const writer = new PieceWriter();
    texts.forEach((text, index) => {
      if (index > 0) {
        writer.replace(between, text.from, text.from);
      }
      writer.append(textIn(this.document, text));
    });
    const whole = withoutColours(writer.finish());
    if (whole.text !== '') {
      this.writer.replace('\n\n', from, from);
      this.fence(whole, '', from);
    }
  }

  /** Text in a fence that is longer than any in it. */
  private fence(text: MappedText, language: string, at: number): void {
    const { writer } = this;
    let longest = 2;
    for (const [run] of text.text.matchAll(/`{3,}/g)) {
      longest = Math.max(longest, run.length);
    }
    const marks = '`'.repeat(longest + 1);
    writer.replace(`${marks}${language}\n`, at, at);
    writer.append(text);
    const end = text.pieces?.to.at(-1) ?? at;
    writer.replace(`${text.text === '' || text.text.endsWith('\n') ? '' : '\n'}${marks}`, end, end);
  }

  private leaveOut(what: string, count: number): void {
    if (count > 0) {
      this.leftOut.set(what, (this.leftOut.get(what) ?? 0) + count);
    }
  }
}

/** A text of a notebook: a string, or strings that are joined as they are. */
function textIn(document: string, node: JsonNode | undefined): MappedText {
  const writer = new PieceWriter();
  for (const line of node?.kind === 'string' ? [node] : (itemsOf(node) ?? [])) {
    if (line.kind === 'string') {
      writeString(writer, document, line);
    }
  }
  return writer.finish();
}

// The escape sequences with which a terminal colours text (ECMA-48).
// eslint-disable-next-line no-control-regex
const colours = /\u001b\[[0-9;]*m/g;

function withoutColours(mapped: MappedText): MappedText {
  const writer = new PieceWriter();
  let at = 0;
  for (const { 0: colour, index } of mapped.text.matchAll(colours)) {
    writer.append(mapped, at, index);
    at = index + colour.length;
  }
  writer.append(mapped, at);
  return writer.finish();
}
