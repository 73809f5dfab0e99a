import { isDeepStrictEqual } from 'node:util';
import { HANG_LIMIT_MS, WAIT_LIMIT_MS } from './limits';

/** One look at the world: the thing waited for, or what is there instead (for the error). */
export type Look<T> = { readonly found: T } | { readonly seen: unknown };

const PAUSE_MS = 50;

/**
 * Looks again and again until `look` finds what it wants, and returns that.
 *
 * A look that throws counts as not found: pages and frames come and go while VS Code draws.
 * Throws with what the last look saw instead once that has not changed for `WAIT_LIMIT_MS`: as long as progress is shown,
 * there is some.
 */
export async function eventually<T>(what: string, look: () => Look<T> | Promise<Look<T>>): Promise<T> {
  let deadline = Date.now() + WAIT_LIMIT_MS;
  let last: unknown;
  do {
    let seen: unknown;
    try {
      const answer = await Promise.race([look(), hanging()]);
      if ('found' in answer) {
        return answer.found;
      }
      seen = answer.seen;
    } catch (error) {
      seen = error instanceof Error ? error.message : error;
    }
    if (!isDeepStrictEqual(seen, last)) {
      last = seen;
      deadline = Date.now() + WAIT_LIMIT_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  } while (Date.now() < deadline);
  throw new Error(`Waited for ${what}; saw instead, unchanged for ${WAIT_LIMIT_MS / 1000} s: ${describe(last)}`);
}

/** What a look that never answers has seen. */
function hanging(): Promise<{ readonly seen: string }> {
  return new Promise((resolve) => setTimeout(() => resolve({ seen: 'nothing, for the look hangs' }), HANG_LIMIT_MS).unref());
}

/** Reads a value until it is the one that is wanted, and returns it. */
export function until<T>(what: string, read: () => T | Promise<T>, isWanted: (value: T) => boolean): Promise<T> {
  return eventually(what, async () => {
    const value = await read();
    return isWanted(value) ? { found: value } : { seen: value };
  });
}

/** Reads texts (lenses, hints, notifications, ...) until one matches, and returns that one. */
export function eventuallyText(what: string, read: () => Promise<readonly string[]>, wanted: RegExp | string): Promise<string> {
  return eventually(`${what} ${String(wanted)}`, async () => {
    const texts = await read();
    const match = texts.find((text) => matches(text, wanted));
    return match === undefined ? { seen: texts } : { found: match };
  });
}

/** Whether `text` contains the string or matches the pattern. */
export function matches(text: string, wanted: RegExp | string): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
}

function describe(seen: unknown): string {
  return typeof seen === 'string' ? seen : JSON.stringify(seen, undefined, 1);
}
