import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Moments } from '../../../core/evaluate/estimate';
import { type Measure, measures, type WindowSummary } from '../../../core/evaluate/statistics';
import { inputLimits } from '../../read/input/limits';
import { readLines } from '../../read/input/lines';
import { openToAppend } from '../../read/input/regular-file';

const count = z.int().nonnegative();

const moments: z.ZodType<Moments> = z.object({ count, sum: z.number(), squares: z.number(), infinite: count, invalid: count });

const windowSummary: z.ZodType<WindowSummary> = z.object({
  bins: z.array(
    z.object({
      from: count,
      to: count,
      ...(Object.fromEntries(measures.map((measure) => [measure, moments])) as Record<Measure, typeof moments>),
    }),
  ),
  divergences: z
    .object({ zeros: count, buckets: z.array(z.tuple([z.int(), count])), infinite: count, invalid: count, maximum: z.number().optional() })
    // JSON leaves out what is undefined.
    .transform((histogram) => ({ ...histogram, maximum: histogram.maximum })),
});

/** A window under a scenario, as a results file keeps it. */
export interface WindowResult {
  readonly summary: WindowSummary;
  readonly wallMs: number;
  readonly calls: number;
}

export const windowResult: z.ZodType<WindowResult> = z.object({ summary: windowSummary, wallMs: z.number().nonnegative(), calls: count });

/** A needle's answer under one scenario, as a results file keeps it. JSON has no NaN: null stands for it. */
export interface NeedleResult {
  /** Natural logarithm. */
  readonly logProbability: number | null;
  /** From 1. */
  readonly rank: number | null;
}

export const needleResult: z.ZodType<NeedleResult> = z.object({ logProbability: z.number().nullable(), rank: z.number().nullable() });

/** Version of a line of a results file. Lines of other versions are left alone. */
const lineVersion = 1;

const resultLine = z.object({ version: z.literal(lineVersion), unit: z.string(), result: z.unknown() });

/** The identity of one unit of work: equal for equal work, whatever the order of its fields. */
export function unitOf(work: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(work).sort(([one], [other]) => (one < other ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32);
}

/**
 * What was measured already, and where more of it goes: a line of JSON for each unit of work.
 *
 * A line is appended by one write, so a crash can lose the line it interrupts and no other, and two runs may append to one
 * file. What cannot be read is passed over: it is measured again.
 */
export class Results {
  private constructor(
    private readonly path: string | undefined,
    private readonly known: Map<string, unknown>,
  ) {}

  /** Results that are kept for this run only. */
  static inMemory(): Results {
    return new Results(undefined, new Map());
  }

  /** Results in a file, which is made where it is missing. @throws InputError where it cannot be read or written */
  static async open(path: string): Promise<Results> {
    const known = new Map<string, unknown>();
    // Opened for appending first: a run of hours must not find out at its first result that it cannot write.
    await (await openResults(path)).close();
    let ended = true;
    for await (const line of readLines(path, nameOf(path), limits, fix)) {
      ended = line.ended;
      const parsed = resultLine.safeParse(parseLine(line.text));
      if (parsed.success) {
        known.set(parsed.data.unit, parsed.data.result);
      }
    }
    const results = new Results(path, known);
    if (!ended) {
      // The line that a crash cut short must not take the next one with it.
      await results.append('\n');
    }
    return results;
  }

  /** Whether results outlive this run. */
  get kept(): boolean {
    return this.path !== undefined;
  }

  /** The result of a unit, if it is known and has this form. */
  get<T>(unit: string, schema: z.ZodType<T>): T | undefined {
    return this.known.has(unit) ? schema.safeParse(this.known.get(unit)).data : undefined;
  }

  /** Keeps the result of a unit. @param about what the unit is, for people who read the file */
  async add(unit: string, about: Readonly<Record<string, unknown>>, result: unknown): Promise<void> {
    this.known.set(unit, result);
    await this.append(`${JSON.stringify({ version: lineVersion, unit, ...about, result })}\n`);
  }

  private async append(text: string): Promise<void> {
    if (this.path === undefined) {
      return;
    }
    const file = await openResults(this.path);
    try {
      await file.write(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

const fix = 'give a file in a folder that you may write';
const limits = { maximumBytes: inputLimits.results, maximumLineBytes: inputLimits.resultsLine };

function nameOf(path: string): string {
  return `--results ${path}`;
}

function openResults(path: string): ReturnType<typeof openToAppend> {
  return openToAppend(path, nameOf(path), fix);
}

function parseLine(line: string | undefined): unknown {
  try {
    return line === undefined ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Results by unit of work: `results[item][job]`, with how many of them were known before. */
export interface Worked<T> {
  readonly results: readonly (readonly T[])[];
  readonly resumed: number;
}
