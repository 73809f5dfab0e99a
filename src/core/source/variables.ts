import { InputError } from '../errors';
import { quoted } from '../text/printable';
import { documentRange, type MappedText, PieceWriter } from './pieces';

/** Values by the names of variables. */
export type Variables = Readonly<Record<string, string>>;

/** A variable in a text: `{{name}}`, with spaces around the name if wanted. */
const variable = /\{\{[ \t]*([\p{L}_][\p{L}\p{N}_.-]*)[ \t]*\}\}/gu;

/** A text with its variables filled in, and the names of those that were filled and that were not. */
export interface FilledText extends MappedText {
  readonly filled: readonly string[];
  readonly unfilled: readonly string[];
}

/** Fills variables in, once: what a value contains is not filled again. One that has no value stays as it is. */
export function fillVariables(mapped: MappedText, values: Variables): FilledText {
  const { text, pieces } = mapped;
  const filled = new Set<string>();
  const unfilled = new Set<string>();
  const found = [...text.matchAll(variable)].filter(([, name]) => {
    const isGiven = Object.hasOwn(values, name);
    (isGiven ? filled : unfilled).add(name);
    return isGiven;
  });
  const names = { filled: [...filled], unfilled: [...unfilled] };
  if (found.length === 0) {
    return { text, pieces, ...names };
  }
  const writer = new PieceWriter();
  let at = 0;
  for (const { 0: whole, 1: name, index } of found) {
    writer.append(mapped, at, index);
    at = index + whole.length;
    const { from, to } = documentRange(pieces, index, at);
    writer.replace(values[name], from, to);
  }
  writer.append(mapped, at);
  return { ...writer.finish(), ...names };
}

/** Reads `name=value`. @throws InputError that names the flag and the fix */
export function parseVariable(given: string, flag: string): readonly [string, string] {
  const equals = given.indexOf('=');
  const name = given.slice(0, equals).trim();
  if (equals < 0 || !isVariableName(name)) {
    throw new InputError(`${flag} ${quoted(given)} is no name=value; give one such as ${flag} topic=whales.`);
  }
  return [name, given.slice(equals + 1)];
}

/** Whether `{{name}}` is a variable. */
export function isVariableName(name: string): boolean {
  return `{{${name}}}`.replace(variable, '') === '' && name.trim() === name;
}

/** Refuses values that no prompt has a variable for. @throws InputError that names the variable */
export function checkVariables(values: Variables, used: readonly { readonly filled: readonly string[] }[]): void {
  const names = new Set(used.flatMap(({ filled }) => filled));
  const idle = Object.keys(values).find((name) => !names.has(name));
  if (idle !== undefined) {
    throw new InputError(
      `The variable ${quoted(idle)} was given a value, and no prompt has {{${idle}}}; leave it out or correct its name.`,
    );
  }
}
