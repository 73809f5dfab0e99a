import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { sourceNotes } from '../../../core/source/notes';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import { VariableFiller, type Variables } from '../../../core/source/variables';
import type { TextRange } from '../../../core/text/edits';
import { lineOf, linesOf } from '../../../core/text/lines';
import { described, quoted } from '../../../core/text/printable';
import { AnthropicShapes, toolsOf } from './anthropic';
import { fieldOf, itemsOf, JsonError, type JsonNode, parseJsonPlaces, stringOf, textOf, valueOf } from './json-places';

/** A message of a chat. */
export interface ChatMessage {
  readonly role: string;
  /** The texts of its content, one unless the content is a list; none where it has no content. */
  readonly texts: readonly MappedText[];
  /** Whether its content is a list of parts. */
  readonly isList: boolean;
  /** All of its fields but the content, as a chat template reads them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where it is in the document. */
  readonly place: TextRange;
}

/** Messages that a model reads together. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Functions that the model may call, as its template reads them. */
  readonly tools: unknown;
  /** Where it is in the document. */
  readonly place: TextRange;
  /** Its line, from 1. */
  readonly line: number;
}

/** The conversations of a document. */
export interface Chat {
  readonly conversations: readonly Conversation[];
  readonly filled: readonly string[];
  readonly notes: readonly string[];
}

/** A document as JSON: one value, or one on each line. */
interface Roots {
  readonly values: readonly JsonNode[];
  readonly isLines: boolean;
}

/** Reads a document as JSON, or as a value on each of its lines. @throws JsonError that names the line */
function rootsOf(path: string, document: string): Roots {
  try {
    return { values: [parseJsonPlaces(path, document)], isLines: false };
  } catch (error) {
    const values = error instanceof JsonError ? valuesOfLines(path, document) : undefined;
    if (values === undefined) {
      throw error;
    }
    return { values, isLines: true };
  }
}

/** The values of lines; undefined where the first line is none, so that the document is no JSON lines. @throws JsonError */
function valuesOfLines(path: string, document: string): JsonNode[] | undefined {
  const values: JsonNode[] = [];
  for (let from = 0; from < document.length;) {
    const end = document.indexOf('\n', from);
    const to = end < 0 ? document.length : end;
    if (document.slice(from, to).trim() !== '') {
      try {
        values.push(parseJsonPlaces(path, document, from, to));
      } catch (error) {
        // A first value over several lines is no line: what is wrong is what was wrong with the whole.
        if (values.length === 0) {
          return undefined;
        }
        throw error;
      }
    }
    from = to + 1;
  }
  return values.length > 1 ? values : undefined;
}

/** The messages of a value that is a conversation: an object with `messages`, or a list, whose first item is a message. */
function messagesOf(value: JsonNode): readonly JsonNode[] | undefined {
  const items = listOf(value);
  return isMessage(items?.[0]) ? items : undefined;
}

/** What is a conversation's list of messages, if the value is one. */
function listOf(value: JsonNode): readonly JsonNode[] | undefined {
  return itemsOf(value) ?? itemsOf(fieldOf(value, 'messages'));
}

/** Whether a value has a role, and something that the role says. Much else in JSON has a role alone, such as a user. */
function isMessage(value: JsonNode | undefined): boolean {
  return fieldOf(value, 'role')?.kind === 'string' && says(value);
}

function says(message: JsonNode | undefined): boolean {
  return fieldOf(message, 'content') !== undefined || fieldOf(message, 'tool_calls') !== undefined;
}

/** What only a chat has, in a document that is broken: a role, and what the role says. */
const chatMarks = [/"role"\s{0,99}:/, /"(?:content|tool_calls)"\s{0,99}:/];

/** File names of JSON lines, of which a message alone is a chat; elsewhere it is more often something else. */
const jsonLines = /\.jsonl$/i;

/**
 * The values of a document; undefined where it is presumed to be a chat and is none. Broken JSON with
 * roles and contents counts as a chat, so that its error is shown.
 */
function chatRootsOf(path: string, document: string, isPresumed: boolean): Roots | undefined {
  if (!isPresumed) {
    return rootsOf(path, document);
  }
  try {
    const roots = rootsOf(path, document);
    const takesMessages = roots.isLines || jsonLines.test(path);
    return roots.values.every((value) => messagesOf(value) !== undefined || (takesMessages && isMessage(value))) ? roots : undefined;
  } catch (error) {
    if (error instanceof JsonError && !chatMarks.every((mark) => mark.test(document))) {
      return undefined;
    }
    throw error;
  }
}

/**
 * The places of conversations in a document with one on each line; undefined for any other.
 *
 * @throws JsonError that names the line
 */
export function conversationLines(path: string, document: string, isPresumed: boolean): readonly TextRange[] | undefined {
  const roots = chatRootsOf(path, document, isPresumed);
  return roots?.isLines === true && roots.values.every((value) => messagesOf(value) !== undefined)
    ? roots.values.map(({ from, to }) => ({ from, to }))
    : undefined;
}

/**
 * Reads a chat: `{"messages": [...]}`, a list of messages, a message alone, or JSON lines of conversations or of messages.
 * Messages may have OpenAI's shape or Anthropic's, whose `system` stands beside the messages.
 *
 * Variables are filled in the texts of messages. Images and other parts without text are left out and noted.
 * @param isPresumed whether only the document's name says that it is a chat
 * @returns undefined where it is presumed and is none
 * @throws InputError for what is no JSON or no chat, and for a message without a role or content; it names the line
 */
export function readChat(path: string, document: string, variables: Variables, isPresumed: boolean): Chat | undefined {
  const roots = chatRootsOf(path, document, isPresumed);
  if (roots === undefined) {
    return undefined;
  }
  const { values } = roots;
  const reader = new MessageReader(path, document, variables);
  const conversationOf = (nodes: readonly JsonNode[], value: JsonNode, line: number, tools: JsonNode | undefined): Conversation => {
    if (nodes.length === 0) {
      throw new InputError(`${reader.at(value)} holds no message; give it at least one, such as {"role": "user", "content": "..."}.`);
    }
    return {
      messages: [...reader.systemOf(value, nodes), ...nodes.flatMap((node) => reader.read(node))],
      tools: tools && toolsOf(valueOf(document, tools)),
      place: { from: value.from, to: value.to },
      line,
    };
  };
  const [first] = values;
  const lines = linesOf(
    document,
    values.map(({ from }) => from),
  );
  const isOfMessages = values.every((value) => isMessage(value));
  const conversations = isOfMessages
    ? [conversationOf(values, { ...first, to: values[values.length - 1].to }, lines[0], undefined)]
    : values.map((value, index) => {
        // What is wrong with a message is said of that message.
        const nodes = listOf(value);
        if (nodes === undefined || nodes.some(({ kind }) => kind !== 'object')) {
          throw new InputError(
            `${reader.at(value)} is no chat; give {"messages": [...]} or a list of messages with role and content, or read it with --as text.`,
          );
        }
        return conversationOf(nodes, value, lines[index], fieldOf(value, 'tools'));
      });
  return { conversations, ...reader.outcome() };
}

/** Reads messages, and keeps count of what is left out and which variables are filled. */
class MessageReader {
  private readonly leftOut = new Map<string, number>();
  private readonly filler: VariableFiller;
  private readonly shapes: AnthropicShapes;

  constructor(
    private readonly path: string,
    private readonly document: string,
    variables: Variables,
  ) {
    this.filler = new VariableFiller(variables);
    this.shapes = new AnthropicShapes(document, (part, fault) => {
      throw new InputError(`${this.at(part)}: ${fault}.`);
    });
  }

  /** Names a place in refusals. */
  at({ from }: TextRange): string {
    return said`${this.path} at line ${lineOf(this.document, from)}`;
  }

  /** The messages that one in the document stands for: one, or in Anthropic's shape several. */
  read(node: JsonNode): ChatMessage[] {
    const role = textOf(this.document, fieldOf(node, 'role'));
    if (role === undefined) {
      throw new InputError(`${this.at(node)}: a message has no role; give it one, such as "role": "user".`);
    }
    if (!says(node)) {
      throw new InputError(`${this.at(node)}: a message has no content; give it one, such as "content": "...".`);
    }
    const content = fieldOf(node, 'content');
    const items = itemsOf(content);
    const own = this.fieldsIn(node);
    const shapes = (items && this.shapes.messagesOf(role, items)) ?? [{ role, content, items, fields: {}, parts: [node, node] as const }];
    return shapes.map((shape, index): ChatMessage => ({
      role: shape.role,
      texts: this.textsOf(shape.content, shape.items),
      isList: shape.items !== undefined,
      fields: { ...own, ...shape.fields },
      place: { from: index === 0 ? node.from : shape.parts[0].from, to: index === shapes.length - 1 ? node.to : shape.parts[1].to },
    }));
  }

  /** The system's message where it stands beside the messages. @throws InputError where one is among them too, or it is no text */
  systemOf(value: JsonNode, nodes: readonly JsonNode[]): ChatMessage[] {
    const system = fieldOf(value, 'system');
    const items = itemsOf(system);
    const texts = this.textsOf(system, items);
    if (system === undefined || texts.every(({ text }) => text === '')) {
      return [];
    }
    if (nodes.some((node) => textOf(this.document, fieldOf(node, 'role')) === 'system')) {
      throw new InputError(`${this.at(system)}: a message of the system is beside the messages and among them; give one of the two.`);
    }
    // It is read first. Where it stands behind the messages, it is inserted before them, so that they keep their places.
    const isBehind = nodes[0].from < system.from;
    const { from, to } = isBehind ? { from: value.from, to: value.from } : system;
    const own = isBehind ? texts.map(({ text }) => insertedAt(text, value.from)) : texts;
    return [{ role: 'system', texts: own, isList: items !== undefined, fields: {}, place: { from, to } }];
  }

  /** The fields of a message but its content, which may be long. */
  private fieldsIn(node: JsonNode): ChatMessage['fields'] {
    const fields = node.kind === 'object' ? [...node.fields] : [];
    return Object.fromEntries(fields.filter(([name]) => name !== 'content').map(([name, value]) => [name, valueOf(this.document, value)]));
  }

  outcome(): Pick<Chat, 'filled' | 'notes'> {
    const { leftOut, filler } = this;
    return {
      filled: filler.filled,
      notes: [
        ...(leftOut.size > 0 ? [sourceNotes.leftOut(leftOut)] : []),
        ...(filler.unfilled.length > 0 ? [sourceNotes.unfilled(filler.unfilled)] : []),
      ],
    };
  }

  private textsOf(content: JsonNode | undefined, items: readonly JsonNode[] | undefined): MappedText[] {
    const { document } = this;
    if (items !== undefined) {
      return items.flatMap((item) => this.textOfPart(item));
    }
    if (content?.kind === 'string') {
      return [this.filler.fill(stringOf(document, content))];
    }
    const value = content === undefined ? null : valueOf(document, content);
    if (content !== undefined && value !== null) {
      throw new InputError(`${this.at(content)}: the content of a message is ${described(value)}; give text or a list of parts.`);
    }
    return [];
  }

  private textOfPart(item: JsonNode): MappedText[] {
    const { document } = this;
    const type = textOf(document, fieldOf(item, 'type'));
    const text = item.kind === 'string' ? item : fieldOf(item, 'text');
    if (text?.kind === 'string' && (type === undefined || /^(input_|output_)?text$/.test(type))) {
      return [this.filler.fill(stringOf(document, text))];
    }
    const what = type === undefined ? 'unknown' : quoted(type).slice(1, -1);
    this.leftOut.set(what, (this.leftOut.get(what) ?? 0) + 1);
    return [];
  }
}

function insertedAt(text: string, at: number): MappedText {
  const writer = new PieceWriter();
  writer.replace(text, at, at);
  return writer.finish();
}
