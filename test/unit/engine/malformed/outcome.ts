import { expect } from 'vitest';
import { InputError } from '../../../../src/core/errors';

/** What reading a malformed input came to: a value, or the message of a refusal. */
export type Outcome<T> = { readonly value: T; readonly refusal?: undefined } | { readonly value?: undefined; readonly refusal: string };

/** The longest that one input may be worked on, in milliseconds: a tiny model takes some 10. */
const caseLimitMs = 5000;

/** One line of a message, the temporary folder's path included. */
const messageLimit = 400;

/**
 * Holds a reader to its promise: it gives a value, or throws an `InputError` whose message is one short line without
 * characters that a terminal would act on. Anything else, and a reader that does not come back, fails the test.
 */
export async function outcomeOf<T>(read: () => T | Promise<T>): Promise<Outcome<T>> {
  const started = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The reader did not come back within ${caseLimitMs} ms.`)), caseLimitMs);
  });
  try {
    return { value: await Promise.race([Promise.resolve().then(read), late]) };
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(error.message.length).toBeLessThan(messageLimit);
    return { refusal: error.message };
  } finally {
    clearTimeout(timer);
    // A reader that holds the thread lets no timer fire.
    expect(performance.now() - started).toBeLessThan(caseLimitMs);
  }
}

/** The message with which a reader refuses; a test fails where it does not. */
export async function refusalOf(read: () => unknown): Promise<string> {
  const { refusal } = await outcomeOf(read);
  expect(refusal, 'should have been refused').toBeDefined();
  return refusal ?? '';
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

/** Text of JSON that is nested as deeply as its size allows. */
export function deepJson(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}
