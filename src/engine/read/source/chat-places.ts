import { sourceNotes } from '../../../core/source/notes';
import type { MappedText } from '../../../core/source/pieces';
import type { TextRange } from '../../../core/text/edits';
import type { ChatMessage, Conversation } from './chat';
import type { DocumentTemplate, TemplateMessage } from './chat-template';

/** A piece of a rendered chat: text of the template, or `[from, to)` of a text of a message. */
export type Piece = { readonly glue: string } | { readonly content: MappedText; readonly from: number; readonly to: number };

/** The pieces of each message in turn; `undefined` stands for the template's own before and after them. */
export interface PlacedMessages {
  readonly pieces: readonly { readonly message: ChatMessage | undefined; readonly pieces: readonly Piece[] }[];
  readonly note?: string;
}

/**
 * Renders a conversation, and finds its messages in the result: it is rendered again with marks in place of the texts, and
 * what stands between the marks must give, with the texts between, exactly the first rendering.
 *
 * @returns the rendering as one piece where it does not, with a note: the template changes the texts
 */
export function placeMessages({ messages, tools }: Conversation, template: DocumentTemplate): PlacedMessages {
  const asksAnswer = messages[messages.length - 1].role !== 'assistant';
  const asList = messages.some(({ isList }) => isList) && takesLists(messages, template, tools, asksAnswer);
  const note = !asList && messages.some(({ texts }) => texts.length > 1) ? sourceNotes.joinedTexts() : undefined;
  const rendered = template.render(
    messages.map((message) =>
      forTemplate(
        message,
        asList,
        message.texts.map(({ text }) => text),
      ),
    ),
    tools,
    asksAnswer,
  );
  const unplaced = { pieces: [{ message: undefined, pieces: [{ glue: rendered }] }], note: sourceNotes.noPlaces() };
  const marks = marksAbsentFrom(`${rendered}${template.source}`);
  if (marks === undefined) {
    return unplaced;
  }
  const marked = markedMessages(messages, asList, marks);
  const glue = glueOf(
    template.render(marked, tools, asksAnswer),
    marks,
    messages.reduce((sum, { texts }) => sum + texts.length, 0),
  );
  const contents = messages.flatMap(({ texts }) => texts);
  const ranges = glue && rangesIn(rendered, glue, contents);
  if (glue === undefined || ranges === undefined) {
    return unplaced;
  }
  const closing = closings(messages, marked, template, tools, marks);
  const pieces: { message: ChatMessage | undefined; pieces: Piece[] }[] = [];
  let next = 0;
  /** How much of the text before the next mark belongs to earlier messages. */
  let taken = 0;
  for (const [index, message] of messages.entries()) {
    const own: Piece[] = [];
    message.texts.forEach(() => {
      own.push({ glue: glue[next].slice(taken) }, { content: contents[next], ...ranges[next] });
      next += 1;
      taken = 0;
    });
    const end = closing(index);
    if (end.length > taken && glue[next].startsWith(end)) {
      own.push({ glue: end.slice(taken) });
      taken = end.length;
    }
    pieces.push({ message, pieces: own });
  }
  const ending = { message: undefined, pieces: [{ glue: glue[next].slice(taken) }] };
  return { pieces: [...withBeginning(pieces), ending], ...(note === undefined ? {} : { note }) };
}

/** A message as a template reads it. */
function forTemplate({ role, texts, isList, fields }: ChatMessage, asList: boolean, written: readonly string[]): TemplateMessage {
  if (texts.length === 0) {
    return { ...fields, role, content: isList && asList ? [] : isList ? '' : null };
  }
  return { ...fields, role, content: isList && asList ? written.map((text) => ({ type: 'text', text })) : written.join('\n') };
}

function markedMessages(messages: readonly ChatMessage[], asList: boolean, marks: Marks): TemplateMessage[] {
  let count = 0;
  return messages.map((message) =>
    forTemplate(
      message,
      asList,
      message.texts.map(() => {
        count += 1;
        return marks.of(count - 1);
      }),
    ),
  );
}

/** Whether a template reads contents that are lists: every text of them is in its rendering, once and in order. */
function takesLists(messages: readonly ChatMessage[], template: DocumentTemplate, tools: unknown, asksAnswer: boolean): boolean {
  const marks = marksAbsentFrom(template.source);
  if (marks === undefined) {
    return false;
  }
  try {
    const rendered = template.render(markedMessages(messages, true, marks), tools, asksAnswer);
    // A template of plain strings writes lists as JSON, where Python's Jinja fails.
    const isJson = rendered.includes(partAsJson) && !template.source.includes(partAsJson);
    return (
      !isJson &&
      glueOf(
        rendered,
        marks,
        messages.reduce((sum, { texts }) => sum + texts.length, 0),
      ) !== undefined
    );
  } catch {
    return false;
  }
}

/** How a part of a list begins where it is written as JSON. */
const partAsJson = '"type": "text"';

/** Texts that stand for others while a template is tried out. */
interface Marks {
  /** What each begins with, and nothing else does. */
  readonly start: string;
  of(index: number): string;
}

/** Unicode's private-use characters of one code unit. */
const privateUse = { from: 0xe000, to: 0xf900 };

/** Marks of two private-use characters that a text does not have; undefined where it has all of them. */
function marksAbsentFrom(text: string): Marks | undefined {
  const isThere = new Uint8Array(privateUse.to - privateUse.from);
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= privateUse.from && unit < privateUse.to) {
      isThere[unit - privateUse.from] = 1;
    }
  }
  const first = isThere.indexOf(0);
  const second = first < 0 ? -1 : isThere.indexOf(0, first + 1);
  if (second < 0) {
    return undefined;
  }
  const [start, end] = [first, second].map((index) => String.fromCharCode(privateUse.from + index));
  return { start, of: (index) => `${start}${index}${end}` };
}

/** What stands before, between and after the marks of a rendering; undefined unless each is there once, in order. */
function glueOf(rendered: string, marks: Marks, count: number): string[] | undefined {
  const glue: string[] = [];
  let from = 0;
  for (let index = 0; index < count; index += 1) {
    const mark = marks.of(index);
    const at = rendered.indexOf(mark, from);
    if (at < 0) {
      return undefined;
    }
    glue.push(rendered.slice(from, at));
    from = at + mark.length;
  }
  glue.push(rendered.slice(from));
  // The start of a mark anywhere else is a mark that is there again, or out of order.
  return glue.some((text) => text.includes(marks.start)) ? undefined : glue;
}

/** What of each text is in a rendering, whole or without the white space at its ends; undefined unless all of it fits exactly. */
function rangesIn(rendered: string, glue: readonly string[], contents: readonly MappedText[]): TextRange[] | undefined {
  const ranges: TextRange[] = [];
  if (!rendered.startsWith(glue[0])) {
    return undefined;
  }
  let at = glue[0].length;
  for (const [index, { text }] of contents.entries()) {
    const after = glue[index + 1];
    const start = text.length - text.trimStart().length;
    const end = text.trimEnd().length;
    const found = [
      { from: 0, to: text.length },
      { from: Math.min(start, end), to: end },
      { from: 0, to: end },
      { from: start, to: text.length },
    ].find(({ from, to }) => {
      const next = at + to - from;
      return (
        rendered.startsWith(text.slice(from, to), at) &&
        rendered.startsWith(after, next) &&
        (index < contents.length - 1 || rendered.length === next + after.length)
      );
    });
    if (found === undefined) {
      return undefined;
    }
    ranges.push(found);
    at += found.to - found.from + after.length;
  }
  return ranges;
}

/** How many messages without a text of their own have their end found. */
const mostRendered = 32;

/**
 * What a template puts after the last text up to the end of each message: found by rendering the chat up to there, once for
 * each role. Where that cannot be found, the text between two messages belongs to the later one.
 */
function closings(
  messages: readonly ChatMessage[],
  marked: readonly TemplateMessage[],
  template: DocumentTemplate,
  tools: unknown,
  marks: Marks,
): (index: number) => string {
  const known = new Map<string, string>();
  let rendered = 0;
  // Marks of each message and of those before it.
  let count = 0;
  const marksBefore = messages.map(({ texts }) => (count += texts.length));
  return (index) => {
    const { role, texts } = messages[index];
    const key = texts.length > 0 ? role : `${index}`;
    const found = known.get(key);
    if (found !== undefined) {
      return found;
    }
    let closing = '';
    if (rendered < mostRendered) {
      rendered += 1;
      try {
        closing = glueOf(template.render(marked.slice(0, index + 1), tools, false), marks, marksBefore[index])?.at(-1) ?? '';
      } catch {
        // A template may refuse a chat that ends here; the whole one it has taken.
      }
    }
    known.set(key, closing);
    return closing;
  };
}

/**
 * The template's own beginning, such as a system message that the chat does not have, apart from the first message: what
 * later messages of its role do not begin with.
 */
function withBeginning(
  pieces: readonly { readonly message: ChatMessage | undefined; readonly pieces: readonly Piece[] }[],
): PlacedMessages['pieces'] {
  const [first, ...later] = pieces;
  const opening = glueIn(later.find(({ message }) => message?.role === first.message?.role)?.pieces[0]);
  const own = glueIn(first.pieces[0]);
  if (opening === '' || own.length === opening.length || !own.endsWith(opening)) {
    return pieces;
  }
  return [
    { message: undefined, pieces: [{ glue: own.slice(0, own.length - opening.length) }] },
    { ...first, pieces: [{ glue: opening }, ...first.pieces.slice(1)] },
    ...later,
  ];
}

function glueIn(piece: Piece | undefined): string {
  return piece !== undefined && 'glue' in piece ? piece.glue : '';
}
