import { z } from 'zod';
import { executors, precisions } from '../../../core/options/options';
import { reportSchemaVersion, type ComparisonReport, type RunReport } from '../../../core/report/report';
import type { SamplingReport } from '../../../core/report/sampling';
import { amount, callCounts, completePlan, length, measured, planFields } from './plan-schema';
import { scenarioSchema } from '../../report/scenario-schema';

const text = z.string();

/** What was not measured in an earlier version took no time and made no calls. */
const addedLater = amount.default(0);

const phases = z.looseObject({
  tokenize: amount,
  project: amount,
  gather: addedLater,
  attend: amount,
  merge: amount,
  layer: addedLater,
  mlp: amount,
  verify: amount,
  quality: amount,
});

/** One layer's share of the phases. */
const layerTimes = phases.pick({ project: true, gather: true, attend: true, merge: true, layer: true, mlp: true });

const run = z.looseObject({
  provider: text,
  device: text,
  threads: amount,
  executor: z.enum(executors).exclude(['auto']).default('tiles'),
  precision: z.enum(precisions).default('float32'),
  wallMs: amount,
  phases,
  layers: z.array(layerTimes).optional(),
  calls: z.looseObject({ ...callCounts, retries: addedLater, dispatches: amount }),
  peakRssBytes: amount,
});

const fidelity = z.looseObject({
  reference: text,
  rows: amount,
  maxAbsError: measured,
  maxRelError: measured,
  logNormaliserError: measured,
});

/** A natural logarithm that may be past any number, which JSON writes as null. */
const logarithm = z
  .number()
  .nullable()
  .transform((value) => value ?? Infinity);

const sampling: z.ZodType<SamplingReport> = z.looseObject({
  data: text,
  tokens: length,
  sample: amount,
  epsilon: z.number(),
  failureProbability: z.number(),
  rows: amount,
  heads: z.array(
    z.looseObject({ layer: amount, head: amount, logC: logarithm, d: measured, logNeededLength: logarithm, holds: z.boolean() }),
  ),
  holds: z.boolean(),
  logNeededLength: logarithm,
  seeds: amount,
  errors: z.looseObject({ minimum: measured, median: measured, ninetiethPercentile: measured, maximum: measured }),
  within: amount,
});

const quality = z.looseObject({
  baseline: scenarioSchema.default({ kind: 'causal' }),
  perplexity: measured,
  baselinePerplexity: measured,
  meanKl: measured,
  topAgreement: measured.default(NaN),
  positions: amount,
});

const environment = z.looseObject({
  twoHeads: text,
  node: text,
  onnxruntime: text,
  platform: text,
  cpu: text,
  cores: amount,
  memoryBytes: amount,
  date: z.string().refine((date) => !Number.isNaN(Date.parse(date)), 'is no date'),
});

/**
 * The report of a run, as `simulate --json` prints it and the history keeps it.
 *
 * Keys that an earlier version did not have are filled in; those of a later one are kept as they are.
 */
export const runReportSchema: z.ZodType<RunReport> = z
  .looseObject({
    ...planFields,
    run,
    fidelity: fidelity.nullable(),
    sampling: sampling.nullable().default(null),
    quality: quality.nullable(),
    qualityNote: text.nullable(),
    environment,
  })
  .transform((report) => ({ ...report, plan: completePlan(report) }));

/** What `compare --json` prints, as far as its runs go. */
export const comparisonSchema: z.ZodType<Pick<ComparisonReport, 'runs'>> = z.looseObject({
  schemaVersion: z.literal(reportSchemaVersion),
  runs: z.array(runReportSchema),
});
