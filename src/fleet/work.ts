import { createHash } from 'node:crypto';
import { z } from 'zod';
import { experimentTable, scenarioOf } from '../core/evaluate/experiment';
import type { Job, Row, Scoring } from '../core/evaluate/units';
import type { Requirement } from '../core/fleet/worker-state';
import { scenarioText } from '../core/scenario/parse';
import type { Scenario } from '../core/scenario/scenario';
import { fieldsOf } from '../engine/read/option-schema';
import { unitResult } from '../engine/tasks/evaluate/results';
import type { MeasureOptions } from '../engine/tasks/evaluate/measure';

/**
 * What goes through a broker: rows of token ids with what they are to be measured under, and results back. Nothing in it is a
 * path or code, and both sides check all of it, because others may write to a broker.
 */

/** The most tokens of a row, and units of it. */
const limits = { tokens: 1 << 24, units: 10_000, rows: 1000, name: 200 } as const;

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

const job: z.ZodType<Job> = z.strictObject({ scenario, blockSize: z.int().positive() });

const scoring: z.ZodType<Scoring> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('window'),
    from: count,
    to: count,
    targets: tokenIds.nullable().transform((targets) => targets ?? undefined),
    edges: z.array(z.number()),
  }),
  z.strictObject({ kind: z.literal('needle'), row: count, answer: z.array(count).min(1) }),
]);

const row: z.ZodType<Row> = z
  .strictObject({ id, tokens: tokenIds, scoring, units: z.array(z.strictObject({ id, job })).min(1).max(limits.units) })
  .transform((each) => ({ ...each, about: {} }));

const { provider, threads, executor, precision, construction, oracleLayers, oracleHeads } = fieldsOf(experimentTable);
const options = z.strictObject({ provider, threads, executor, precision, construction, oracleLayers, oracleHeads, baseline: job });

/** A job: rows of one run, measured by one worker one after another. */
export interface RowWork {
  /** The run, as its coordinator tells it from others. */
  readonly run: string;
  readonly options: MeasureOptions;
  readonly rows: readonly Row[];
}

/** Reads a job. */
export const rowWork: z.ZodType<RowWork> = z.strictObject({
  run: id,
  options: options.transform((each) => each as MeasureOptions),
  rows: z.array(row).min(1).max(limits.rows),
});

/** A job as the broker keeps it, for `rowWork`. */
export function rowWorkData({ run, options: { baseline, ...own }, rows }: RowWork): object {
  return {
    run,
    options: { ...own, baseline: jobData(baseline) },
    rows: rows.map(({ id: row, tokens, scoring: scored, units }) => ({
      id: row,
      tokens: [...tokens],
      scoring: scored.kind === 'needle' ? scored : { ...scored, targets: scored.targets === undefined ? null : [...scored.targets] },
      units: units.map((unit) => ({ id: unit.id, job: jobData(unit.job) })),
    })),
  };
}

function jobData({ scenario: { ...own }, blockSize }: Job): object {
  return { scenario: own.kind === 'per-layer' ? own.cycle.map(scenarioText) : scenarioText(own), blockSize };
}

/** What a worker gives for a job. */
export const workResult = z.strictObject({
  /** The machine that measured it. */
  host: z.string().max(limits.name),
  /** Time that it took there, in milliseconds. */
  wallMs: z.number().nonnegative(),
  units: z.array(z.strictObject({ unit: id, result: unitResult })),
});

export type WorkResult = z.output<typeof workResult>;

/** How far a job is, as its worker says it. */
export const workProgress = z.object({ share: z.number().min(0).max(1), label: z.string().max(1000) });

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
