import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { experimentTable, scenarioOf } from '../core/evaluate/experiment';
import type { Job, Row, Scoring } from '../core/evaluate/units';
import type { Requirement } from '../core/fleet/worker-state';
import { scenarioText } from '../core/scenario/parse';
import { defaultsOf, pick } from '../core/options/option';
import { optionTable, type SimulationOptions } from '../core/options/table';
import { lengthOf, unionOf } from '../core/shards/cut';
import type { ShardRequest } from '../engine/tasks/shards/measure-shard';
import { type Scenario, startsOf, withStarts } from '../core/scenario/scenario';
import { words } from './roster';
import { fieldsOf } from '../engine/read/option-schema';
import { partPositions, partStarts } from '../engine/read/report/plan-schema';
import { unitResult } from '../engine/tasks/evaluate/results';
import type { MeasureOptions } from '../engine/tasks/evaluate/measure';

/**
 * What goes through a broker: rows of token ids with what they are to be measured under, and results back. Nothing in it is a
 * path or code, and both sides check all of it, because others may write to a broker.
 */

/** The most tokens of a row, and units of it. */
const limits = { promptTokens: 1 << 26, tokens: 1 << 24, units: 10_000, rows: 1000, edges: 1000 } as const;

/** What a shard's numbers depend on, of the options of a simulation. */
const sentNames = ['provider', 'threads', 'executor', 'precision', 'activations', 'verify', 'quality', 'score'] as const;
const sentOptions = pick(optionTable, ...sentNames);

const count = z.int().nonnegative();
const id = z.string().regex(/^[0-9a-f]{32}$/);
const tokenIds = z
  .array(z.int().nonnegative().max(0x7fffffff))
  .max(limits.tokens)
  .transform((ids) => Int32Array.from(ids));

/** As an experiment file has it: one of all layers, or a list with one for each. */
const scenario = z.union([z.string(), z.array(z.string()).min(1)]).transform((text, context): Scenario => {
  try {
    const parsed = scenarioOf(text);
    if (parsed.kind !== 'native') {
      return parsed;
    }
  } catch {
    // Said below.
  }
  context.addIssue({ code: 'custom', message: 'is no scenario' });
  return z.NEVER;
});

const job: z.ZodType<Job> = z
  .strictObject({ scenario, starts: partStarts.optional(), restarts: partPositions.optional(), blockSize: z.int().positive() })
  .transform(({ scenario: masked, starts, restarts, blockSize }) => ({
    scenario: starts === undefined ? masked : withStarts(masked, starts),
    blockSize,
    ...(restarts && { restarts }),
  }));

const scoring: z.ZodType<Scoring> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('window'),
    from: count,
    to: count,
    targets: tokenIds.nullable().transform((targets) => targets ?? undefined),
    edges: z.array(count).max(limits.edges),
  }),
  z.strictObject({ kind: z.literal('retrieval'), row: count, answer: z.array(count).min(1) }),
]);

const row: z.ZodType<Row> = z
  .strictObject({ id, tokens: tokenIds, scoring, units: z.array(z.strictObject({ id, job })).min(1).max(limits.units) })
  .refine(
    ({ tokens, scoring: scored }) =>
      scored.kind === 'retrieval'
        ? scored.row + scored.answer.length <= tokens.length
        : scored.from < scored.to &&
          scored.to <= tokens.length &&
          (scored.targets === undefined || scored.targets.length === scored.to - scored.from),
    'is scored where it has no tokens',
  )
  .transform((each) => ({ ...each, about: {} }));

const { provider, threads, executor, precision, construction, oracleLayers, oracleHeads } = fieldsOf(experimentTable);
const options = z
  .strictObject({
    provider,
    threads,
    executor,
    precision,
    construction,
    oracleLayers,
    oracleHeads,
    baseline: job,
    baselineBy: z.literal('dense').optional(),
    activations: z.literal('int8').optional(),
  })
  .transform((each) => each as MeasureOptions);

/** Rows of an experiment, measured by one worker one after another. */
export interface RowWork {
  /** The run, as its coordinator tells it from others. */
  readonly run: string;
  readonly options: MeasureOptions;
  readonly rows: readonly Row[];
}

const rowWork: z.ZodType<RowWork & { readonly kind: 'rows' }> = z.strictObject({
  kind: z.literal('rows'),
  run: id,
  options,
  rows: z.array(row).min(1).max(limits.rows),
});

/** A shard of a prompt. */
export interface ShardWork extends Omit<ShardRequest, 'model'> {
  readonly run: string;
  /** What its result is known by. */
  readonly id: string;
}

const range = z.strictObject({ from: count, to: count }).refine(({ from, to }) => from < to, 'is an empty range');

const shardWork: z.ZodType<ShardWork & { readonly kind: 'shard' }> = z
  .strictObject({
    kind: z.literal('shard'),
    run: id,
    id,
    options: z.strictObject(fieldsOf(sentOptions)),
    plan: z.strictObject({
      tokens: z.int().positive().max(limits.promptTokens),
      scenario,
      oracle: z.strictObject({ inputLength: count, layers: count, heads: count, causal: z.boolean() }),
      construction: fieldsOf(optionTable).construction,
      scoreBytes: z.int().positive().nullable(),
    }),
    shard: z.strictObject({ rows: range, reads: z.array(range).min(1) }),
    ranges: z.array(range).min(1),
    ids: tokenIds,
  })
  .refine(
    ({ plan: { tokens }, shard, ranges, ids }) =>
      [shard.rows, ...shard.reads, ...ranges].every(({ to }) => to <= tokens) &&
      lengthOf(ranges) === ids.length &&
      // Ascending, apart from each other, and all that is read.
      isDeepStrictEqual(unionOf(ranges), ranges) &&
      isDeepStrictEqual(unionOf([...ranges, ...shard.reads, shard.rows]), ranges),
    'has tokens that are not there',
  )
  .transform(({ plan: { scoreBytes, ...plan }, options: given, ...work }) => ({
    ...work,
    plan: { ...plan, ...(scoreBytes === null ? {} : { scoreBytes }) },
    // The worker has the model, and limits of its own.
    options: { ...defaultsOf(optionTable), ...given } as SimulationOptions,
  }));

/** A job. */
export type Work = z.output<typeof rowWork> | z.output<typeof shardWork>;

/** Reads a job. */
export const work: z.ZodType<Work> = z.union([rowWork, shardWork]);

/** Rows as the broker keeps them, for `work`. */
export function rowWorkData({ run, options: { baseline, ...own }, rows }: RowWork): object {
  return {
    kind: 'rows',
    run,
    options: { ...own, baseline: jobData(baseline) },
    rows: rows.map(({ id: row, tokens, scoring: scored, units }) => ({
      id: row,
      tokens: [...tokens],
      scoring: scored.kind === 'retrieval' ? scored : { ...scored, targets: scored.targets === undefined ? null : [...scored.targets] },
      units: units.map((unit) => ({ id: unit.id, job: jobData(unit.job) })),
    })),
  };
}

/** A shard as the broker keeps it, for `work`. */
export function shardWorkData({ run, id: unit, options: given, plan, shard, ranges, ids }: ShardWork): object {
  const { tokens, scenario: masked, oracle, construction: how, scoreBytes } = plan;
  return {
    kind: 'shard',
    run,
    id: unit,
    options: Object.fromEntries(sentNames.map((name) => [name, given[name]])),
    plan: { tokens, scenario: scenarioData(masked), oracle, construction: how, scoreBytes: scoreBytes ?? null },
    shard,
    ranges,
    ids: [...ids],
  };
}

function jobData({ scenario: masked, blockSize, restarts }: Job): object {
  const starts = startsOf(masked);
  return { scenario: scenarioData(masked), ...(Object.keys(starts).length > 0 && { starts }), ...(restarts && { restarts }), blockSize };
}

function scenarioData(masked: Scenario): string | string[] {
  return masked.kind === 'per-layer' ? masked.cycle.map(scenarioText) : scenarioText(masked);
}

/** What a worker measured. */
const measured = z.strictObject({
  /** The machine that measured it. */
  host: words,
  /** Time that it took there, in milliseconds. */
  wallMs: z.number().nonnegative(),
  units: z.array(z.strictObject({ unit: id, result: unitResult })),
});

export type Measured = z.output<typeof measured>;

/** What a worker gives for a job: results, or why no worker can measure it. */
export const workResult = z.union([measured, z.strictObject({ refused: z.string() })]);

export type WorkResult = z.output<typeof workResult>;

/** Why a job failed that a coordinator took back. */
export const cancelledReason = 'cancelled';

/** How far a job is, as its worker says it. */
export const workProgress = z.object({ share: z.number().min(0).max(1), label: words });

/**
 * The queue of all work that any worker of a kind can do: version, ONNX Runtime, model's content and device are in its name, so
 * that a worker that does not fit never sees it.
 */
export function queueName({ twoHeads, onnxruntime, digest, provider }: Omit<Requirement, 'model'>): string {
  return `${twoHeads}-${hashOf([onnxruntime, digest, provider])}`;
}

/** Equal for equal parts: 32 hex digits of their SHA-256. */
export function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
