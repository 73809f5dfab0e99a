import { InputError } from '../../../core/errors';
import { isVariableName, type Variables } from '../../../core/source/variables';
import { described, quoted } from '../../../core/text/printable';
import { parseJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { readRegularText } from '../input/text';
import { fieldsOf } from '../tokenizer/json';

const fix = 'give a file with one JSON object, such as {"topic": "whales"}';

/** Reads values of variables from a JSON object of texts and numbers. @throws InputError that names the path and the variable */
export async function readVariables(path: string): Promise<Variables> {
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
