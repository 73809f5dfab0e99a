import { InputError } from '../errors';
import { formatCount } from '../format';
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

/** Most code units of a document's texts with their variables filled in: what a prompt itself may have, in bytes. */
const mostFilled = 64 * 1024 * 1024;

/** Fills variables in the texts of one document, and keeps count of what it fills. */
export class VariableFiller {
  private readonly filledNames = new Set<string>();
  private readonly unfilledNames = new Set<string>();
  private left: number;

  /** @param most code units that all texts may have together */
  constructor(
    private readonly values: Variables,
    private readonly most = mostFilled,
  ) {
    this.left = most;
  }

  /** @throws InputError where texts become too large */
  fill(mapped: MappedText): MappedText {
    const { text, pieces, filled, unfilled } = fillVariables(mapped, this.values, this.left, this.most);
    this.left -= filled.length > 0 ? text.length : 0;
    filled.forEach((name) => this.filledNames.add(name));
    unfilled.forEach((name) => this.unfilledNames.add(name));
    return { text, pieces };
  }

  get filled(): readonly string[] {
    return [...this.filledNames];
  }

  get unfilled(): readonly string[] {
    return [...this.unfilledNames];
  }
}

/**
 * Fills variables in, once: what a value contains is not filled again. One that has no value stays as it is.
 *
 * @param left code units that the text may have, and `most` those of its document
 * @throws InputError, before it is made, for a text that becomes larger
 */
export function fillVariables(mapped: MappedText, values: Variables, left = mostFilled, most = left): FilledText {
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
  const size = found.reduce((sum, { 0: whole, 1: name }) => sum + values[name].length - whole.length, text.length);
  if (size > left) {
    throw new InputError(
      `With its variables filled in, the prompt has more than ${formatCount(most)} characters, which is the limit; give shorter values.`,
    );
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
