import fc from 'fast-check';

/** Numbers of mask expressions by their grammar. @param literals and divisors up to `largest` */
function numbers(largest: number): fc.Memo<string> {
  const number: fc.Memo<string> = fc.memo((depth) =>
    depth <= 1
      ? fc.oneof(fc.constantFrom('q', 'k', 'n', 'q - k', 'k - q'), fc.integer({ min: 0, max: largest }).map(String))
      : fc.oneof(
          fc
            .tuple(number(), fc.constantFrom('+', '-', '*'), number())
            .map(([left, operator, right]) => `((${left}) ${operator} (${right}))`),
          fc
            .tuple(number(), fc.constantFrom('//', '%'), fc.integer({ min: 1, max: largest }))
            .map(([left, operator, right]) => `(${left}) ${operator} ${right}`),
          number().map((inner) => `abs(${inner})`),
          number().map((inner) => `-(${inner})`),
          fc.tuple(fc.constantFrom('min', 'max'), number(), number()).map(([name, left, right]) => `${name}(${left}, ${right})`),
        ),
  );
  return number;
}

const operators = fc.constantFrom('<', '<=', '>', '>=', '==', '!=');
const compared = (number: fc.Memo<string>): fc.Arbitrary<string> =>
  fc.tuple(number(2), operators, number(2)).map(([left, operator, right]) => `${left} ${operator} ${right}`);

/** Comparisons of small numbers. */
export const comparisons = compared(numbers(12));

/** Comparisons of numbers that may pass 2^53 over a long sequence. */
export const largeComparisons = compared(numbers(1_000_000_000));

/** Comparisons that depend on q, k or q - k alone. */
const separate: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom('q', 'k', 'q - k', 'k + 3 - q', 'abs(q - k)'), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 4 }))
    .chain(([what, divisor, rest]) => fc.constantFrom(`(${what}) % ${divisor} == ${rest}`, `(${what}) // ${divisor} < ${rest}`)),
  fc
    .tuple(fc.constantFrom('q', 'k', 'q - k'), operators, fc.integer({ min: -40, max: 160 }))
    .map(([what, operator, limit]) => `${what} ${operator} ${limit}`),
  fc.constantFrom('k <= q', 'q - k < 5', 'q != k', '2 * k < 2 * q + n', 'true', 'false'),
);

/** Comparisons of blocks, and of both numbers in other ways. */
const mixed: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((size) => `q // ${size} == k // ${size}`),
  fc.integer({ min: 1, max: 40 }).map((size) => `(q // ${size} + k // ${size}) % 2 == 0`),
  comparisons,
);

function joined(comparison: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const truth: fc.Memo<string> = fc.memo((depth) =>
    depth <= 1
      ? comparison
      : fc.oneof(
          comparison,
          fc.tuple(truth(), fc.constantFrom('and', 'or'), truth()).map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
          truth().map((inner) => `not (${inner})`),
        ),
  );
  // Every token sees itself, as masks must.
  return truth(4).map((expression) => `k == q or (${expression})`);
}

/** Masks whose conditions depend on q, k or q - k alone. */
export const separateMasks = joined(separate).filter((expression) => expression.length <= 500);

/** Masks of any form. */
export const masks = joined(fc.oneof(separate, mixed)).filter((expression) => expression.length <= 500);
