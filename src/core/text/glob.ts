import { InputError } from '../errors';
import { shown } from './printable';

/** Whether a path has characters that make it a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The most patterns that braces may stand for. */
const mostAlternatives = 256;

/**
 * A pattern without its braces: `{a,b}.md` is `a.md` and `b.md`.
 *
 * Braces without a comma, or without an end, stand for themselves.
 * @throws InputError for braces that stand for more than 256 patterns
 */
export function withoutBraces(pattern: string): readonly string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = innermostBraces(next);
    if (braces === undefined) {
      done.push(next);
      continue;
    }
    const [from, to] = braces;
    const [before, inner, after] = [next.slice(0, from), next.slice(from + 1, to).split(','), next.slice(to + 1)];
    if (done.length + open.length + inner.length > mostAlternatives) {
      throw new InputError(
        `${shown(pattern, 200)} stands for more than ${mostAlternatives} patterns; write some of its braces as prompts of their own.`,
      );
    }
    open.push(...inner.map((each) => before + each + after).reverse());
  }
  return [...new Set(done)];
}

/** Where the first braces are that have a comma and no others in them. A loop, because a pattern takes the square of a long text's time. */
function innermostBraces(text: string): readonly [from: number, to: number] | undefined {
  let from = -1;
  let hasComma = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') {
      [from, hasComma] = [at, false];
    } else if (character === '}') {
      if (from >= 0 && hasComma) {
        return [from, at];
      }
      from = -1;
    } else {
      hasComma ||= character === ',';
    }
  }
  return undefined;
}

/**
 * Whether a path fits a pattern without braces: `*` and `?` stand for any characters or one of a name, `[a-z]` for one of a set,
 * `**` for any number of folders. A name that begins with a dot needs a pattern that does. Takes time in proportion to the product
 * of both lengths.
 *
 * @param pattern and path, both by their names between slashes
 */
export function matchesPattern(pattern: readonly string[], path: readonly string[]): boolean {
  // After each name of the pattern, how many names of the path may be taken.
  let taken = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    for (const count of taken) {
      if (part === '**') {
        for (let end = count; end <= path.length && (end === count || !path[end - 1].startsWith('.')); end += 1) {
          next.add(end);
        }
      } else if (count < path.length && matchesName(part, path[count])) {
        next.add(count + 1);
      }
    }
    taken = next;
  }
  return taken.has(path.length);
}

function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) {
    return false;
  }
  const tokens = pattern.match(/\[[^\]]+\]|./gsu) ?? [];
  const characters = Array.from(name);
  let [at, token] = [0, 0];
  // Where the last star stands, and what it has taken: only that one is ever taken back.
  let star: { readonly token: number; at: number } | undefined;
  while (at < characters.length) {
    if (tokens[token] === '*') {
      star = { token, at };
      token += 1;
    } else if (token < tokens.length && fits(tokens[token], characters[at])) {
      [at, token] = [at + 1, token + 1];
    } else if (star !== undefined) {
      star.at += 1;
      [at, token] = [star.at, star.token + 1];
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((each) => each === '*');
}

function fits(token: string, character: string): boolean {
  if (token.length < 3 || !token.startsWith('[')) {
    return token === '?' || token === character;
  }
  const isNegated = /^\[[!^]/.test(token) && token.length > 3;
  const ranges = token.slice(isNegated ? 2 : 1, -1).match(/.-.|./gsu) ?? [];
  const isIn = ranges.some((range) =>
    range.length > 2 ? character >= range[0] && character <= range[range.length - 1] : range === character,
  );
  return isIn !== isNegated;
}
