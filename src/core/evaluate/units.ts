import { InputError } from '../errors';
import type { Option } from '../options/option';
import { type PartStarts, type Scenario, scenarioLabel, withStarts } from '../scenario/scenario';

/** A scenario that is measured with one block size. */
export interface Job {
  readonly scenario: Scenario;
  readonly blockSize: number;
  /** Tokens of the sequence at which positions begin again; absent where they do not. */
  readonly restarts?: readonly number[];
}

/** Whether two jobs measure the same of one sequence. */
export function sameJob(one: Job, other: Job): boolean {
  return (
    one.blockSize === other.blockSize &&
    scenarioLabel(one.scenario) === scenarioLabel(other.scenario) &&
    String(one.restarts ?? 0) === String(other.restarts ?? 0)
  );
}

/** How what the model makes of a sequence is scored. */
export type Scoring =
  | {
      readonly kind: 'window';
      /** Rows `[from, to)`, whose predictions are scored. */
      readonly from: number;
      readonly to: number;
      /** The tokens that follow those rows; undefined for a model that does not predict the next token. */
      readonly targets: Int32Array | undefined;
      /** Edges of the bins by position. */
      readonly edges: readonly number[];
    }
  | {
      readonly kind: 'retrieval';
      /** The row that predicts the answer's first token; the next ones follow. */
      readonly row: number;
      /** Token ids of the answer. */
      readonly answer: readonly number[];
    };

/** What the model reads at once, and how that is scored. */
export interface Sequence {
  /** Token ids, special tokens included. */
  readonly tokens: Int32Array;
  readonly scoring: Scoring;
  /** Where the parts begin in it that scenarios count; absent where none does. */
  readonly starts?: PartStarts;
  /** What tells it from other sequences, and what a line of results says of it. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** A sequence under one job: the work behind one line of results. */
export interface Unit {
  /** Equal for equal work: a digest of the sequence, the job, and all that both rest on. */
  readonly id: string;
  readonly job: Job;
}

/** A sequence with its units: what one engine measures in one go, because all of them need the baseline's run. Plain data. */
export interface Row extends Sequence {
  /** Equal for equal sequences, whatever the jobs: who has it has all units of it. */
  readonly id: string;
  readonly units: readonly Unit[];
}

/**
 * The work of an experiment as a list: a row for each sequence, a unit for each job in it.
 *
 * @param idOf digests what tells a unit from all others
 * @param resetPositions whether positions begin again in every document of a sequence
 */
export function rowsOf(
  sequences: readonly Sequence[],
  jobs: readonly Job[],
  idOf: (about: Readonly<Record<string, unknown>>) => string,
  resetPositions = false,
): Row[] {
  return sequences.map((sequence) => ({
    ...sequence,
    id: idOf(sequence.about),
    units: jobs.map((each) => {
      const { starts = {} } = sequence;
      const restarts = resetPositions && starts.doc !== undefined ? { restarts: starts.doc } : {};
      const job = { ...each, scenario: withStarts(each.scenario, starts), ...restarts };
      return { id: idOf({ ...sequence.about, ...job }), job };
    }),
  }));
}

/** The units of a row that are yet to be measured, each once; undefined where none is. */
export function unmeasured(row: Row, isKnown: (id: string) => boolean): Row | undefined {
  // Two jobs may be one, such as causal attention and the baseline of a Llama.
  const units = row.units.filter(({ id }, index) => !isKnown(id) && row.units.findIndex((other) => other.id === id) === index);
  return units.length === 0 ? undefined : { ...row, units };
}

/** A part of the work of an experiment: rows `part`, `part + parts`, ... of its list, counted from 1. */
export interface Shard {
  readonly part: number;
  readonly parts: number;
}

/** The rows of a shard: every `parts`-th one, so that long texts are spread over all of them. */
export function rowsOfShard<T>(rows: readonly T[], { part, parts }: Shard): T[] {
  return rows.filter((_, index) => index % parts === part - 1);
}

/** The flag that names a shard. */
export const shardOption = {
  flag: 'shard',
  symbol: 'i/n',
  description:
    'Measure only part i of n, counted from 1, for jobs that run beside each other on one machine or many. Results go to a folder that all share.',
  value: { type: 'text' },
} as const satisfies Option;

/** A shard as text, such as `2/8`. @throws InputError */
export function parseShard(text: string): Shard {
  const [, part, parts] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (!(part >= 1 && part <= parts)) {
    throw new InputError(`--shard of "${text}" is not possible; give a part and how many there are, such as 1/8 to 8/8.`);
  }
  return { part, parts };
}
