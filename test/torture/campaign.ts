/** What became of one part of a campaign: how many were tried, how they ended, and what failed. */
export class Tally {
  /** All so far, so that an interrupted campaign can print what it tried. */
  static readonly all: Tally[] = [];

  tried = 0;
  readonly outcomes = new Map<string, number>();
  readonly faults = new Map<string, Fault>();

  constructor(readonly name: string) {
    Tally.all.push(this);
  }

  /** A try that ended as it may. */
  ended(outcome: string, times = 1): void {
    this.tried += times;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + times);
  }

  /** A try that failed. @param what the same for the same fault @param steps which try it was, and what was seen */
  failed(what: string, steps: string, times = 1): void {
    this.tried += times;
    const known = this.faults.get(what);
    this.faults.set(what, { times: (known?.times ?? 0) + times, steps: known?.steps ?? steps });
  }

  get failures(): number {
    return [...this.faults.values()].reduce((sum, { times }) => sum + times, 0);
  }
}

/** Something that failed, how often, and how to see it again. */
export interface Fault {
  readonly times: number;
  readonly steps: string;
}

/** What a campaign is given. */
export interface Context {
  readonly seed: number;
  /** The short form: checks that the campaign works, and finds what fails often. */
  readonly short: boolean;
  /** Factor of the counts of the full form. */
  readonly scale: number;
  /** A folder of its own, which is removed afterwards. */
  readonly folder: string;
  /** The bundle, to start other parts of it as processes. */
  readonly entry: string;
  /** Parts to run; empty for all. */
  readonly parts: readonly string[];
  /** Of spoilt inputs, the only one that is tried. */
  readonly from: number | undefined;
  /** Says on stderr how far it is. */
  readonly log: (line: string) => void;
}

/** A campaign: the same thing tried again and again. */
export interface Campaign {
  readonly title: string;
  readonly run: (context: Context) => Promise<readonly Tally[]>;
}

/** How many tries a form has. */
export function countOf({ short, scale }: Pick<Context, 'short' | 'scale'>, full: number, few: number): number {
  return short ? few : Math.max(1, Math.round(full * scale));
}

/** A seed of its own for each try, so that one can be repeated alone. */
export function seedOf(seed: number, name: string, index: number): number {
  let mixed = seed >>> 0;
  for (const character of `${name} ${index}`) {
    mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return mixed;
}

/** Waits until something holds. @returns whether it did within the time */
export async function within(milliseconds: number, holds: () => boolean): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > end) {
      return false;
    }
    await new Promise((later) => setTimeout(later, 10));
  }
  return true;
}
