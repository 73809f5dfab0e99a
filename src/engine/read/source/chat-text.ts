import { partTitles, sourceNotes } from '../../../core/source/notes';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import { type Part, type PromptText, templateRole } from '../../../core/source/prompt-text';
import type { Chat, Conversation } from './chat';
import { placeMessages, type PlacedMessages } from './chat-places';
import type { ChatTemplate } from './chat-template';

/**
 * What a model reads of a chat: its messages as the model's template puts them together, or joined plainly where the model
 * has none. Several conversations are read one after another.
 *
 * @param model its name, for notes
 * @throws InputError for what the template refuses
 */
export function chatText(
  { conversations, filled, notes }: Chat,
  template: ChatTemplate | undefined,
  model: string,
): Omit<PromptText, 'format'> {
  const writer = new PieceWriter();
  const parts: Part[] = [];
  const said = new Set<string>(notes);
  const own = template?.forDocument(conversations.reduce((sum, { place }) => sum + place.to - place.from, 0));
  if (conversations.length > 1) {
    said.add(sourceNotes.conversations(conversations.length));
  }
  if (template === undefined) {
    said.add(sourceNotes.noTemplate(model));
    if (conversations.some(({ tools, messages }) => tools !== undefined || messages.some(({ fields }) => 'tool_calls' in fields))) {
      said.add(sourceNotes.toolsLeftOut());
    }
  }
  conversations.forEach((conversation, index) => {
    const title = conversations.length > 1 ? (name: string) => partTitles.onLine(conversation.line, name) : (name: string) => name;
    if (own === undefined) {
      if (index > 0) {
        writer.replace('\n\n', conversation.place.from, conversation.place.from);
      }
      writePlain(conversation, writer, parts, title);
    } else {
      const { note, pieces } = placeMessages(conversation, own);
      if (note !== undefined) {
        said.add(note);
      }
      writePlaced(conversation, pieces, writer, parts, title);
    }
  });
  return { ...writer.finish(), parts, notes: [...said], isComplete: template !== undefined, filled };
}

/** Messages as `role: content`, parted by blank lines. */
function writePlain({ messages }: Conversation, writer: PieceWriter, parts: Part[], title: (name: string) => string): void {
  messages.forEach(({ role, texts, place }, index) => {
    const from = writer.length;
    writer.replace(`${index > 0 ? '\n\n' : ''}${role}: `, place.from, place.from);
    let at = place.from;
    texts.forEach((text, part) => {
      if (part > 0) {
        writer.replace('\n', at, at);
      }
      writer.append(text);
      at = endOf(text, at);
    });
    parts.push({ title: title(role), role, text: { from, to: writer.length }, document: place });
  });
}

function writePlaced(
  { place }: Conversation,
  pieces: PlacedMessages['pieces'],
  writer: PieceWriter,
  parts: Part[],
  title: (name: string) => string,
): void {
  // What the template adds to a message stands where the message begins, or where the text before it ends.
  let at = place.from;
  // A text whose messages are not known stands for the conversation as a whole.
  const isWhole = pieces.every(({ message }) => message === undefined);
  for (const { message, pieces: own } of pieces) {
    const from = writer.length;
    if (message !== undefined) {
      at = Math.max(at, message.place.from);
    }
    for (const piece of own) {
      if ('glue' in piece) {
        writer.replace(piece.glue, isWhole ? place.from : at, isWhole ? place.to : at);
      } else {
        writer.append(piece.content, piece.from, piece.to);
        at = endOf(piece.content, at);
      }
    }
    const role = message?.role ?? templateRole;
    if (writer.length > from && !isWhole) {
      parts.push({ title: title(role), role, text: { from, to: writer.length }, document: message?.place ?? { from: at, to: at } });
    }
  }
}

function endOf({ pieces }: MappedText, otherwise: number): number {
  return pieces === null || pieces.to.length === 0 ? otherwise : Math.max(otherwise, pieces.to[pieces.to.length - 1]);
}
