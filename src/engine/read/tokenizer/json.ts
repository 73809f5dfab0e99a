import { InputError } from '../../../core/errors';
import { described } from '../../../core/text/printable';

/** A value of a JSON file that was not looked at yet. */
export type Json = unknown;
/** An object of a JSON file. */
export type JsonObject = Readonly<Record<string, Json>>;

/** The value as an object. @throws InputError that names it */
export function fieldsOf(value: Json, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${name} is ${described(value)}, not an object`);
  }
  return value as JsonObject;
}

/** The value as a list; none is an empty one. @throws InputError that names it */
export function listOf(value: Json, name: string): readonly Json[] {
  if (value !== undefined && value !== null && !Array.isArray(value)) {
    throw new InputError(`${name} is ${described(value)}, not a list`);
  }
  return value ?? [];
}

/** The value if it is text. */
export function textOf(value: Json): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The steps of a normalizer or pre-tokenizer, sequences resolved. @param list the field of a sequence that holds its steps */
export function stepsOf(part: Json, name: string, list: string): JsonObject[] {
  if (part === undefined || part === null) {
    return [];
  }
  const step = fieldsOf(part, name);
  return kindOf(step) === 'Sequence' ? listOf(step[list], list).flatMap((inner) => stepsOf(inner, name, list)) : [step];
}

/** The `type` of a part of a tokenizer. @throws InputError if it is not text */
export function kindOf(part: JsonObject): string {
  const kind = textOf(part.type);
  if (kind === undefined) {
    throw new InputError(`a part of it has the type ${described(part.type)}`);
  }
  return kind;
}
