import { Tokenizer } from '@huggingface/tokenizers';
import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import type { Codec } from './encodings';

/** Token ids count from 0 and are stored as 32-bit integers. */
const largestId = 2 ** 31 - 1;

/** Most repetitions in a pattern: real tokenizers have up to 25. */
const repetitions = 100;

/**
 * A tokenizer from its `tokenizer.json` and `tokenizer_config.json`.
 *
 * @throws InputError for invalid token ids, and for patterns that can take forever; any other error for an invalid
 * definition
 */
export function codecOf(definition: object, config: object): Codec {
  checkIds(definition);
  checkPatterns(definition);
  const tokenizer = new Tokenizer(definition, config);
  return {
    encode: (text, special) => tokenizer.encode(text, { add_special_tokens: special }).ids,
    decode: (ids) => tokenizer.decode([...ids], { clean_up_tokenization_spaces: false }),
  };
}

/** Ids index the embedding: a negative or fractional one would read outside it. */
function checkIds(definition: { readonly model?: { readonly vocab?: unknown }; readonly added_tokens?: unknown }): void {
  const { vocab } = definition.model ?? {};
  // A Unigram vocabulary is a list of pieces: the index is the id.
  const own = typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab) ? Object.entries(vocab) : [];
  const added = Array.isArray(definition.added_tokens)
    ? definition.added_tokens.map(({ content, id }: Record<string, unknown>) => [String(content), id] as const)
    : [];
  for (const [token, id] of [...own, ...added]) {
    if (!(Number.isInteger(id) && Number(id) >= 0 && Number(id) <= largestId)) {
      throw new InputError(`token ${quoted(token)} has the id ${quoted(String(id))}`);
    }
  }
}

/**
 * Refuses patterns with catastrophic backtracking, such as `(a+)+$`: prompts are tokenized during typing, in VS Code's
 * extension host, which such a pattern would freeze.
 */
function checkPatterns(value: unknown): void {
  const waiting = [value];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (typeof part !== 'object' || part === null) {
      continue;
    }
    for (const [key, inner] of Object.entries(part)) {
      // Vocabularies are large and contain no patterns.
      if (key === 'vocab' || key === 'merges') {
        continue;
      }
      // The checker does not support the case-insensitive group, which takes no more time than any other.
      if (key === 'Regex' && typeof inner === 'string' && !safeRegex(inner.replaceAll('(?i:', '(?:'), { limit: repetitions })) {
        throw new InputError(`its pattern ${quoted(inner)} can take for ever`);
      }
      waiting.push(inner ?? null);
    }
  }
}
