import { randomUUID } from 'node:crypto';
import { InputError } from '../../../core/errors';

/**
 * Most lists and objects within one another. No file that is read has a tenth of them, and what looks at a value later (a
 * schema, a comparison, a message) recurses, and would end in an error of JavaScript's thousands of levels down.
 */
const deepest = 200;

/**
 * Parses JSON.
 *
 * @param path named in errors
 * @throws InputError that ends with the fix, also for what is nested more than 200 deep
 */
export function parseJson(text: string, path: string, fix: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; ${fix}.`);
  }
  return shallow(value, path, fix);
}

/** Parses JSON that may be none; undefined where it is none, or nested more than 200 deep. */
export function jsonOrNothing(text: string): unknown {
  try {
    return parseJson(text, '', '');
  } catch {
    return undefined;
  }
}

/** A value that is not nested too deeply: level by level, without recursion. @throws InputError that ends with the fix */
function shallow(value: unknown, path: string, fix: string): unknown {
  let level: readonly object[] = [[value]];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) {
      throw new InputError(`${path} has lists or objects more than ${deepest} deep within one another; ${fix}.`);
    }
    const inner: object[] = [];
    for (const each of level) {
      for (const one of (Array.isArray(each) ? each : Object.values(each)) as Iterable<unknown>) {
        if (typeof one === 'object' && one !== null) {
          inner.push(one);
        }
      }
    }
    level = inner;
  }
  return value;
}

/**
 * Parses JSON as Python's `json.dump` writes it: with `NaN`, `Infinity` and `-Infinity` as numbers, which transformers
 * writes into a model's configuration.
 *
 * Nothing else of it is different from JSON. A library for this, such as json5 (MIT), would also accept comments, single
 * quotes and trailing commas, which no model's files have, so that a broken file could pass.
 *
 * @param path named in errors
 * @throws InputError that ends with the fix
 */
export function parsePythonJson(text: string, path: string, fix: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No string of the file can be this one by accident or by intent. It stands in a list, because a string could be a key.
    const nan = randomUUID();
    const strict = parseJson(withJsonNumbers(text, JSON.stringify([nan])), path, fix);
    return text.includes('NaN') ? withNan(strict, nan) : strict;
  }
  return shallow(value, path, fix);
}

/** Python's names of numbers outside of strings, replaced by what JSON has: a number too large is read as infinite. */
function withJsonNumbers(text: string, nan: string): string {
  let result = '';
  for (let from = 0; from < text.length;) {
    const quote = text.indexOf('"', from);
    const end = quote < 0 ? text.length : quote;
    // The spaces keep a name from becoming a part of a longer number: `1Infinity` stays broken.
    result += text
      .slice(from, end)
      .replace(/(-?)Infinity|NaN/g, (name: string, sign: string | undefined) => (name === 'NaN' ? ` ${nan} ` : ` ${sign ?? ''}1e999 `));
    from = endOfString(text, end);
    result += text.slice(end, from);
  }
  return result;
}

/** Where the string that begins at `start` ends. A loop, because a pattern may take the square of a long text's time. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') {
      index += 1;
    } else if (text[index] === '"') {
      return index + 1;
    }
  }
  return text.length;
}

/** A value with NaN in the place of its stand-in. Changed in place. */
function withNan(value: unknown, nan: string): unknown {
  const root = { value };
  const waiting: Record<string, unknown>[] = [root];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    for (const [key, inner] of Object.entries(part)) {
      if (Array.isArray(inner) && inner[0] === nan) {
        // Not an assignment, which would give an object with the key `__proto__` another prototype.
        Object.defineProperty(part, key, { value: NaN, enumerable: true, writable: true, configurable: true });
      } else if (typeof inner === 'object' && inner !== null) {
        waiting.push(inner as Record<string, unknown>);
      }
    }
  }
  return root.value;
}
