import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import { Cl100kScanner, Gpt2Scanner, O200kScanner } from './gpt-scanners';
import type { Scanner } from './scanner';

const lines = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const contraction = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const head = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const tail = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

const gpt2 = (digits: string): string => String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?${digits}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const cl100k = (digits: string): string => String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${lines}`;
const o200k = (digits: string, after: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?${head}*${tail}+${after}|[^\r\n\p{L}\p{N}]?${head}+${tail}*${after}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${lines}`;

/** Published patterns, as they stand in `tokenizer.json`, with the linear scanner of each. */
const published: ReadonlyMap<string, () => Scanner> = new Map<string, () => Scanner>([
  [gpt2(String.raw`\p{N}+`), () => new Gpt2Scanner()],
  [gpt2(String.raw`\p{N}`), () => new Gpt2Scanner(1)],
  [cl100k(String.raw`\p{N}{1,3}`), () => new Cl100kScanner(3)],
  [cl100k(String.raw`\p{N}`), () => new Cl100kScanner(1)],
  [o200k(String.raw`\p{N}{1,3}`, `${contraction}?`), () => new O200kScanner(3, true)],
  [o200k(String.raw`\p{N}`, ''), () => new O200kScanner(1, false)],
]);

/** The scanner of a published pattern. All its text is matched, so isolated matches and removed gaps are the same. */
export function scannerOf(pattern: string): Scanner | undefined {
  return published.get(pattern)?.();
}

/** Most repetitions in a pattern: real tokenizers have up to 25. */
const repetitions = 100;

/**
 * Refuses patterns with catastrophic backtracking, such as `(a+)+$`.
 *
 * It looks at nested repetition only; other patterns can be slow as well, so prompts are to be tokenized where that can be
 * stopped.
 * @throws InputError that shows the pattern
 */
export function checkPatterns(value: unknown): void {
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
