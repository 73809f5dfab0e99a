import { said, text } from '../../../core/l10n';
import { fieldOf, itemsOf, type JsonNode, textOf, valueOf } from './json-places';

/** Part of a message in Anthropic's shape that is a message of its own in the shape that chat templates read. */
export interface MessageShape {
  readonly role: string;
  /** What it says: a text, or the parts of a list. */
  readonly content: JsonNode | undefined;
  readonly items: readonly JsonNode[] | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The first and the last part that it comes from. */
  readonly parts: readonly [JsonNode, JsonNode];
}

/** What is wrong with a part: a sentence with the fix. */
export type RefusePart = (part: JsonNode, fault: string) => never;

/**
 * Messages in Anthropic's shape (Messages API), whose calls of tools and results are parts of the content, in the shape that
 * chat templates read (transformers' `apply_chat_template`): `tool_calls` of the assistant's message, and a message of the role
 * `tool` for each result.
 */
export class AnthropicShapes {
  /** Names of the tools by the ids of their calls. */
  private readonly names = new Map<unknown, string>();

  constructor(
    private readonly document: string,
    private readonly refuse: RefusePart,
  ) {}

  /** The messages that one stands for; undefined where its content has no such parts. */
  messagesOf(role: string, content: readonly JsonNode[]): readonly MessageShape[] | undefined {
    const types = content.map((part) => this.fieldIn(part, 'type'));
    if (!types.some((type) => type === 'tool_use' || type === 'tool_result')) {
      return undefined;
    }
    return role === 'assistant' ? [this.callsOf(content, types)] : this.resultsOf(role, content, types);
  }

  /** The assistant's texts, and its calls, which come after them in every template. */
  private callsOf(content: readonly JsonNode[], types: readonly (string | undefined)[]): MessageShape {
    const calls = content.flatMap((part, index) => {
      if (types[index] === 'tool_result') {
        this.refuse(
          part,
          text('a result of a tool (tool_result) is in a message of the assistant; put it into the next message of the user'),
        );
      }
      return types[index] === 'tool_use' ? [this.callOf(part)] : [];
    });
    const said = content.filter((_, index) => types[index] !== 'tool_use');
    return {
      role: 'assistant',
      content: undefined,
      items: said,
      fields: { tool_calls: calls },
      parts: [content[0], content[content.length - 1]],
    };
  }

  private callOf(part: JsonNode): object {
    const id = this.fieldIn(part, 'id');
    const name = this.fieldIn(part, 'name');
    const input = fieldOf(part, 'input');
    if (name === undefined || input?.kind !== 'object') {
      return this.refuse(
        part,
        text('a call of a tool (tool_use) has no name or no input; give it both, such as "name": "search", "input": {}'),
      );
    }
    this.names.set(id, name);
    return { ...(id === undefined ? {} : { id }), type: 'function', function: { name, arguments: valueOf(this.document, input) } };
  }

  /** Each result alone, and what stands before, between and after them. */
  private resultsOf(role: string, content: readonly JsonNode[], types: readonly (string | undefined)[]): MessageShape[] {
    const messages: MessageShape[] = [];
    let others: JsonNode[] = [];
    const close = (): void => {
      if (others.length > 0) {
        messages.push({ role, content: undefined, items: others, fields: {}, parts: [others[0], others[others.length - 1]] });
        others = [];
      }
    };
    for (const [index, part] of content.entries()) {
      if (types[index] === 'tool_use') {
        this.refuse(part, said`a call of a tool (tool_use) is in a message of the role ${role}; put it into one of the assistant`);
      }
      if (types[index] === 'tool_result') {
        close();
        messages.push(this.resultOf(part));
      } else {
        others.push(part);
      }
    }
    close();
    return messages;
  }

  private resultOf(part: JsonNode): MessageShape {
    const id = this.fieldIn(part, 'tool_use_id');
    const name = this.names.get(id);
    const content = fieldOf(part, 'content');
    const fields = { ...(id === undefined ? {} : { tool_call_id: id }), ...(name === undefined ? {} : { name }) };
    return { role: 'tool', content, items: content === undefined ? [] : itemsOf(content), fields, parts: [part, part] };
  }

  private fieldIn(part: JsonNode, name: string): string | undefined {
    return textOf(this.document, fieldOf(part, name));
  }
}

/** Tools as chat templates read them: those in Anthropic's shape, with an `input_schema`, as functions with `parameters`. */
export function toolsOf(tools: unknown): unknown {
  return Array.isArray(tools) ? tools.map(toolOf) : tools;
}

function toolOf(tool: unknown): unknown {
  if (typeof tool !== 'object' || tool === null || !('input_schema' in tool)) {
    return tool;
  }
  const { name, description, input_schema: parameters } = tool as Readonly<Record<string, unknown>>;
  return { type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters } };
}
