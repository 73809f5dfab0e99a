/** One look at the world: the thing waited for, or what is there instead (for the error). */
export type Look<T> = { readonly found: T } | { readonly seen: unknown };

/** How long a wait lasts unless told otherwise: generous, because CI has two slow cores. */
export const DEFAULT_LIMIT_MS = 20_000;
const PAUSE_MS = 50;

/** A pause of `milliseconds`. Prefer {@link eventually}: it waits for something. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Looks again and again until `look` finds what it wants, and returns that.
 *
 * A look that throws counts as not found: pages and frames come and go while VS Code draws.
 * Throws after `limitMs` with what the last look saw instead.
 */
export async function eventually<T>(what: string, look: () => Look<T> | Promise<Look<T>>, limitMs: number = DEFAULT_LIMIT_MS): Promise<T> {
  const deadline = Date.now() + limitMs;
  let seen: unknown;
  do {
    try {
      const answer = await look();
      if ('found' in answer) {
        return answer.found;
      }
      seen = answer.seen;
    } catch (error) {
      seen = error;
    }
    await pause(PAUSE_MS);
  } while (Date.now() < deadline);
  throw new Error(`Waited ${limitMs / 1000} s for ${what}; saw instead: ${describe(seen)}`);
}

/** Reads texts (lenses, hints, notifications, ...) until one matches, and returns that one. */
export function eventuallyText(
  what: string,
  read: () => Promise<readonly string[]>,
  wanted: RegExp | string,
  limitMs: number = DEFAULT_LIMIT_MS,
): Promise<string> {
  return eventually(
    `${what} ${String(wanted)}`,
    async () => {
      const texts = await read();
      const match = texts.find((text) => matches(text, wanted));
      return match === undefined ? { seen: texts } : { found: match };
    },
    limitMs,
  );
}

/** Whether `text` contains the string or matches the pattern. */
export function matches(text: string, wanted: RegExp | string): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
}

function describe(seen: unknown): string {
  return seen instanceof Error ? seen.message : typeof seen === 'string' ? seen : JSON.stringify(seen, undefined, 1);
}
