import { InputError } from '../../src/core/errors';
import { uniform } from '../../src/core/math/random';

/** A whole number from 0 on, below its argument, from a seeded generator. */
export type Next = (below: number) => number;

/** Whole numbers from a seed: the same for the same seed, everywhere. */
export function nextOf(seed: number): Next {
  const random = uniform(seed);
  return (below) => Math.floor(random() * below);
}

/** One of a list that is not empty. */
export function pick<T>(list: readonly T[], next: Next): T {
  return list[next(list.length)];
}

/** Strings that do harm when they are shown, used as keys or taken for paths. */
export const nastyStrings: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\n',
  'a\nb\r\nc',
  '\u0000',
  '\u001b[31mred\u001b[0m\u0007',
  '\u202egnp.exe',
  '\u2028',
  '\ud800',
  '\ufeff',
  'x'.repeat(100_000),
  '\n'.repeat(1000),
  '"',
  '%s%n',
  '../secret',
  '💥',
];

/** Numbers at the edges of what formats and JavaScript can hold. */
export const oddNumbers: readonly number[] = [
  ...[0, -0, 1, 2, 3, 4, 5, 7, 8, 16, 255, 256, -1, 0.5, 1e-7, 5e-324, 4096, 65_536, 1e9, 2 ** 31, 2 ** 32, 2 ** 53 - 1],
  ...[2 ** 53, 2 ** 63, 1e308, -1e308],
];

/** Text of JSON that is nested as deeply as its size allows. */
export function deepJson(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** The outcome of reading a malformed input: a value, or the message of a refusal. */
type Outcome<T> = { readonly value: T; readonly refusal?: undefined } | { readonly value?: undefined; readonly refusal: string };

/** Characters of one line of a message. */
const messageLimit = 400;

/**
 * Checks a reader's promise: it gives a value, or throws an `InputError` whose message is one short line without characters
 * that a terminal would act on.
 *
 * @param place a long path that may be in the message, and does not count
 * @returns the value, or the message of the refusal
 * @throws what was thrown instead, and an error for a message that breaks the promise
 */
export async function outcomeOf<T>(read: () => T | Promise<T>, place = '\n'): Promise<Outcome<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    const { message } = error;
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(message)) {
      throw new Error(`A refusal has characters that a terminal acts on: ${JSON.stringify(message)}`, { cause: error });
    }
    const { length } = message.replaceAll(place, '');
    if (length >= messageLimit) {
      throw new Error(`A refusal has ${length} characters: ${message}`, { cause: error });
    }
    return { refusal: message };
  }
}

/** JSON text of a value that nobody expects. */
function strangeJson(next: Next): string {
  switch (next(9)) {
    case 0:
      return pick(['1e999', 'NaN', '-Infinity', '9007199254740993', '-0', '{"__proto__":{}}', '[[]]', '{', ''], next);
    case 1:
      return next(40) === 0 ? deepJson(50_000) : deepJson(8);
    case 2:
      return pick(['null', 'true', 'false', '[]', '{}', '""'], next);
    case 3:
    case 4:
      return JSON.stringify(pick(nastyStrings, next));
    default:
      return String(pick(oddNumbers, next));
  }
}

/** A place in a value: the object or list that holds it, and its key there. */
type Holder = Record<string, unknown>;

/** Text that stands for a piece of JSON that is put in afterwards, because no value stringifies to it. */
const placeholder = '\ue000put here\ue000';

/**
 * The JSON text of a value with one to three parts replaced, left out, doubled, renamed or exchanged; sometimes no JSON any more.
 *
 * @param vocabulary strings that mean something to the reader: keys and values that the original may lack
 */
export function mutatedJson(original: unknown, next: Next, vocabulary: readonly string[] = []): string {
  const root: Holder = { value: structuredClone(original) };
  const put: string[] = [];
  for (let changes = 1 + next(3); changes > 0; changes -= 1) {
    const [holder, key] = somewhere(root, next);
    const own = holder[key];
    switch (next(8)) {
      case 0:
        Reflect.deleteProperty(holder, key);
        break;
      case 1: {
        const [other, from] = somewhere(root, next);
        // Not what holds it, which would have no end.
        define(holder, key, next(2) === 0 || typeof other[from] !== 'object' ? structuredClone(other[from]) : null);
        break;
      }
      case 2:
        if (Array.isArray(own)) {
          own.splice(next(own.length + 1), next(3), ...Array.from({ length: next(3) }, () => structuredClone(own[0]) as unknown));
        } else if (typeof own === 'object' && own !== null) {
          define(own as Holder, pick([...vocabulary, ...nastyStrings], next), pick([...vocabulary, ...oddNumbers, null, true], next));
        } else {
          define(holder, key, [own]);
        }
        break;
      case 3:
        if (typeof own === 'string') {
          define(holder, key, mutatedText(own, next));
        } else if (typeof own === 'number') {
          define(holder, key, next(2) === 0 ? own + 1 : -own);
        }
        break;
      case 4:
        define(holder, key, pick(vocabulary.length > 0 ? vocabulary : nastyStrings, next));
        break;
      default:
        put.push(strangeJson(next));
        define(holder, key, `${placeholder}${put.length - 1}`);
    }
  }
  const text = JSON.stringify(root.value) as string | undefined;
  return (text ?? '').replace(new RegExp(`"${placeholder}(\\d+)"`, 'g'), (_, index: string) => put[Number(index)]);
}

/** Sets a field, `__proto__` included. */
function define(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Where a value is, found by going down at random: parts near the root are as likely as those below them. */
function somewhere(root: Holder, next: Next): [Holder, string] {
  let holder = root;
  let key = 'value';
  for (;;) {
    const value = holder[key];
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (keys.length === 0 || next(4) === 0) {
      return [holder, key];
    }
    holder = value as Holder;
    key = pick(keys, next);
  }
}

/** A text with one to four places changed: characters replaced, pieces left out, doubled, moved or put in. @param words put in as well */
export function mutatedText(original: string, next: Next, words: readonly string[] = []): string {
  let text = original;
  for (let changes = 1 + next(4); changes > 0; changes -= 1) {
    const at = next(text.length + 1);
    const to = Math.min(text.length, at + next(next(8) === 0 ? 200 : 12));
    const piece = text.slice(at, to);
    const from = next(text.length + 1);
    switch (next(7)) {
      case 0:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, to) + piece + text.slice(to);
        break;
      case 2:
        text = text.slice(0, from) + piece + text.slice(from);
        break;
      case 3:
        text = text.slice(0, at) + String.fromCharCode(next(16) === 0 ? next(65_536) : 32 + next(95)) + text.slice(at + 1);
        break;
      case 4:
        text = next(4) === 0 ? text.slice(0, at) : text;
        break;
      case 5:
        text = text.slice(0, at) + (words.length > 0 ? pick(words, next) : pick(nastyStrings, next)) + text.slice(to);
        break;
      default:
        text =
          text.slice(0, at) + pick(['"', '{', '}', '[', ']', ',', ':', '\n', '\\', '\\u', '0', '{{', '}}', '%'], next) + text.slice(at);
    }
  }
  return text;
}

const extremes = [0n, 1n, 255n, 2n ** 16n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n] as const;

/** A copy of bytes with one to four changes. @param within changes are before this byte, where a file's header is */
export function mutatedBytes(original: Buffer, next: Next, within = original.length): Buffer {
  let bytes = Buffer.from(original);
  for (let changes = 1 + next(4); changes > 0 && bytes.length > 16; changes -= 1) {
    const at = next(Math.min(bytes.length - 8, within));
    switch (next(6)) {
      case 0:
        bytes[at] = next(256);
        break;
      case 1:
        bytes[at] ^= 1 << next(8);
        break;
      case 2:
        bytes.writeBigUInt64LE(pick(extremes, next), at);
        break;
      case 3:
        bytes.writeUInt32LE(next(16), at);
        break;
      case 4:
        bytes = next(4) === 0 ? Buffer.from(bytes.subarray(0, at)) : bytes;
        break;
      default: {
        const from = next(bytes.length - 8);
        bytes.copy(bytes, at, from, from + next(40));
      }
    }
  }
  return bytes;
}
