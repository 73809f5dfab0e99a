import { createHash } from 'node:crypto';
import { z } from 'zod';
import { constructions } from '../../core/construct/construction';
import { executors, precisions, providers, verifications, type SimulationOptions } from '../../core/options/options';
import { reportSchemaVersion, type RunReport } from '../../core/report/report';
import { runReportSchema } from '../read/report/reports';
import { scenarioChoiceSchema } from '../report/scenario-schema';

/** Where a run's text came from and what was asked of it: what runs it again. */
export interface RunOrigin {
  /** The document's address. */
  readonly uri: string;
  /** 0-based lines and characters of the selection that was run; null for the whole document. */
  readonly selection: {
    readonly startLine: number;
    readonly startCharacter: number;
    readonly endLine: number;
    readonly endCharacter: number;
  } | null;
  readonly options: SimulationOptions;
}

/** A finished run as it is kept. */
export interface KeptRun {
  /** Sorts by the time of the run. */
  readonly id: string;
  /** Null for a run of a version that did not note it, or of a text that no document holds. */
  readonly origin: RunOrigin | null;
  readonly report: RunReport;
}

/** What ids look like: files of another name are not the history's. */
export const idPattern = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/** The id of a run: when it was and a digest of its report, so that keeping it twice keeps it once. */
export function idOf(report: RunReport): string {
  const time = new Date(report.environment.date).toISOString().replaceAll(/[-:.]/g, '');
  return `${time}-${createHash('sha256').update(JSON.stringify(report)).digest('hex').slice(0, 8)}`;
}

const whole = z.int().nonnegative();

const options: z.ZodType<SimulationOptions> = z.object({
  scenario: scenarioChoiceSchema,
  executor: z.enum(executors),
  precision: z.enum(precisions),
  blockSize: whole,
  construction: z.enum(constructions),
  oracleLayers: whole.optional(),
  oracleHeads: whole.optional(),
  model: z.string(),
  provider: z.enum(providers),
  threads: whole,
  verify: z.enum(verifications),
  seeds: whole,
  epsilon: z.number(),
  failureProbability: z.number(),
  quality: z.boolean(),
  maxTokens: whole,
  memoryLimit: z.number().nonnegative(),
});

const origin: z.ZodType<RunOrigin> = z.object({
  uri: z.string(),
  selection: z.object({ startLine: whole, startCharacter: whole, endLine: whole, endCharacter: whole }).nullable(),
  options,
});

/** The file of a run. Its version is the report's. */
export const keptRunFile: z.ZodType<Omit<KeptRun, 'id'>> = z.object({
  schemaVersion: z.literal(reportSchemaVersion),
  origin: origin.nullable(),
  report: runReportSchema,
});

/** The content of a run's file. */
export function fileOf({ origin: from, report }: Omit<KeptRun, 'id'>): string {
  return `${JSON.stringify({ schemaVersion: reportSchemaVersion, origin: from, report })}\n`;
}
