import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { described, shown } from '../../../../core/text/printable';

/**
 * Names or patterns of modules that are, or are not, quantised. Nothing is read from them: the tensors themselves say which
 * weights are.
 */
export const moduleNames = z.array(z.string()).optional();

/** Weights that share a scale; -1 for a whole row. */
export const groupSize = z.union([z.literal(-1), z.number().int().positive().max(1_048_576)]);

/**
 * Reads what a configuration says of quantised weights; a field that is null is not set, as in transformers.
 *
 * @throws InputError that names the field that is not known, or has another value than those that are read: a clause
 */
export function readQuantisationFields<T>(schema: z.ZodType<T>, config: unknown): T {
  const given = withoutNulls(config);
  const parsed = schema.safeParse(given);
  if (parsed.success) {
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
  const value = path.reduce<unknown>((inner, key) => (inner as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key], given);
  throw new InputError(value === undefined ? `no ${shown(path.join('.'))}` : `${shown(path.join('.'))} ${described(value)}`);
}

/** Without the fields that are null. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const set = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(set.map(([key, inner]) => [key, withoutNulls(inner)]));
}
