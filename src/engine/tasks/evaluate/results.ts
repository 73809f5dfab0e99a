import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError, messageOf } from '../../../core/errors';
import type { Moments } from '../../../core/evaluate/estimate';
import { summaryComplaint } from '../../../core/evaluate/evidence';
import { type Measure, measures, type WindowSummary } from '../../../core/evaluate/statistics';
import type { Scoring } from '../../../core/evaluate/units';
import { formatNumberOf } from '../../../core/format';
import { said } from '../../../core/l10n';
import { wordsOf } from '../../../core/options/option';
import { optionTable } from '../../../core/options/table';
import { toJson } from '../../../core/report/json';
import type { Fidelity } from '../../../core/report/report';
import type { ShardResult } from '../../../core/shards/report';
import { described } from '../../../core/text/printable';
import { jsonOrNothing } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { readLines } from '../../read/input/lines';
import { openToAppend } from '../../read/input/regular-file';
import { measured } from '../../read/report/plan-schema';
import { fidelitySchema } from '../../read/report/verdict-schema';
import { appendLine, makeFolder, removeFile } from '../../store/files';
import { type Claim, Claims, writerName } from './claims';

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

const moments: z.ZodType<Moments> = z.object({
  count,
  sum: z.number(),
  squares: z.number().nonnegative(),
  infinite: count,
  invalid: count,
});

const byMeasure = Object.fromEntries(measures.map((measure) => [measure, moments])) as Record<Measure, typeof moments>;

const windowFields = z.object({
  bins: z.array(
    z.object({ from: count, to: count, ...byMeasure }).refine(({ from, to }) => from <= to, said`a range that ends before it begins`),
  ),
  divergences: z
    .object({
      zeros: count,
      buckets: z.array(z.tuple([z.int(), count])),
      infinite: count,
      invalid: count,
      maximum: z.number().optional(),
    })
    // JSON leaves out what is undefined.
    .transform((histogram) => ({ ...histogram, maximum: histogram.maximum })),
  // Missing in results of earlier versions.
  touched: z.object(byMeasure).optional(),
});

const windowSummary: z.ZodType<WindowSummary> = windowFields.superRefine((summary, context) => {
  const complaint = summaryComplaint(summary);
  if (complaint !== undefined) {
    context.addIssue({ code: 'custom', message: `has ${complaint}` });
  }
});

/** A window under a scenario, as a results file keeps it. */
export interface WindowResult {
  readonly summary: WindowSummary;
  readonly wallMs: number;
  readonly calls: number;
  /** Of the run, as of any; absent in results of versions that did not verify evaluations. */
  readonly fidelity?: Fidelity | undefined;
  /** Of the run that it is compared with; absent where that is the same run, or a dense operator's. */
  readonly baselineFidelity?: Fidelity | undefined;
}

const windowResult: z.ZodType<WindowResult> = z.object({
  summary: windowSummary,
  wallMs: z.number().nonnegative(),
  calls: count,
  fidelity: fidelitySchema.optional(),
  baselineFidelity: fidelitySchema.optional(),
});

/** The answer of a retrieval case under one scenario, as a results file keeps it. */
export interface RetrievalResult {
  /** Natural logarithm; NaN where the model computes none. */
  readonly logProbability: number;
  /** From 1; NaN where the probability is. */
  readonly rank: number;
  /** As in `WindowResult`. */
  readonly fidelity?: Fidelity | undefined;
}

const retrievalResult: z.ZodType<RetrievalResult> = z.object({
  // A logarithm that rounding may have taken above 0.
  logProbability: measured.refine((value) => !(value > 1e-3), said`a probability above 1`),
  rank: measured.refine((value) => Number.isNaN(value) || (Number.isInteger(value) && value >= 1), said`no rank`),
  fidelity: fidelitySchema.optional(),
});

/** A sum: NaN where the model computes none. */
const total = measured;

const lossSums = z.object({ positions: count, loss: total });
const comparedSums = lossSums.extend({ baselineLoss: total, divergence: total, agreeing: count });
const splitSums = <Sums extends z.ZodType>(sums: Sums) => z.object({ within: sums, past: sums, touched: z.union([sums, z.string()]) });

/** A shard of a prompt under a scenario, as a results file keeps it. */
const shardResult: z.ZodType<ShardResult> = z.object({
  provider: z.string(),
  device: z.string(),
  threads: count,
  executor: z.enum(wordsOf(optionTable.executor)).exclude(['auto']),
  precision: z.enum(wordsOf(optionTable.precision)),
  activations: z.enum(wordsOf(optionTable.activations)).optional(),
  wallMs: amount,
  calls: z.object({ total: count, attention: count, tokenwise: count, perLayer: amount, retries: count, dispatches: count }),
  peakRssBytes: count,
  fidelity: fidelitySchema.nullable(),
  lostRows: count.optional(),
  quality: z
    .union([
      z.object({ kind: z.literal('compared'), sums: splitSums(comparedSums) }),
      z.object({ kind: z.literal('own'), sums: splitSums(lossSums) }),
    ])
    .nullable(),
});

/** What a unit of work gives. */
export type UnitResult = WindowResult | RetrievalResult | ShardResult;

/** Reads what a unit gave from JSON. */
export const unitResult: z.ZodType<UnitResult> = z.union([windowResult, retrievalResult, shardResult]);

/** Whether a result is what a row of this scoring gives: what comes from elsewhere may be another's. */
export function isResultOf(scoring: Scoring, result: UnitResult): boolean {
  if (scoring.kind === 'retrieval') {
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

export const resultLine = z.object({
  version: z.literal(lineVersion),
  unit: z.string(),
  result: unitResult,
});

/** A digest of a line without its own, as JSON keeps it: what was changed by hand, or by a fault, has another. */
export function lineDigest(line: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(toJson(line)).digest('hex').slice(0, 32);
}

const withDigest = z.looseObject({ digest: z.string().optional() });

/** Whether a line was changed since it was written: its digest is another, or none. Lines of earlier versions have no digest. */
export function isChanged(line: unknown): boolean {
  if (typeof line !== 'object' || line === null || !('digest' in line)) {
    return false;
  }
  const { digest, ...rest } = withDigest.safeParse(line).data ?? {};
  return digest === undefined || digest !== lineDigest(rest);
}

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
 * interrupts and no other. What cannot be read, or was changed since it was written, is passed over: it is measured again.
 */
export class Results {
  private readonly known = new Map<string, UnitResult>();
  /** Bytes of each file that were read, up to the end of a line. */
  private readonly read = new Map<string, number>();
  /** Lines that were read and not believed: they were changed since they were written. */
  private changed = 0;
  /** Ends with the last line of this process. */
  private appended: Promise<void> = Promise.resolve();

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
      await makeFolder(path, nameOf(path), fix);
    }
    const own = isFolder ? join(path, `${writer}.${writerName()}${ending}`) : path;
    const results = new Results(path, own, Claims.in(isFolder ? join(path, 'claims') : `${path}.claims`));
    // Opened for appending first: a run of hours must not find out at its first result that it cannot write. In a folder by a
    // name that nobody reads: others would list the file, and then not find it.
    const tried = isFolder ? `${own}.tried` : own;
    await (await openToAppend(tried, nameOf(own), fix)).file.close();
    await (isFolder ? removeFile(tried) : refuseForeign(own));
    await results.refresh();
    return results;
  }

  /** Whether results outlive this run. */
  get kept(): boolean {
    return this.path !== undefined;
  }

  /** Lines that were passed over because they were changed since they were written. */
  get changedLines(): number {
    return this.changed;
  }

  /** What was passed over because it was changed since it was written, a sentence; undefined where nothing was. */
  get note(): string | undefined {
    const { changed: lines } = this;
    return lines === 0
      ? undefined
      : `${formatNumberOf(lines, 'line')} of ${nameOf(this.path ?? '')} ${lines === 1 ? 'was' : 'were'} changed since ${lines === 1 ? 'it was' : 'they were'} written, and ${lines === 1 ? 'is' : 'are'} measured again where this experiment needs ${lines === 1 ? 'it' : 'them'}.`;
  }

  /** The result of a unit, if it is known. */
  get(unit: string): UnitResult | undefined {
    return this.known.get(unit);
  }

  /** Keeps the result of a unit, once. @param about what the unit is, for people who read the file */
  async add(unit: string, about: Readonly<Record<string, unknown>>, result: UnitResult): Promise<void> {
    if (!this.known.has(unit)) {
      this.known.set(unit, result);
      const line = { version: lineVersion, unit, ...about, result };
      await this.append(toJson({ ...line, digest: lineDigest(line) }));
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

  /** Reads what was added since, at the end of a run, and removes claims of processes that have ended. */
  async finish(): Promise<void> {
    await this.claims.removeLeft();
    await this.refresh();
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
        const json = jsonOrNothing(line.text ?? '');
        const parsed = resultLine.safeParse(json);
        // The first one stands: a unit that two machines measured has one result.
        if (parsed.success && isChanged(json)) {
          this.changed += 1;
        } else if (parsed.success && !this.known.has(parsed.data.unit)) {
          this.known.set(parsed.data.unit, parsed.data.result);
        }
        end = line.ended ? line.end : end;
      }
      this.read.set(file, end);
    }
  }

  /** All lines that others and earlier runs have written, those that cannot be read as well. */
  async *lines(): AsyncGenerator<{ readonly name: string; readonly number: number; readonly text: string; readonly ended: boolean }> {
    for (const file of await this.files()) {
      let number = 0;
      for await (const { text, ended } of readLines(file, nameOf(file), limits, fix)) {
        number += 1;
        yield { name: nameOf(file), number, text: text ?? '', ended };
      }
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

  /** Appends a line after those before it: one that is half written looks like one that a crash cut short. */
  private append(line: string): Promise<void> {
    if (this.path === undefined) {
      return Promise.resolve();
    }
    const remedy = said`make room and give the same command again, which goes on from there`;
    const own = this.appended.then(() => appendLine(this.own, line, nameOf(this.own), fix, remedy));
    this.appended = own.catch(() => undefined);
    return own;
  }
}

/** The beginning of every line, so that one that was cut short can be told. */
const lineStart = `{"version":${lineVersion},"unit":"`;

/** What a line of any version has. */
const anyLine = z.object({ version: z.int(), unit: z.string() });

/** Refuses a file that does not begin as results do: nothing is appended to what is another's. @throws InputError */
async function refuseForeign(path: string): Promise<void> {
  const name = nameOf(path);
  for await (const { text = '', ended } of readLines(path, name, limits, fix)) {
    // Of a block that a crash of the machine left without its content, nothing is known.
    if (text.replaceAll('\0', '').trim() === '') {
      continue;
    }
    // A bracket alone begins any other JSON, written over several lines.
    const isCut = text.startsWith(lineStart) || (lineStart.startsWith(text) && (!ended || text !== '{'));
    if (!isCut && !anyLine.safeParse(jsonOrNothing(text)).success) {
      throw new InputError(`${name} is not a results file: it begins with ${described(text)}; give a file of results, or a new one.`);
    }
    return;
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
