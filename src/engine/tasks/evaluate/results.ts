import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../../core/errors';
import type { Moments } from '../../../core/evaluate/estimate';
import { type Measure, measures, type WindowSummary } from '../../../core/evaluate/statistics';
import type { Scoring } from '../../../core/evaluate/units';
import { wordsOf } from '../../../core/options/option';
import { optionTable } from '../../../core/options/table';
import type { ShardResult } from '../../../core/shards/report';
import { jsonOrNothing } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { readLines } from '../../read/input/lines';
import { openToAppend } from '../../read/input/regular-file';
import { type Claim, Claims, writerName } from './claims';

const count = z.int().nonnegative();

const moments: z.ZodType<Moments> = z.object({
  count,
  sum: z.number(),
  squares: z.number().nonnegative(),
  infinite: count,
  invalid: count,
});

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

const windowResult: z.ZodType<WindowResult> = z.object({ summary: windowSummary, wallMs: z.number().nonnegative(), calls: count });

/** A needle's answer under one scenario, as a results file keeps it. JSON has no NaN: null stands for it. */
export interface NeedleResult {
  /** Natural logarithm. */
  readonly logProbability: number | null;
  /** From 1. */
  readonly rank: number | null;
}

const needleResult: z.ZodType<NeedleResult> = z.object({ logProbability: z.number().nullable(), rank: z.number().nullable() });

const amount = z.number().nonnegative();

/** JSON has no infinity: null stands for an error without bound. */
const largest = amount.nullable().transform((value) => value ?? Infinity);

/** JSON has no NaN: null stands for the sum of a model that computes none. */
const total = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);

const lossSums = z.object({ positions: count, loss: total });
const comparedSums = lossSums.extend({ baselineLoss: total, divergence: total, agreeing: count });

/** A shard of a prompt under a scenario, as a results file keeps it. */
const shardResult: z.ZodType<ShardResult> = z.object({
  provider: z.string(),
  device: z.string(),
  threads: count,
  executor: z.enum(wordsOf(optionTable.executor)).exclude(['auto']),
  precision: z.enum(wordsOf(optionTable.precision)),
  wallMs: amount,
  calls: z.object({ total: count, attention: count, tokenwise: count, perLayer: amount, retries: count, dispatches: count }),
  peakRssBytes: count,
  fidelity: z
    .object({ reference: z.string(), rows: count, maxAbsError: largest, maxRelError: largest, logNormaliserError: largest })
    .nullable(),
  quality: z
    .union([
      z.object({ kind: z.literal('compared'), sums: z.object({ within: comparedSums, past: comparedSums }) }),
      z.object({ kind: z.literal('own'), sums: z.object({ within: lossSums, past: lossSums }) }),
    ])
    .nullable(),
});

/** What a unit of work gives. */
export type UnitResult = WindowResult | NeedleResult | ShardResult;

/** Reads what a unit gave from JSON. */
export const unitResult: z.ZodType<UnitResult> = z.union([windowResult, needleResult, shardResult]);

/** Whether a result is what a row of this scoring gives: what comes from elsewhere may be another's. */
export function isResultOf(scoring: Scoring, result: UnitResult): boolean {
  if (scoring.kind === 'needle') {
    return 'rank' in result;
  }
  const { edges, from, to } = scoring;
  return (
    'summary' in result &&
    result.summary.bins.every((bin, index) => bin.from === edges[index] && bin.to === edges[index + 1]) &&
    result.summary.bins.length === edges.length - 1 &&
    result.summary.bins.reduce((sum, { divergence }) => sum + divergence.count, 0) === to - from
  );
}

/** Version of a line of a results file. Lines of other versions are left alone. */
const lineVersion = 1;

const resultLine = z.object({
  version: z.literal(lineVersion),
  unit: z.string(),
  result: unitResult,
});

/** The identity of one unit of work: equal for equal work, whatever the order of its fields. */
export function unitOf(work: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(work).sort(([one], [other]) => (one < other ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32);
}

/**
 * What was measured already, and where more of it goes: a line of JSON for each unit of work.
 *
 * The path is a file, or a folder in which every writer has a file of its own and all are read: on a file system over the
 * network, appends of two machines to one file can be lost. A line is appended by one write, so a crash can lose the line it
 * interrupts and no other. What cannot be read is passed over: it is measured again.
 */
export class Results {
  private readonly known = new Map<string, UnitResult>();
  /** Bytes of each file that were read, up to the end of a line. */
  private readonly read = new Map<string, number>();

  private constructor(
    /** What was named; undefined for results that are kept for this run only. */
    private readonly path: string | undefined,
    /** The file that this process appends to. */
    private readonly own: string,
    private readonly claims: Claims,
  ) {}

  /** Results that are kept for this run only. */
  static inMemory(): Results {
    return new Results(undefined, '', Claims.ofNobodyElse());
  }

  /**
   * Results in a file or a folder, which is made where it is missing.
   *
   * @param writer begins the name of this process's file in a folder, such as `shard-1-of-4`
   * @throws InputError where it cannot be read or written
   */
  static async open(path: string, writer = 'results'): Promise<Results> {
    const isFolder = /[\\/]$/.test(path) || (await isDirectory(path));
    const bare = path.replace(/[\\/]+$/, '');
    if (isFolder && (await stat(bare).catch(() => undefined))?.isFile() === true) {
      throw new InputError(`${nameOf(bare)} is one file, and a folder is needed, with a file for each writer; name a folder.`);
    }
    if (isFolder) {
      await mkdir(path, { recursive: true }).catch((error: unknown) => {
        throw new InputError(`${nameOf(path)} cannot be made (${messageOf(error)}); ${fix}.`);
      });
    }
    const own = isFolder ? join(path, `${writer}.${writerName()}${ending}`) : path;
    const results = new Results(path, own, Claims.in(isFolder ? join(path, 'claims') : `${path}.claims`));
    // Opened for appending first: a run of hours must not find out at its first result that it cannot write.
    await (await openResults(own)).close();
    await results.refresh();
    if (isFolder) {
      // It comes back with the first result.
      await rm(own);
    } else if ((await stat(own)).size > (results.read.get(own) ?? 0)) {
      // The line that a crash cut short must not take the next one with it.
      await results.append('\n');
    }
    return results;
  }

  /** Whether results outlive this run. */
  get kept(): boolean {
    return this.path !== undefined;
  }

  /** The result of a unit, if it is known. */
  get(unit: string): UnitResult | undefined {
    return this.known.get(unit);
  }

  /** Keeps the result of a unit, once. @param about what the unit is, for people who read the file */
  async add(unit: string, about: Readonly<Record<string, unknown>>, result: UnitResult): Promise<void> {
    if (!this.known.has(unit)) {
      this.known.set(unit, result);
      await this.append(`${JSON.stringify({ version: lineVersion, unit, ...about, result })}\n`);
    }
  }

  /**
   * Claims a piece of work among all that share these results, and reads what others have added: its last owner may have
   * done some of it.
   *
   * @returns undefined while another process has it
   */
  async claim(name: string): Promise<Claim | undefined> {
    const claim = await this.claims.claim(name);
    try {
      await (claim && this.refresh());
    } catch (error) {
      await claim?.release();
      throw error;
    }
    return claim;
  }

  /** Keeps the result of a unit of claimed work, unless another process took the work meanwhile. */
  async land(claim: Claim, ...unit: Parameters<Results['add']>): Promise<void> {
    if (await claim.holds()) {
      await this.add(...unit);
    }
  }

  /** Reads what was added since, by this process or others. */
  async refresh(): Promise<void> {
    for (const file of await this.files()) {
      const from = this.read.get(file) ?? 0;
      if ((await stat(file).catch(() => undefined))?.size === from) {
        continue;
      }
      let end = from;
      for await (const line of readLines(file, nameOf(file), { ...limits, from }, fix)) {
        const parsed = resultLine.safeParse(jsonOrNothing(line.text ?? ''));
        // The first one stands: a unit that two machines measured has one result.
        if (parsed.success && !this.known.has(parsed.data.unit)) {
          this.known.set(parsed.data.unit, parsed.data.result);
        }
        end = line.ended ? line.end : end;
      }
      this.read.set(file, end);
    }
  }

  private async files(): Promise<string[]> {
    const { path, own } = this;
    if (path === undefined || path === own) {
      return path === undefined ? [] : [path];
    }
    const names = await readdir(path).catch((error: unknown) => {
      throw new InputError(`${nameOf(path)} cannot be read (${messageOf(error)}); ${fix}.`);
    });
    return names
      .filter((name) => name.endsWith(ending))
      .sort()
      .map((name) => join(path, name));
  }

  private async append(text: string): Promise<void> {
    if (this.path === undefined) {
      return;
    }
    const file = await openResults(this.own);
    try {
      // Mostly one write; where the disk takes only a part of it, the next one says why.
      await file.appendFile(text);
      await file.sync();
    } catch (error) {
      const remedy = 'make room and give the same command again, which goes on from there';
      throw new InputError(`${nameOf(this.own)} cannot be written (${messageOf(error)}); ${remedy}.`);
    } finally {
      await file.close();
    }
  }
}

const ending = '.jsonl';
const fix = 'give a file or a folder that you may write';
const limits = { maximumBytes: inputLimits.results, maximumLineBytes: inputLimits.resultsLine };

function nameOf(path: string): string {
  return `--results ${path}`;
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function openResults(path: string): ReturnType<typeof openToAppend> {
  return openToAppend(path, nameOf(path), fix);
}
