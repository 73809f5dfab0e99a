import { InputError } from '../core/errors';
import type { Option } from '../core/options/option';
import { type PromptSource, sourceTable, variableOptions } from '../core/source/options';
import { isVariableName, parseVariable, type Variables } from '../core/source/variables';
import { described, quoted } from '../core/text/printable';
import { parseJson } from '../engine/read/input/json';
import { inputLimits } from '../engine/read/input/limits';
import { readRegularText } from '../engine/read/input/text';
import { fieldsOf } from '../engine/read/tokenizer/json';
import type { Given } from './io';
import { textGiven, valuesOf } from './options';

/** Flags of the values of variables. */
export const variableFlags: readonly Option[] = Object.values(variableOptions);

/** Flags of how a prompt is read from what is kept. */
export const sourceOptions: readonly Option[] = [...Object.values(sourceTable), ...variableFlags];

/** How a prompt is read, from flags. @throws InputError that names the flag, the value and the fix */
export async function sourceFrom(given: Given): Promise<PromptSource> {
  return { ...valuesOf(sourceTable, given), variables: await variablesFrom(given) };
}

/** The values of variables, from flags and the file that they name; flags come before it. @throws InputError */
export async function variablesFrom(given: Given): Promise<Variables> {
  const path = textGiven(variableOptions.file, given);
  const values = given[variableOptions.value.flag];
  const named = new Map<string, string>();
  for (const text of typeof values === 'object' ? values : []) {
    const [name, value] = parseVariable(text, `--${variableOptions.value.flag}`);
    if (named.has(name)) {
      throw new InputError(`--${variableOptions.value.flag} gives ${quoted(name)} twice; give each variable once.`);
    }
    named.set(name, value);
  }
  return { ...(path === undefined ? {} : await readVariables(path)), ...Object.fromEntries(named) };
}

const fix = 'give a file with one JSON object, such as {"topic": "whales"}';

/** Reads values of variables from a JSON object of texts and numbers. @throws InputError that names the path and the variable */
async function readVariables(path: string): Promise<Variables> {
  const content = parseJson(await readRegularText(path, inputLimits.variables, fix, fix), path, fix);
  const entries = Object.entries(fieldsOf(content, path)).map(([name, value]): [string, string] => {
    if (!isVariableName(name)) {
      throw new InputError(`${path}: ${quoted(name)} is no name of a variable; use letters, digits, _, . and -.`);
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new InputError(`${path}: the variable ${quoted(name)} is ${described(value)}; give text or a number.`);
    }
    return [name, String(value)];
  });
  return Object.fromEntries(entries);
}
