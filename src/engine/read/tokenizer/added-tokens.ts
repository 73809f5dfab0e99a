import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { described, quoted } from '../../../core/text/printable';
import { isSpace, isWordCharacter } from './characters';
import { fieldsOf, type Json, textOf } from './json';
import { Trie } from './pair-table';

/** A token that is found in the text itself, before it is cut: special tokens, and words added to a vocabulary. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it takes the white space before and after it. */
  readonly left: boolean;
  readonly right: boolean;
  /** Whether it must stand between characters that are not of words. */
  readonly alone: boolean;
  /** Whether it is looked for in the normalized text. */
  readonly normalized: boolean;
}

/** Reads an entry of `added_tokens`; its id is checked elsewhere. @throws InputError if it has no content */
export function addedTokenOf(json: Json): AddedToken {
  const fields = fieldsOf(json, said`an added token`);
  const content = textOf(fields.content);
  if (content === undefined) {
    throw new InputError(`an added token is ${described(fields.content)}`);
  }
  return {
    id: Number(fields.id),
    content,
    left: fields.lstrip === true,
    right: fields.rstrip === true,
    alone: fields.single_word === true,
    normalized: typeof fields.normalized === 'boolean' ? fields.normalized : fields.special !== true,
  };
}

/** A token found in a text, at `[from, to)` with the white space that it takes. */
export interface FoundToken {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  /** Where its own characters begin. */
  readonly start: number;
}

/** Finds added tokens: the leftmost, and of those the longest. Time is linear in the text for contents of bounded length. */
export class AddedTokens {
  /** Most code units of a token. */
  readonly longest: number;
  /** Whether any takes the white space before it. */
  readonly takesLeft: boolean;
  private readonly trie: Trie;
  private readonly begins = new Uint8Array(0x10000);

  constructor(private readonly tokens: readonly AddedToken[]) {
    this.longest = tokens.reduce((longest, { content }) => Math.max(longest, content.length), 0);
    this.takesLeft = tokens.some(({ left }) => left);
    this.trie = new Trie(tokens.map(({ content }, index) => [content, index]));
    for (const { content } of tokens) {
      if (content.length > 0) {
        this.begins[content.charCodeAt(0)] = 1;
      }
    }
  }

  get isEmpty(): boolean {
    return this.longest === 0;
  }

  /** Why it may find others than the Rust library does; null if it does not. */
  get approximation(): string | null {
    const { tokens } = this;
    // The library looks on after what it refused, which has to be known wherever reading starts.
    const refused = tokens.find((token) => token.alone && tokens.some((other) => beginsWithin(token.content, other)));
    if (refused !== undefined) {
      return said`its added token ${quoted(refused.content)}, a single word, overlaps with another`;
    }
    // The library finds a token also in the white space that the one before took.
    const taker = tokens.find(({ right }) => right);
    return taker !== undefined && tokens.some(({ content }) => content !== '' && isSpace(content, 0))
      ? said`its added token ${quoted(taker.content)} takes white space with which another begins`
      : null;
  }

  /** The first token that begins in `[from, to)`; it may end after that. */
  find(text: string, from: number, to: number): FoundToken | undefined {
    const { begins } = this;
    if (this.longest === 0) {
      return undefined;
    }
    for (let at = from; at < to; at += 1) {
      if (begins[text.charCodeAt(at)] === 1) {
        const found = this.longestAt(text, at);
        const joined = found?.alone === true && (isWordCharacter(text, at - 1) || isWordCharacter(text, at + found.content.length));
        if (found !== undefined && !joined) {
          return this.withSpace(text, found, at, from);
        }
      }
    }
    return undefined;
  }

  /** The longest token whose content is at an offset, whatever it stands between. */
  longestAt(text: string, from: number): AddedToken | undefined {
    let found: AddedToken | undefined;
    let node = 0;
    for (let at = from; at < text.length; at += 1) {
      node = this.trie.child(node, text.charCodeAt(at));
      if (node < 0) {
        break;
      }
      const index = this.trie.idAt(node);
      found = index < 0 ? found : this.tokens[index];
    }
    return found;
  }

  private withSpace(text: string, { id, content, left, right }: AddedToken, start: number, earliest: number): FoundToken {
    let from = start;
    let to = start + content.length;
    while (left && from > earliest && isSpace(text, from - 1)) {
      from -= 1;
    }
    while (right && to < text.length && isSpace(text, to)) {
      to += 1;
    }
    return { id, from, to, start };
  }
}

/** Whether a token can be found that begins within a content, after its start. One alone cannot after a character of a word. */
function beginsWithin(content: string, other: AddedToken): boolean {
  for (let at = 1; at < content.length && other.content !== ''; at += 1) {
    const rest = content.slice(at);
    if ((rest.startsWith(other.content) || other.content.startsWith(rest)) && !(other.alone && isWordCharacter(content, at - 1))) {
      return true;
    }
  }
  return false;
}
