import * as z from 'zod';
import type { ChoiceReport } from '../../../core/chosen/report';
import { InputError } from '../../../core/errors';
import { wordsOf } from '../../../core/options/option';
import { optionTable } from '../../../core/options/table';
import { type ComparisonReport, reportSchemaVersion, type RunReport } from '../../../core/report/report';
import type { SamplingReport } from '../../../core/report/sampling';
import { runVerdict } from '../../../core/report/verdict';
import { isNativeScenario } from '../../../core/plan/plan';
import { jsonOrNothing, parseJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { inputName, readTextInput } from '../input/text';
import { atlasSchema, tokenCurvesSchema } from './atlas-schema';
import { amount, anyNumber, callCounts, completePlan, length, measured, memoryFields, planFields, scenarioSchema } from './plan-schema';
import { fidelitySchema, verdictSchema } from './verdict-schema';

const text = z.string();

/** Earlier versions did not measure this: no time, no calls. */
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

/** A run's memory, as expected and as measured. */
export const runMemorySchema = z.looseObject({ ...memoryFields, measured: amount, measuredBy: z.enum(['system', 'samples']) });

const run = z.looseObject({
  provider: text,
  device: text,
  threads: amount,
  executor: z.enum(wordsOf(optionTable.executor)).exclude(['auto']).default('tiles'),
  precision: z.enum(wordsOf(optionTable.precision)).default('float32'),
  activations: z.enum(wordsOf(optionTable.activations)).optional(),
  segments: amount.optional(),
  wallMs: amount,
  phases,
  layers: z.array(layerTimes).optional(),
  calls: z.looseObject({ ...callCounts, retries: addedLater, dispatches: amount }),
  peakRssBytes: amount,
  memory: runMemorySchema.optional(),
});

/** A natural logarithm; in reports of earlier versions, null stands for an infinite one. */
const logarithm = anyNumber.nullable().transform((value) => value ?? Infinity);

/** Theorem 4.1 as it was measured. */
export const samplingSchema: z.ZodType<SamplingReport> = z.looseObject({
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
  statisticalError: anyNumber.optional(),
  roundingError: anyNumber.optional(),
  squareRatios: z.looseObject({ normaliser: anyNumber, output: anyNumber, independent: amount }).optional(),
  within: amount,
});

const errors = { median: anyNumber, ninetiethPercentile: anyNumber };

const choice: z.ZodType<ChoiceReport> = z.looseObject({
  tiles: amount,
  sampled: amount,
  causalTiles: amount,
  heads: z.array(z.looseObject({ layer: amount, head: amount, tiles: amount, sampled: amount })).min(1),
  rows: amount,
  measured: z.looseObject(errors),
  estimated: z.looseObject({ ...errors, rows: amount, within: amount }).nullable(),
});

const positionsQuality = {
  perplexity: measured,
  baselinePerplexity: measured,
  meanKl: measured,
  topAgreement: measured.default(NaN),
  positions: amount,
};
const side = z.looseObject(positionsQuality);

const quality = z.looseObject({
  baseline: scenarioSchema.default({ kind: 'causal' }),
  ...positionsQuality,
  byTraining: z.looseObject({ trainedTokens: length, within: side, past: side }).optional(),
  score: text.optional(),
  touched: side.nullish(),
  touchedNote: text.nullish(),
  bitsPerByte: anyNumber.nullish(),
  wordPerplexity: anyNumber.nullish(),
  sizeNote: text.nullish(),
  baselineBitsPerByte: anyNumber.nullish(),
  baselineWordPerplexity: anyNumber.nullish(),
  baselineBy: z.enum(wordsOf(optionTable.baseline)).optional(),
  ownBaseline: z.boolean().optional(),
});

/** Where something ran, and when. */
export const environmentSchema = z.looseObject({
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
 * Keys missing in earlier versions are filled in; unknown keys of later versions are kept.
 */
export const runReportSchema: z.ZodType<RunReport> = z
  .looseObject({
    ...planFields,
    run,
    fidelity: fidelitySchema.nullable(),
    sampling: samplingSchema.nullable().default(null),
    choice: choice.optional(),
    quality: quality.nullable(),
    qualityNote: text.nullable(),
    verdict: verdictSchema.optional(),
    environment: environmentSchema,
    atlas: atlasSchema.optional(),
    byToken: tokenCurvesSchema.nullish(),
  })
  .refine(({ atlas, plan }) => atlas === undefined || atlas.cells.side === Math.ceil(plan.blocks / atlas.cells.blocks), {
    path: ['atlas', 'cells'],
    error: 'do not cover the blocks of the plan',
  })
  .transform((report) => {
    const { scenario, construction, model, quality: found } = report;
    const native = isNativeScenario({
      scenario,
      model: model.shape,
      tokens: report.prompt.tokens,
      ...(report.plan.restarts && { restarts: report.plan.restarts }),
    });
    // In earlier versions a run of the model's own attention was its own baseline, and no verdict was kept.
    const compared = found && { ...found, ownBaseline: found.ownBaseline ?? (native && construction === 'fused') };
    const verdict = report.verdict ?? runVerdict({ ...report, native, precision: report.run.precision });
    return { ...report, plan: completePlan(report), quality: compared, verdict };
  });

/** The runs in the output of `compare --json`. */
const comparisonSchema: z.ZodType<Pick<ComparisonReport, 'runs'>> = z.looseObject({
  schemaVersion: z.literal(reportSchemaVersion),
  runs: z.array(runReportSchema),
});

/**
 * The runs in a file written by `simulate --json`, `compare --json` or an export to JSON.
 *
 * @param path named in errors
 * @throws InputError that names the file, the field and the fix
 */
export function reportsFrom(content: string, path: string): RunReport[] {
  const end = content.indexOf('\n');
  checkKind(jsonOrNothing(end < 0 ? content : content.slice(0, end)), path);
  const document = parseJson(content, path, fix);
  checkKind(document, path);
  const documents: readonly unknown[] = Array.isArray(document) ? document : [document];
  const reports = documents.flatMap((each) =>
    isComparison(each) ? read(comparisonSchema, each, path).runs : read(runReportSchema, each, path),
  );
  if (reports.length === 0) {
    throw new InputError(`${path} holds no run; ${fix}.`);
  }
  return reports;
}

/**
 * Reads the runs of a file, or of standard input if the path is `-`.
 *
 * @param stdin what standard input is
 * @throws InputError as `reportsFrom`, and where the input cannot be read or is too large
 */
export async function readReports(path: string, stdin: AsyncIterable<Uint8Array>): Promise<RunReport[]> {
  return reportsFrom(
    await readTextInput(path, stdin, inputLimits.report, `give a file that ${printed}`, 'give fewer runs at once'),
    inputName(path),
  );
}

/** The first fault of a document, in one line: the field and the reason. */
export function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return `${path.join('.') || 'the document'}: ${message}`;
}

const printed = 'simulate --json or compare --json printed';
const fix = `give what ${printed}`;

const unlessJson = 'its command prints it without --json';

function isComparison(document: unknown): boolean {
  return has(document, 'runs');
}

function has(document: unknown, field: string): boolean {
  return typeof document === 'object' && document !== null && field in document;
}

/** Refuses what other commands wrote. @throws InputError that says what it is */
function checkKind(document: unknown, path: string): void {
  const [what, use] =
    has(document, 'points') && has(document, 'experiment')
      ? ['an evaluation', 'its command prints it without --json, and draws it with --picture']
      : has(document, 'unit') && has(document, 'result')
        ? ['results of an experiment', 'two-heads run reads them, given the experiment file']
        : has(document, 'shards')
          ? ['a run in shards', unlessJson]
          : has(document, 'continuation')
            ? ['a continuation', unlessJson]
            : has(document, 'packed') && has(document, 'separate')
              ? ['a pack', unlessJson]
              : [];
  if (what !== undefined) {
    throw new InputError(`${path} holds ${what}, and nothing that is read here; ${use}. Here, ${fix}.`);
  }
}

function read<T>(schema: z.ZodType<T>, document: unknown, path: string): T {
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    throw new InputError(`${path}: ${firstIssue(parsed.error)}; ${fix}.`);
  }
  return parsed.data;
}
