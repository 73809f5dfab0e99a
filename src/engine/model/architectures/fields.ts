import { z } from 'zod';
import { InputError } from '../../../core/errors';
import type { ModelShape } from '../../../core/shapes';
import type { Activation } from '../../read/model/architecture';
import { described, quoted } from '../../../core/text/printable';

/** Numbers larger than these belong to no model, and would only overflow what is computed from them. */
const largest = { width: 1_048_576, layers: 4096, vocabulary: 16_777_216, tokens: 1_000_000_000 } as const;

export const width = z.number().int().positive().max(largest.width);
export const layers = z.number().int().positive().max(largest.layers);
export const vocabulary = z.number().int().positive().max(largest.vocabulary);
export const tokens = z.number().int().positive().max(largest.tokens);
/** Far below any in use; a smaller one would be 0 in float32, and divide 0 by 0. */
export const epsilon = z.number().min(1e-30).max(1);
export const theta = z.number().gt(1).max(1e15);

/** Reads the fields of a configuration. @throws InputError that names the file, the field and what is wrong with it */
export function readFields<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const value = valueAt(json, issue.path);
    const found = value === undefined ? '' : `, not ${described(value)}`;
    throw new InputError(`${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}${found}; restore the model's config.json.`);
  }
  return parsed.data;
}

/** What a JSON value holds at a path of keys. */
function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key], json);
}

/** Refuses a part of a model that is not supported. @throws InputError that names the part and what to use instead */
export function refuse(path: string, what: string, instead: string): never {
  throw new InputError(`${path}: ${what} is not supported; use ${instead}.`);
}

/** The activation of a name in `config.json`. @throws InputError for one that is not supported */
export function activationOf(name: string, field: string, path: string): Activation {
  const known: Readonly<Record<string, Activation>> = {
    silu: 'silu',
    swish: 'silu',
    gelu: 'gelu',
    gelu_new: 'gelu-tanh',
    gelu_pytorch_tanh: 'gelu-tanh',
    gelu_fast: 'gelu-tanh',
    relu: 'relu',
  };
  return Object.hasOwn(known, name)
    ? known[name]
    : refuse(path, `${field} ${quoted(name)}`, `a model with one of ${Object.keys(known).join(', ')}`);
}

/** Checks that heads fit together. @throws InputError for an odd or broken head width, or heads that do not divide */
export function checkHeads(
  { heads, keyValueHeads, headWidth }: Pick<ModelShape, 'heads' | 'keyValueHeads' | 'headWidth'>,
  path: string,
  rotary: boolean,
): void {
  if (!Number.isInteger(headWidth) || (rotary && headWidth % 2 !== 0)) {
    throw new InputError(`${path}: a head width of ${headWidth} is not ${rotary ? 'an even' : 'a'} whole number; correct head_dim.`);
  }
  if (heads % keyValueHeads !== 0) {
    throw new InputError(`${path}: ${keyValueHeads} key-value heads do not divide ${heads} heads; correct num_key_value_heads.`);
  }
}
