import { InputError } from '../../../core/errors';
import { formatCount } from '../../../core/format';
import { isProgram, type PromptFormat } from '../../../core/source/format';
import { sourceNotes } from '../../../core/source/notes';
import { presumedFormat, type PromptSource } from '../../../core/source/options';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import type { PromptText } from '../../../core/source/prompt-text';
import { fillVariables, VariableFiller, type Variables } from '../../../core/source/variables';
import type { TextRange } from '../../../core/text/edits';
import { bodyStartOf } from '../../../core/text/headings';
import { lineOf } from '../../../core/text/lines';
import { readingMs, withinProcessorTime } from '../input/time-limit';
import type { ModelFolder } from '../model/load';
import { type Chat, type ChatMessage, readChat } from './chat';
import { ChatTemplate } from './chat-template';
import { chatText } from './chat-text';
import { type CodeFormat, type Literal, literalAround, literalAt, literalsOf, valueOfLiteral } from './literals';
import { notebookText } from './notebook';
import { type Prompty, readPrompty } from './prompty';

/** A document that keeps a prompt. */
export interface PromptDocument {
  /** Its name in refusals, by which its format is known where its source says nothing else. */
  readonly path: string;
  readonly text: string;
  readonly source: PromptSource;
}

/** A model as far as reading needs it. */
export interface ReadingModel {
  readonly name: string;
  /** Its chat template; undefined where it has none. @throws InputError for one that cannot be read */
  readonly template: () => ChatTemplate | undefined;
}

/** Reads what reading needs of a model. A template that cannot be read matters only to prompts that need it. */
export async function readingModel({ folder, name }: Pick<ModelFolder, 'folder' | 'name'>): Promise<ReadingModel> {
  const template = await ChatTemplate.load(folder, name).then(
    (loaded) => () => loaded,
    (error: unknown) => () => {
      throw error;
    },
  );
  return { name, template };
}

/**
 * What a model reads of a document.
 *
 * @throws InputError for a document that is not what it is read as, has no text to read, or has no literal where one is
 * named; it names the place and the fix
 */
export function readSource(document: PromptDocument, model: ReadingModel): PromptText {
  const { path, source } = document;
  const { format, isPresumed } = presumedFormat(document);
  if (source.line > 0 && !isProgram(format)) {
    throw new InputError(
      `Line ${formatCount(source.line)} is of a Python, TypeScript or JavaScript file, and ${path} is read as ${format}; leave the line out, or read it with --as python or --as typescript.`,
    );
  }
  const read = readAs(format, isPresumed, document, model);
  if (read.text === '') {
    throw new InputError(`${path}, read as ${read.format}, has no text; give a prompt of at least one character.`);
  }
  return read;
}

function readAs(format: PromptFormat, isPresumed: boolean, { path, text, source }: PromptDocument, model: ReadingModel): PromptText {
  const { variables } = source;
  switch (format) {
    case 'text':
    case 'markdown':
      return plainText({ text, pieces: null }, format, variables);
    case 'prompt-file':
      return plainText(bodyOf(text, bodyStartOf(text)), format, variables);
    case 'notebook':
      return notebookText(path, text, variables);
    case 'python':
    case 'typescript':
      return literalText(path, text, format, isPresumed, source);
    case 'prompty': {
      const prompty = readPrompty(path, text);
      const values = { ...prompty.samples, ...variables };
      const read =
        prompty.messages.length === 0
          ? plainText(bodyOf(text, prompty.bodyStart), format, values)
          : { ...chatText(chatOfPrompty(prompty, text, values), model.template(), model.name), format };
      return { ...read, notes: [...read.notes, ...prompty.notes] };
    }
    case 'chat': {
      const chat = readChat(path, text, variables, isPresumed);
      return chat === undefined
        ? plainText({ text, pieces: null }, 'text', variables)
        : { ...chatText(chat, model.template(), model.name), format };
    }
  }
}

/** A text with its variables filled in. */
function plainText(mapped: MappedText, format: PromptFormat, variables: Variables): PromptText {
  const { text, pieces, filled, unfilled } = fillVariables(mapped, variables);
  return { text, pieces, format, parts: [], notes: unfilled.length > 0 ? [sourceNotes.unfilled(unfilled)] : [], isComplete: false, filled };
}

/** A document from an offset on. */
function bodyOf(text: string, from: number): MappedText {
  if (from === 0) {
    return { text, pieces: null };
  }
  const writer = new PieceWriter();
  writer.copy(text, from, text.length);
  return writer.finish();
}

function chatOfPrompty({ messages }: Prompty, document: string, variables: Variables): Chat {
  const filler = new VariableFiller(variables);
  const read = messages.map(({ role, attributes, text, place }): ChatMessage => ({
    role,
    texts: [filler.fill(text)],
    isList: false,
    fields: attributes,
    place,
  }));
  const place = { from: messages[0].place.from, to: document.length };
  return {
    conversations: [{ messages: read, tools: undefined, place, line: lineOf(document, place.from) }],
    filled: filler.filled,
    notes: filler.unfilled.length > 0 ? [sourceNotes.unfilled(filler.unfilled)] : [],
  };
}

/**
 * The string literal that is meant. Where only the file's name says that it is a program, that is the long literal at the
 * place, or else the whole text: a program can be a prompt too.
 *
 * @throws InputError where there is none, or where one is named and the program is nested too deeply, or too broken, to find it
 */
function literalText(path: string, text: string, format: CodeFormat, isPresumed: boolean, source: PromptSource): PromptText {
  const { line, at, variables } = source;
  const isFree = isPresumed && line === 0;
  const all = foundLiterals(text, format, path);
  if (all === undefined) {
    if (!isFree) {
      throw new InputError(`${path} is nested too deeply, or too broken, to find its string literals; read it whole with --as text.`);
    }
    const whole = plainText({ text, pieces: null }, 'text', variables);
    return { ...whole, notes: [sourceNotes.unparsedProgram(), ...whole.notes], literals: [] };
  }
  const literals = all.filter((literal) => isLong(text, literal));
  const literal = isFree ? literalAround(literals, at) : literalAt(text, all, { line, at });
  if (literal === undefined && isFree) {
    const whole = plainText({ text, pieces: null }, 'text', variables);
    return { ...whole, notes: [...(literals.length > 0 ? [sourceNotes.wholeProgram()] : []), ...whole.notes], literals };
  }
  if (literal === undefined) {
    const first = all.at(0);
    throw new InputError(
      first === undefined
        ? `${path} has no string literal; give a file with one, or read it whole with --as text.`
        : `${path} has no string literal on line ${formatCount(line)}; name one, such as that on line ${formatCount(lineOf(text, first.from))}.`,
    );
  }
  const value = valueOfLiteral(text, literal, format);
  const read = plainText(value, format, variables);
  return {
    ...read,
    literals,
    notes: [
      ...(line === 0 && at === undefined && all.length > 1 ? [sourceNotes.longestLiteral(lineOf(text, literal.from))] : []),
      ...(value.hasNames ? [sourceNotes.namedCharacters()] : []),
      ...read.notes,
    ],
  };
}

/** The literals of a program; undefined where Lezer, which recurses, cannot parse it, or mends what is broken for too long. */
function foundLiterals(text: string, format: CodeFormat, path: string): readonly Literal[] | undefined {
  const endless = new Error('endless');
  try {
    return withinProcessorTime(
      Math.ceil(readingMs(text.length)),
      () => literalsOf(text, format, path),
      () => endless,
    );
  } catch (error) {
    if (error === endless || error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}

/** Fewest code units of a literal that may be a prompt though it stands on one line: most literals of a program are names. */
const longUnits = 100;

function isLong(text: string, { from, to }: TextRange): boolean {
  return to - from >= longUnits || text.slice(from, to).includes('\n');
}
