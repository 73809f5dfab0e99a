/**
 * A seeded generator of uniform numbers in [0, 1): mulberry32, so that a seed gives the same sample everywhere.
 *
 * @param seed any number; only its low 32 bits are used
 * @param from how many of its first numbers are left out
 */
export function uniform(seed: number, from = 0): () => number {
  let state = ((seed >>> 0) + Math.imul(from, increment)) >>> 0;
  return () => {
    state = (state + increment) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const increment = 0x6d2b79f5;

/** The permutation tau of theorem 4.1: `length` indices in a seeded random order (Fisher-Yates). */
export function permutation(length: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const next = uniform(seed);
  for (let last = length - 1; last > 0; last -= 1) {
    const chosen = Math.floor(next() * (last + 1));
    const moved = order[last];
    order[last] = order[chosen];
    order[chosen] = moved;
  }
  return order;
}

/** A seeded generator of normal numbers with mean 0 and standard deviation 1 (Box-Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** A seed from whole numbers, such as token ids, so that other numbers draw otherwise and the same ones alike (FNV-1a). */
export function seedOf(numbers: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < numbers.length; index += 1) {
    hash = Math.imul(hash ^ numbers[index], 0x01000193);
  }
  return hash >>> 0;
}
