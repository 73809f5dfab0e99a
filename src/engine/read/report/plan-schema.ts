import * as z from 'zod';
import { constructions } from '../../../core/construct/construction';
import { InputError } from '../../../core/errors';
import { maximumTokens } from '../../../core/plan/partition';
import type { PartSummary } from '../../../core/plan/plan';
import { denseOperators } from '../../../core/predict/calibration';
import type { PredictionReport } from '../../../core/predict/prediction';
import { numberWords } from '../../../core/report/json';
import { type PlanDocument, reportSchemaVersion, textKinds } from '../../../core/report/report';
import {
  type LayerScenario,
  isCycle,
  makeScenario,
  partNames,
  type PartStarts,
  perHead,
  perLayer,
  type Scenario,
  type ScenarioChoice,
  textParameters,
  withStarts,
} from '../../../core/scenario/scenario';
import { promptFormats } from '../../../core/source/format';

/** A schema from one of core's own functions, which throws to refuse. */
function readBy<T>(read: (value: { readonly kind: string } & Readonly<Record<string, unknown>>) => T): z.ZodType<T> {
  return z.looseObject({ kind: z.string() }).transform((value, context) => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof z.ZodError || error instanceof InputError)) {
        throw error;
      }
      context.addIssue({ code: 'custom', message: error instanceof z.ZodError ? error.issues[0].message : error.message });
      return z.NEVER;
    }
  });
}

const texts = z.looseObject(Object.fromEntries(textParameters.map(({ name }) => [name, z.string().optional()])));

/** Where parts of one kind begin, 0 first. */
export const partPositions = z
  .array(z.int().nonnegative())
  .refine(
    (starts) => starts[0] === 0 && starts.every((start, index) => index === 0 || start > starts[index - 1]),
    'is no list of positions that ascend from 0',
  );

/** Where the parts of a prompt begin. */
export const partStarts: z.ZodType<PartStarts> = z.strictObject(
  Object.fromEntries(partNames.map((name) => [name, partPositions.exactOptional()])),
);

/** One layer's scenario. `makeScenario` refuses parameters that are not whole numbers, of any type. */
const layerScenario: z.ZodType<LayerScenario> = readBy(({ kind, starts, ...parameters }) => {
  const made = makeScenario(kind, texts.parse(parameters));
  return starts === undefined ? made : withStarts(made, partStarts.parse(starts));
});

/** A scenario in a report: a kind with valid parameters. */
export const scenarioSchema: z.ZodType<Scenario> = readBy((value) =>
  value.kind === 'per-layer'
    ? perLayer(z.array(layerScenario).parse(value.cycle))
    : value.kind === 'per-head'
      ? perHead(z.array(layerScenario).parse(value.cycle))
      : layerScenario.parse(value),
);

/** A scenario in options: also the model's own, before the model is known. */
export const scenarioChoiceSchema: z.ZodType<ScenarioChoice> = readBy((value) =>
  value.kind === 'native' ? { kind: 'native' } : scenarioSchema.parse(value),
);

/** A number of at least 0. Counts may exceed the integers that float64 represents exactly, so they need not be whole. */
export const amount = z.number().nonnegative();

/** A number, or the word that stands for it in JSON where it is not finite. */
export const anyNumber: z.ZodType<number> = z.union([z.number(), z.enum(Object.keys(numberWords)).transform((word) => numberWords[word])]);

/** A measured number. In reports of earlier versions, null stands for values that are not finite. */
export const measured = anyNumber.nullable().transform((value) => value ?? NaN);

export const length = z.int().min(1).max(maximumTokens);
const size = z.int().min(1);
const text = z.string();

export const callCounts = { total: amount, attention: amount, tokenwise: amount, perLayer: amount };
const tilesByKind = z.looseObject({ full: amount, partial: amount, sampled: amount, chosen: amount.default(0) });
const bound = z.looseObject({ theorem: text, formula: text, calls: amount });

const part: z.ZodType<PartSummary> = z.looseObject({
  layers: z.array(z.int().nonnegative()),
  heads: z.array(z.int().nonnegative()).exactOptional(),
  // A layer's scenario cannot be a cycle itself.
  scenario: scenarioSchema.transform((scenario, context) => {
    if (isCycle(scenario)) {
      context.addIssue({ code: 'custom', message: 'is no scenario of one layer' });
      return z.NEVER;
    }
    return scenario;
  }),
  tiles: amount,
  instances: amount,
  tilesByKind,
  visiblePairs: amount,
  calls: z.looseObject(callCounts),
  bound,
});

const count = z.int().nonnegative();
const feedForward = z.enum(['gated', 'plain']).exactOptional();
const layerKind = z.looseObject({
  heads: count,
  keyValueHeads: count,
  headWidth: size,
  valueWidth: size.exactOptional(),
  feedForwardWidth: count,
  feedForward,
  projection: amount.exactOptional(),
  cacheWidth: count.exactOptional(),
  layers: z.array(count),
});

const shape = z.looseObject({
  layers: size,
  heads: size,
  keyValueHeads: size,
  headWidth: size,
  valueWidth: size.exactOptional(),
  width: size,
  feedForwardWidth: count,
  vocabulary: size,
  feedForward,
  projection: amount.exactOptional(),
  cacheWidth: count.exactOptional(),
  kinds: z.array(layerKind).exactOptional(),
  scoreCap: z.number().positive().exactOptional(),
  picksKeys: z.literal(true).exactOptional(),
  parameters: amount.exactOptional(),
  attention: scenarioSchema.exactOptional(),
  bytesPerWeight: amount.exactOptional(),
  trainedTokens: size.exactOptional(),
  maximumTokens: size.exactOptional(),
});

/** A memory estimate by parts. */
export const memoryFields = { process: amount, weights: amount, run: amount, verify: amount, quality: amount, peak: amount };

const interval = z.looseObject({ lowMs: amount, highMs: amount, doubtful: z.enum(['calibration', 'plan']).exactOptional() });

const breakEven = z
  .looseObject({
    attentionMs: amount,
    interval: interval.exactOptional(),
    denseMs: amount,
    denseError: amount.exactOptional(),
    known: z.boolean().exactOptional(),
    operator: z.enum(denseOperators).exactOptional(),
    measured: z.looseObject({ from: amount, to: amount }).exactOptional(),
    fromTokens: amount.optional(),
  })
  .transform((value) => ({ ...value, fromTokens: value.fromTokens }));

const measuredRange = z.union([z.tuple([z.number(), z.number()]), z.tuple([text])]);
const extrapolation = z.looseObject({
  what: z.enum(['tokens', 'rows', 'width', 'headWidth', 'layers', 'executor', 'precision', 'activations']),
  value: z.union([z.number(), text]),
  sampled: measuredRange,
});

const prediction: z.ZodType<PredictionReport> = z.looseObject({
  provider: z.enum(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']),
  device: text,
  threads: amount,
  calibrated: text,
  wallMs: measured,
  phases: z.looseObject({ project: measured, gather: measured, attend: measured, layer: measured, mlp: measured }),
  peakBytes: measured,
  interval: interval.exactOptional(),
  extrapolates: z.array(extrapolation).exactOptional(),
  load: z.looseObject({ cores: amount, calibration: amount, repeat: z.boolean(), now: amount.nullable() }).exactOptional(),
  breakEven: breakEven.nullable(),
});

const cache = z.looseObject({
  kinds: z.array(z.looseObject({ layers: amount, tokens: amount, width: amount })),
  bytes: z.looseObject({ f32: amount, f16: amount, bf16: amount, int8: amount }),
});

/** Defaults for reports of earlier versions: tokens were the model's own, and blocks had M tokens. */
const ownTokenizer = { name: 'tokenizer.json', exact: true, reason: null, error: null };

/** Earlier versions did not know how far an estimate is off. */
const estimateError = z.record(z.enum(textKinds), z.number()).nullable().default(null);

/** The fields of a plan document; every run report has them all. */
export const planFields = {
  schemaVersion: z.literal(reportSchemaVersion),
  prompt: z.looseObject({
    path: text,
    bytes: amount,
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is no hex SHA-256'),
    tokens: length,
    format: z.enum(promptFormats.map(({ value }) => value)).exactOptional(),
    parts: z.array(z.looseObject({ title: text, role: text, tokens: amount })).exactOptional(),
    notes: z.array(text).exactOptional(),
  }),
  model: z.looseObject({
    name: text,
    shape,
    parameters: amount,
    storedBytes: amount.exactOptional(),
    tokenizer: z.looseObject({ name: text, exact: z.boolean(), reason: text.nullable(), error: estimateError }).default(ownTokenizer),
  }),
  scenario: scenarioSchema,
  oracle: z.looseObject({ inputLength: length, layers: size, heads: size, causal: z.boolean() }),
  construction: z.enum(constructions),
  plan: z.looseObject({
    restarts: partPositions.exactOptional(),
    blockSize: length.exactOptional(),
    blocks: length,
    tiles: amount,
    instances: amount.exactOptional(),
    tilesByKind,
    visiblePairs: amount,
    calls: z.looseObject(callCounts),
    flops: amount,
    flopsByPhase: z.looseObject({ project: amount, attend: amount, outputAndMlp: amount, attendVisible: amount, attendDense: amount }),
    bytes: amount,
    bytesByUse: z.looseObject({ weights: amount, activations: amount, batches: amount }),
    rounds: amount,
    bound,
    notes: z.array(text),
    parts: z.array(part).default([]),
  }),
  outsideBox: z.looseObject({ calls: amount, flops: amount }).exactOptional(),
  memory: z.looseObject(memoryFields).exactOptional(),
  prediction: prediction.nullable().default(null),
  cache: cache.nullable().exactOptional(),
};

/** The plan, completed with fields that earlier versions did not write. */
export function completePlan({ oracle, plan }: z.output<z.ZodObject<typeof planFields>>): PlanDocument['plan'] {
  return { ...plan, blockSize: plan.blockSize ?? oracle.inputLength, instances: plan.instances ?? plan.tiles };
}
