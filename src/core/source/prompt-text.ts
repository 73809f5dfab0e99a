import { formatCount, formatNumberOf } from '../format';
import type { TextRange } from '../text/edits';
import type { PromptFormat } from './format';
import type { MappedText } from './pieces';

/** A part of a prompt that has a role: a message of a chat, or a cell of a notebook. */
export interface Part {
  /** What it is called in lists, such as `user` or `line 3, user`. */
  readonly title: string;
  /** Whose or what it is: `system`, `user`, `code`, ... */
  readonly role: string;
  /** Its range in the text that the model reads, what its template puts around it included. */
  readonly text: TextRange;
  /** Its range in the document. */
  readonly document: TextRange;
}

/** What a model reads of a document, and where it stands there. */
export interface PromptText extends MappedText {
  readonly format: PromptFormat;
  /** In the order of the text; none where nothing in it has a role. */
  readonly parts: readonly Part[];
  /** What a user should know of how it was read, a sentence each. */
  readonly notes: readonly string[];
  /** Whether special tokens are in the text, so that the tokenizer adds none before and after it. */
  readonly isComplete: boolean;
  /** Where a program's string literals are in the document, of which this text is one; absent for other formats. */
  readonly literals?: readonly TextRange[] | undefined;
  /** Names of the variables that values were filled in for. */
  readonly filled: readonly string[];
}

/** The tokens of a part, for reports. */
export interface PartTokens {
  readonly title: string;
  readonly role: string;
  readonly tokens: number;
}

/** The tokens of a prompt by role, such as `4 messages: system 120, user 1,024, assistant 300 tokens`. */
export function partsText(format: PromptFormat, parts: readonly PartTokens[]): string {
  const byRole = new Map<string, number>();
  parts.forEach(({ role, tokens }) => byRole.set(role, (byRole.get(role) ?? 0) + tokens));
  const own = parts.filter(({ role }) => role !== templateRole);
  const count = format === 'notebook' ? formatNumberOf(own.length, 'cell') : formatNumberOf(own.length, 'message');
  return `${count}: ${[...byRole].map(([role, tokens]) => `${role} ${formatCount(tokens)}`).join(', ')} tokens`;
}

/** The role of what belongs to a chat template and to no message: its beginning, and its prompt for the answer. */
export const templateRole = 'template';
