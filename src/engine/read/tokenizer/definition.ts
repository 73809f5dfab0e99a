import { Tokenizer } from '@huggingface/tokenizers';
import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import type { Codec } from './encodings';

/** Token ids of a vocabulary are counted from 0 up and kept as 32-bit integers. */
const largestId = 2 ** 31 - 1;

/** Repetitions that a pattern may have: those of real tokenizers have up to 25. */
const repetitions = 100;

/**
 * A tokenizer from its `tokenizer.json` and `tokenizer_config.json`.
 *
 * @throws InputError for token ids that are none, and patterns that can take for ever; any error for what is no tokenizer
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

/** Ids index the embedding: a negative one, or half of one, would read beside it. */
function checkIds(definition: { readonly model?: { readonly vocab?: unknown }; readonly added_tokens?: unknown }): void {
  const { vocab } = definition.model ?? {};
  // A Unigram vocabulary is a list of pieces: there the place is the id.
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
 * Refuses patterns that backtrack without end, such as `(a+)+$`: prompts are tokenized while they are typed, in VS Code's
 * extension host, which such a pattern would freeze.
 */
function checkPatterns(value: unknown): void {
  const waiting = [value];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (typeof part !== 'object' || part === null) {
      continue;
    }
    for (const [key, inner] of Object.entries(part)) {
      // Vocabularies are large and hold no patterns.
      if (key === 'vocab' || key === 'merges') {
        continue;
      }
      // The check does not know the group that ignores case, which takes no more time than any other.
      if (key === 'Regex' && typeof inner === 'string' && !safeRegex(inner.replaceAll('(?i:', '(?:'), { limit: repetitions })) {
        throw new InputError(`its pattern ${quoted(inner)} can take for ever`);
      }
      waiting.push(inner ?? null);
    }
  }
}
