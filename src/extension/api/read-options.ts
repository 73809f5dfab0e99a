import { z } from 'zod';
import { InputError } from '../../core/errors';

/** A whole number within limits; a refusal names them. */
export function whole(minimum: number, maximum: number): z.ZodInt {
  const error = `use a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** One of a few words; a refusal lists them. */
export function word<const T extends readonly string[]>(words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: `use one of ${words.join(', ')}` });
}

/** Text of at least one character. @param fix what a refusal says to do */
export function line(fix: string): z.ZodString {
  return z.string({ error: fix }).min(1, { error: fix });
}

/** A switch. */
export const flag = z.boolean({ error: 'use true or false' });

/**
 * A value from outside, held to a schema whose messages say what to do.
 *
 * @param what names the value in a refusal
 * @throws InputError: one line with the place, the value and the fix
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const place = [what, ...issue.path.map(String)].join('.');
  if (issue.code === 'unrecognized_keys') {
    throw new InputError(`${place} has no ${issue.keys.map((key) => `"${key}"`).join(' and no ')}; leave it out.`);
  }
  throw new InputError(`${place} of ${shown(valueAt(value, issue.path))} is not possible; ${issue.message}.`);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

/** A value in a few words: anything may come from outside, of any size. */
function shown(value: unknown): string {
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? 'a list'
        : typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** `T` without undefined in what may be left out. */
export type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An object without the keys that hold undefined: left out and undefined mean the same from outside. */
export function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
}
