import { expect } from 'vitest';
import { InputError } from '../../../../src/core/errors';

/** The outcome of reading a malformed input: a value, or the message of a refusal. */
export type Outcome<T> = { readonly value: T; readonly refusal?: undefined } | { readonly value?: undefined; readonly refusal: string };

/** One line of a message, the temporary folder's path included. */
const messageLimit = 400;

/**
 * Checks a reader's promise: it gives a value, or throws an `InputError` whose message is one short line without
 * characters that a terminal would act on. Anything else fails the test; a reader that never returns runs into the test's limit.
 */
export async function outcomeOf<T>(read: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(error.message.length).toBeLessThan(messageLimit);
    return { refusal: error.message };
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
