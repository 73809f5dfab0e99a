import { permutation } from '../../src/core/math/random';

/** A figure of the benchmark: a number with its unit, or words. */
export type Figure = number | string;

/** One part of the benchmark, as it goes into the JSON document and the table. */
export interface Section {
  /** Key in the JSON document, such as `attention`. */
  readonly name: string;
  readonly title: string;
  /** How the figures were got: what was paired with what, how many runs, what the median is of. */
  readonly method: string;
  /** Column keys with their headings, in order. */
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, Figure>>[];
  /** How many rows become a table of few: a line for each value of one column, and across it those of another with some figures. */
  readonly cross?: { readonly down: string; readonly across: string; readonly figures: readonly string[] };
  /** Goals of docs/benchmarks.md that this section decides. */
  readonly goals: readonly Goal[];
}

/** A goal, what was measured for it, and whether it was reached. */
export interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly reached: boolean;
}

/** What every section is given. */
export interface BenchContext {
  /** Smaller sizes and fewer repeats: checks that the benchmark works, not how fast anything is. */
  readonly quick: boolean;
  readonly threads: number;
  /** Says on stderr what is being measured. */
  readonly log: (line: string) => void;
}

/** Median of a list that is not empty. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2;
}

/** Value below which `share` of a list lies, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))];
}

/**
 * Times several ways of doing the same thing against each other: each round runs every way once, so that a
 * slow moment of the machine falls on all of them, in an order drawn anew: what a way leaves behind (memory to give back, another's
 * numbers in the cache) slows whichever comes next.
 *
 * @param rounds counted rounds, after one that warms up
 * @returns milliseconds per way, one entry a round
 */
export async function paired<Way extends string>(
  ways: Readonly<Record<Way, () => Promise<unknown>>>,
  rounds: number,
): Promise<Record<Way, number[]>> {
  const names = Object.keys(ways) as Way[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Way, number[]>;
  for (let round = -1; round < rounds; round += 1) {
    for (const place of permutation(names.length, round + 1)) {
      const name = names[place];
      const start = performance.now();
      await ways[name]();
      if (round >= 0) {
        times[name].push(performance.now() - start);
      }
    }
  }
  return times;
}
