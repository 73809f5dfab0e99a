import * as z from 'zod';
import { adviseTable } from '../../../core/advise/options';
import type { AdviceReport } from '../../../core/advise/report';
import type { AtlasReport } from '../../../core/atlas/report';
import type { Estimate } from '../../../core/evaluate/estimate';
import { type ExperimentBudgets, experimentTable, experimentVersion } from '../../../core/evaluate/experiment';
import type { QualitySummary, SideQuality } from '../../../core/evaluate/quality-summary';
import type { ExperimentSummary } from '../../../core/evaluate/report';
import { type RetrievalReport, retrievalTable } from '../../../core/evaluate/retrieval';
import { constructions } from '../../../core/construct/construction';
import { type Continuation, type GenerationReport, generationTable } from '../../../core/generate/report';
import { type LedgerReport, ledgerTable } from '../../../core/ledger/report';
import { wordsOf } from '../../../core/options/option';
import { type ComparisonReport, reportSchemaVersion } from '../../../core/report/report';
import { fieldsOf } from '../option-schema';
import { amount, anyNumber, callCounts, planFields, scenarioSchema } from './plan-schema';
import { environmentSchema, runMemorySchema, runReportSchema, samplingSchema } from './reports';
import { fidelitySchema, verdictSchema } from './verdict-schema';

const text = z.string();
const count = z.int().nonnegative();
const schemaVersion = z.literal(reportSchemaVersion);

/** A comparison, as `compare --json` prints it. */
export const comparisonReportSchema: z.ZodType<ComparisonReport> = z.looseObject({
  schemaVersion,
  prompt: planFields.prompt,
  model: planFields.model,
  runs: z.array(runReportSchema).min(1),
  verdict: verdictSchema,
  refused: z.array(z.looseObject({ scenario: scenarioSchema, reason: text })),
});

/** An atlas, as `atlas --json` prints it: a run with more in it. */
export const atlasReportSchema: z.ZodType<AtlasReport> = z
  .looseObject({ atlas: z.looseObject({}), byToken: z.unknown().default(null), masked: runReportSchema.nullable() })
  .transform((document): unknown => document)
  .pipe(runReportSchema)
  // What the run's schema checks where it is there is there, and what it does not know is kept.
  .transform((report) => report as AtlasReport);

const oracle = planFields.oracle;
const formula = z.looseObject({ formula: text, calls: amount });

/** A ledger, as `ledger --json` prints it. */
export const ledgerReportSchema: z.ZodType<LedgerReport> = z.looseObject({
  schemaVersion,
  options: z.looseObject(fieldsOf(ledgerTable)),
  rows: z.array(
    z.looseObject({
      ...{ statement: text, construction: z.enum(constructions), scenario: scenarioSchema, oracle },
      ...{ tokens: count, layers: count, heads: count },
      ...{
        countedCalls: amount,
        callsPerBlock: amount,
        retries: amount,
        exact: formula,
        bound: formula,
        lowerBound: amount,
        rounds: amount,
      },
      ...{ outputError: anyNumber, logNormaliserError: anyNumber.nullable(), readsNormaliser: z.boolean() },
      stated: z.looseObject({ error: anyNumber, reason: text }),
      verdict: z.enum(['exact', 'within', 'failed', 'vacuous']),
      wallMs: amount,
    }),
  ),
  sampling: samplingSchema,
  samplingVerdict: verdictSchema,
  environment: environmentSchema,
});

const callsMade = z.looseObject({ attention: amount, tokenwise: amount, dispatches: amount });

const continuation: z.ZodType<Continuation> = z.looseObject({
  scenario: scenarioSchema,
  text,
  tokens: z.array(z.looseObject({ id: count, text, from: count, logProbability: anyNumber })),
  ended: z.enum(['end-of-sequence', 'length', 'no-numbers']),
  cachedKeys: amount,
  cacheBytes: amount,
  reruns: z.looseObject({ times: amount, tokens: amount }),
  prefillMs: amount,
  decodeMs: amount,
  prefillCalls: callsMade,
  decodeCalls: callsMade,
  fidelity: fidelitySchema.nullable(),
  lostRows: amount.optional(),
});

/** A continuation, as `generate --json` prints it. */
export const generationReportSchema: z.ZodType<GenerationReport> = z
  .looseObject({
    schemaVersion,
    prompt: planFields.prompt,
    model: planFields.model,
    oracle,
    generation: z.looseObject(fieldsOf(generationTable)),
    continuation,
    baseline: continuation.nullable(),
    sameTokens: count.nullable(),
    verdict: verdictSchema,
    run: z.looseObject({ provider: text, device: text, threads: amount, peakRssBytes: amount, memory: runMemorySchema.exactOptional() }),
    environment: environmentSchema,
  })
  .refine(({ baseline, sameTokens }) => (baseline === null) === (sameTokens === null), {
    path: ['sameTokens'],
    error: 'does not fit the baseline',
  });

const limit = z.union([z.number(), z.looseObject({ limit: z.number(), tolerance: text.optional() }), text]);

/** The experiment of a report, whose scenarios were parsed before it ran. */
const experiment = z.looseObject({
  version: z.literal(experimentVersion),
  prompts: z.array(text),
  variables: z.record(text, text),
  scenarios: z.array(z.union([text, z.array(text)])),
  ...fieldsOf(experimentTable),
  retrieval: z.looseObject(fieldsOf(retrievalTable)).nullable(),
  results: text.nullable(),
  budgets: z
    .record(text, limit)
    .nullable()
    .transform((budgets) => budgets as ExperimentBudgets | null),
});

const plannedCost = z.looseObject({
  ...{ tokens: amount, calls: z.looseObject(callCounts), flops: amount, attentionFlops: amount, bytes: amount, peakBytes: amount },
  predictedMs: anyNumber.nullable(),
});

const estimate: z.ZodType<Estimate> = z.looseObject({ value: anyNumber, error: anyNumber, low: anyNumber, high: anyNumber });
const errors = z.enum(['clustered by text', 'clustered by window', 'positions taken as independent']);

const targets = z.looseObject({
  perplexity: estimate,
  baselinePerplexity: estimate,
  logPerplexityRatio: estimate,
  perplexityRatio: estimate,
  probabilityChange: estimate,
  probabilityChangeRms: estimate,
});

const side: z.ZodType<SideQuality> = z.looseObject({
  positions: amount,
  targets: targets.exactOptional(),
  divergence: estimate,
  agreement: estimate,
});

const quality: z.ZodType<QualitySummary> = z.looseObject({
  ...{ texts: amount, windows: amount, positions: amount, errors, targets: targets.exactOptional() },
  divergence: z.looseObject({
    mean: estimate,
    ...{ median: anyNumber, p90: anyNumber, p95: anyNumber, p99: anyNumber, p999: anyNumber, maximum: anyNumber },
  }),
  agreement: estimate,
  byTraining: z.looseObject({ trainedTokens: amount, within: side, past: side }).exactOptional(),
  touched: side.nullable(),
  touchedNote: text.nullable(),
  macro: z
    .looseObject({
      texts: amount,
      perplexity: estimate.exactOptional(),
      baselinePerplexity: estimate.exactOptional(),
      divergence: estimate,
      agreement: estimate,
    })
    .exactOptional(),
  curve: z.array(
    z.looseObject({
      ...{ from: count, to: count, count: amount, errors },
      loss: estimate.exactOptional(),
      baselineLoss: estimate.exactOptional(),
      divergence: estimate,
      agreement: estimate,
    }),
  ),
  ...{ infinite: amount, invalid: amount },
  ...{ bitsPerByte: estimate.nullable(), baselineBitsPerByte: estimate.nullable() },
  ...{ wordPerplexity: estimate.nullable(), baselineWordPerplexity: estimate.nullable() },
  sizeNote: text.nullable(),
});

const outcome = z.enum(['found', 'lost']);

const retrieval: z.ZodType<RetrievalReport> = z.looseObject({
  cases: z.array(
    z.looseObject({
      ...{ task: z.enum(wordsOf({ value: retrievalTable.tasks.value.of })), hops: count.nullable(), length: count, depth: z.number() },
      ...{ measured: outcome, expected: outcome.nullable() },
      ...{ logProbability: anyNumber, rank: anyNumber, baselineLogProbability: anyNumber, baselineRank: anyNumber },
    }),
  ),
  ...{ found: count, expected: count.nullable(), differing: count },
});

/** An evaluation without what is of single prompts, as the engine hands it over. */
export const experimentSummarySchema: z.ZodType<ExperimentSummary> = z.looseObject({
  schemaVersion,
  experiment,
  model: planFields.model,
  baseline: scenarioSchema,
  verdict: verdictSchema,
  prompts: z.array(planFields.prompt.extend({ windows: count })),
  points: z
    .array(
      z.looseObject({
        scenario: scenarioSchema,
        blockSize: count,
        cost: plannedCost,
        quality: quality.nullable(),
        qualityNote: text.nullable(),
        measuredBlockSize: count,
        measured: z.looseObject({ windows: count, wallMs: amount, calls: amount }).nullable(),
        retrieval: retrieval.nullable(),
        verdict: verdictSchema,
        ...{ ownBaseline: z.boolean(), onFront: z.boolean(), tie: z.boolean() },
      }),
    )
    .min(1),
  resumed: count,
  changedLines: count.exactOptional(),
  environment: environmentSchema,
});

const advisedMask = z.looseObject({
  ...{ scenario: scenarioSchema, calls: amount, share: amount, predictedMs: anyNumber.nullable(), measuredMs: amount, causalMs: amount },
  ...{ predictedKl: anyNumber.nullable(), kl: estimate, verdict: verdictSchema },
});

/** An advice, as `advise --json` prints it. */
export const adviceReportSchema: z.ZodType<AdviceReport> = z.looseObject({
  schemaVersion,
  model: planFields.model,
  baseline: scenarioSchema,
  prompt: planFields.prompt.extend({ windows: count }),
  options: z.looseObject(fieldsOf(adviseTable)),
  ...{ blockSize: count, blocks: count, calls: amount },
  answer: advisedMask.nullable(),
  tried: z.array(advisedMask),
  uniform: z.array(advisedMask),
  ...{ probes: count, positions: count },
  experiment,
  verdict: verdictSchema,
  environment: environmentSchema,
});
