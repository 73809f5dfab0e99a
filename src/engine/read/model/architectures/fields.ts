import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import { described, quoted, shown } from '../../../../core/text/printable';
import type { Activation } from '../architecture';
import type { ConfigJson } from '../keys';

/** No real model exceeds these numbers; larger ones would overflow later computations. */
const largest = { width: 1_048_576, layers: 4096, vocabulary: 16_777_216, tokens: 1_000_000_000 } as const;

export const width = z.number().int().positive().max(largest.width);
export const layers = z.number().int().positive().max(largest.layers);
export const vocabulary = z.number().int().positive().max(largest.vocabulary);
export const tokens = z.number().int().positive().max(largest.tokens);
/** Far below any in use; a smaller one would be 0 in float32 and lead to 0 divided by 0. */
export const epsilon = z.number().min(1e-30).max(1);
export const theta = z.number().gt(1).max(1e15);
/** Of frequencies, sines, scores or logits: outside this range, they would overflow. */
export const factor = z.number().min(1e-6).max(1e6);

type FlagSchema<Value extends boolean> = z.ZodPipe<
  z.ZodOptional<z.ZodNullable<z.ZodType<Value, Value>>>,
  z.ZodTransform<Value, Value | null | undefined>
>;

/** A boolean field; null is "not set", as if it were absent. */
export const flag = (standard: boolean): FlagSchema<boolean> =>
  z
    .boolean()
    .nullish()
    .transform((given) => given ?? standard);

/** A boolean field that runs with one value only, which it has by default; null is "not set". */
export const fixedFlag = <Value extends boolean>(value: Value): FlagSchema<Value> =>
  z
    .literal(value)
    .nullish()
    .transform(() => value);

/** A configuration with the defaults of its model type, also for flags that are null. */
export function withDefaults(defaults: ConfigJson, json: ConfigJson): ConfigJson {
  const set = Object.entries(json).filter(([key, value]) => value !== null || typeof defaults[key] !== 'boolean');
  return { ...defaults, ...Object.fromEntries(set) };
}

/** Reads the fields of a configuration. @throws InputError that names the file, the field and the fault */
export function readFields<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue.code === 'unrecognized_keys') {
      const at = [...issue.path, issue.keys[0]];
      throw new InputError(`${path}: ${shown(at.join('.'))} ${described(valueAt(json, at))} is not known; use a model without it.`);
    }
    const value = valueAt(json, issue.path);
    const field = issue.path.join('.') || text('the file');
    throw new InputError(
      value === undefined
        ? `${path}: ${field}: ${issue.message}; restore the model's config.json.`
        : `${path}: ${field}: ${issue.message}, not ${described(value)}; restore the model's config.json.`,
    );
  }
  return parsed.data;
}

/** The JSON value at a path of keys. */
function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key], json);
}

/** Refuses an unsupported part of a model. @throws InputError that names the part and what to use instead */
export function refuse(path: string, what: string, instead: string): never {
  throw new InputError(`${path}: ${what} is not supported; use ${instead}.`);
}

/** The activation with a name from `config.json`. @throws InputError if it is not supported */
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
    : refuse(path, `${field} ${quoted(name)}`, said`a model with one of ${Object.keys(known).join(', ')}`);
}

/** The shape of a model whose heads all have keys and values of their own, and whose feed-forward halves have no gate. */
export function plainShape(fields: {
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly vocab_size: number;
}): ModelShape {
  return {
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_attention_heads,
    headWidth: fields.hidden_size / fields.num_attention_heads,
    width: fields.hidden_size,
    feedForwardWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
    feedForward: 'plain',
  };
}

/**
 * The shape of a model with grouped queries and gated feed-forward halves.
 *
 * @param usualWidth of a head, where the configuration does not say; by default the heads share the width
 */
export function gatedShape(
  fields: Parameters<typeof plainShape>[0] & {
    readonly num_key_value_heads?: number | null | undefined;
    readonly head_dim?: number | null | undefined;
  },
  usualWidth?: number,
): ModelShape {
  const heads = fields.num_attention_heads;
  return {
    layers: fields.num_hidden_layers,
    heads,
    keyValueHeads: fields.num_key_value_heads ?? heads,
    headWidth: fields.head_dim ?? usualWidth ?? fields.hidden_size / heads,
    width: fields.hidden_size,
    feedForwardWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
  };
}

/**
 * Checks that the numbers of heads are consistent. @throws InputError for an odd or fractional head width, or if key-value
 * heads do not divide the heads
 */
export function checkHeads(
  { heads, keyValueHeads, headWidth }: Pick<ModelShape, 'heads' | 'keyValueHeads' | 'headWidth'>,
  path: string,
  rotary: boolean,
): void {
  if (!Number.isInteger(headWidth) || (rotary && headWidth % 2 !== 0)) {
    throw new InputError(
      rotary
        ? `${path}: a head width of ${headWidth} is not an even whole number; correct head_dim.`
        : `${path}: a head width of ${headWidth} is not a whole number; correct head_dim.`,
    );
  }
  if (heads % keyValueHeads !== 0) {
    throw new InputError(`${path}: ${keyValueHeads} key-value heads do not divide ${heads} heads; correct num_key_value_heads.`);
  }
}

/**
 * Which layers attend within a window, if `layer_types` lists them.
 *
 * @param types the field; undefined or null falls back to the architecture's rule
 * @param count `num_hidden_layers`
 * @throws InputError for an unsupported kind of layer, or a list without one entry per layer
 */
export function slidingLayers(types: readonly string[] | null | undefined, count: number, path: string): readonly boolean[] | undefined {
  if (types === undefined || types === null) {
    return undefined;
  }
  if (types.length !== count) {
    throw new InputError(`${path}: layer_types has ${types.length} entries but num_hidden_layers is ${count}; correct one of them.`);
  }
  return types.map((type) => {
    if (type !== 'full_attention' && type !== 'sliding_attention') {
      refuse(path, said`layer type ${quoted(type)}`, text('a model with full_attention and sliding_attention'));
    }
    return type === 'sliding_attention';
  });
}

/** Which layers of a Gemma or a Command R attend within a window, as its configuration says in one of three ways. */
interface LocalLayers {
  readonly num_hidden_layers: number;
  readonly layer_types?: readonly string[] | null | undefined;
  readonly sliding_window_pattern?: number | undefined;
  readonly _sliding_window_pattern?: number | undefined;
}

/**
 * Layers with a window: those that `layer_types` lists, or all but every p-th.
 *
 * @param usual p, where nothing says it
 * @throws InputError as `slidingLayers` does
 */
export function localLayers(fields: LocalLayers, usual: number, path: string): readonly boolean[] {
  const { num_hidden_layers: count } = fields;
  const every = fields.sliding_window_pattern ?? fields._sliding_window_pattern ?? usual;
  return slidingLayers(fields.layer_types, count, path) ?? Array.from({ length: count }, (_, layer) => (layer + 1) % every !== 0);
}
