import type { Next } from '../../support/mutate';

/**
 * A reader of outside input, and how its inputs are spoilt.
 *
 * A try gives a word for what became of the input, or throws: an `InputError` of one line is a refusal, which is as good;
 * anything else is a fault.
 */
export interface Reader {
  readonly title: string;
  /** How many of its inputs are tried, beside the others'. */
  readonly share: number;
  /** Prepares originals. @param folder the only place that may be written to @returns one try */
  readonly open: (folder: string) => Promise<(next: Next) => string | Promise<string>>;
}
