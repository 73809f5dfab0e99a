import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonOrNothing, parseJson, parsePythonJson } from '../../../../src/engine/read/input/json';
import { deepJson, refusalOf } from '../malformed/outcome';

const parse = (text: string): unknown => parsePythonJson(text, 'config.json', 'restore it');

/** JSON as Python's `json.dumps` writes it, with its spaces. */
function pythonJson(value: unknown): string {
  if (typeof value === 'number') {
    return Object.is(value, -0) ? '-0.0' : String(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(pythonJson).join(', ')}]`;
  }
  return typeof value === 'object' && value !== null
    ? `{${Object.entries(value)
        .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`)
        .join(', ')}}`
    : JSON.stringify(value);
}

/** Texts that a careless replacement would change, or lose its place in. */
const trap = fc.oneof(fc.constantFrom('NaN', '-Infinity', '"', '\\', '\\"', 'a: NaN, "', '\\u0022'), fc.string());

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.double(),
    fc.constantFrom(NaN, Infinity, -Infinity, null, true),
    trap,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(trap, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("Python's JSON", () => {
  it('is read as it was written, with NaN and both infinities', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(parse(pythonJson(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('has the numbers that transformers writes', () => {
    expect(parse('{"time_step_limit": [0.0, Infinity], "low": -Infinity, "rate": NaN, "note": "NaN, \\"Infinity\\""}')).toEqual({
      time_step_limit: [0, Infinity],
      low: -Infinity,
      rate: NaN,
      note: 'NaN, "Infinity"',
    });
    expect(parse('NaN')).toBeNaN();
  });

  it('may be nested 200 deep, and is refused beyond that, before anything that recurses can meet it', async () => {
    expect(parse(`{"deep": ${deepJson(199)}, "x": NaN}`)).toMatchObject({ x: NaN });
    for (const text of [
      deepJson(201),
      `{"deep": ${deepJson(200)}, "x": NaN}`,
      deepJson(1_000_000),
      `${'{"a":'.repeat(201)}1${'}'.repeat(201)}`,
    ]) {
      expect(await refusalOf(() => parse(text))).toBe(
        'config.json has lists or objects more than 200 deep within one another; restore it.',
      );
      expect(jsonOrNothing(text)).toBeUndefined();
    }
  });

  it('may say what objects inherit', () => {
    const read = parse('{"__proto__": NaN, "constructor": {"__proto__": {"a": NaN}}}') as object;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toBeNaN();
  });

  it.each([
    '1Infinity',
    '[1.Infinity]',
    'Infinity0',
    '--Infinity',
    '- Infinity',
    '+Infinity',
    'infinity',
    'nan',
    'NaNNaN',
    '[NaN NaN]',
    '{NaN: 1}',
    '{"a": NaN,}',
    "{'a': NaN}",
    '"NaN',
    '{"a": Infinity // no comment\n}',
    '',
  ])('is no more than that: %s', async (text) => {
    expect(await refusalOf(() => parse(text))).toBe('config.json is not JSON; restore it.');
  });

  it('takes no square of the time for a long string that does not end', async () => {
    expect(await refusalOf(() => parse(`"${'\\"'.repeat(1_000_000)}`))).toBe('config.json is not JSON; restore it.');
  });
});

it('is not what other files may have', () => {
  expect(() => parseJson('{"a": NaN}', 'run.json', 'give another')).toThrow('run.json is not JSON; give another.');
});
