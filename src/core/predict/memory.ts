import { formatBytes } from '../format';
import { t } from '../l10n';
import type { Activations, Baseline, Provider, SimulationOptions, Verification } from '../options/table';
import { isNativePlan, nativePlan, type Plan } from '../plan/plan';
import { type Segments, segmentsOf, tensorBytes, wholeRun } from '../plan/segments';
import { weightBytes } from '../plan/weight-bytes';
import { isSampled, looksAhead } from '../scenario/scenario';
import type { ModelShape } from '../shapes';
import type { Calibration } from './calibration';
import { type PassExecutor, plannedProvider, preferredExecutor } from './executor';
import {
  attentionArenas,
  densePassBytes,
  liveBytes,
  mostUncollected,
  operandBytes,
  sessionBytes,
  tokenwiseArenas,
  uncollectedBytes,
} from './run-memory';

/** What takes the resident memory of a run, in the order in which it comes. */
export const memoryParts = ['process', 'weights', 'run', 'verify', 'quality'] as const;
export type MemoryPart = (typeof memoryParts)[number];

/** The resident memory that a run is expected to take, in bytes: the parts add up to the peak. */
export interface MemoryEstimate extends Readonly<Record<MemoryPart, number>> {
  /** Node, ONNX Runtime, the program, a tokenizer and the prompt, before a model is loaded: measured, not estimated. */
  readonly process: number;
  /** The model's weights that are in memory (`weightBytes`), and what reading them takes beside that. */
  readonly weights: number;
  /** Tensors of the layers, what sessions keep for them, and results that are not collected yet. */
  readonly run: number;
  /** What the check of the attention adds. */
  readonly verify: number;
  /** What the run of the model's own attention and the comparison of predictions add. */
  readonly quality: number;
  readonly peak: number;
}

/** The highest resident memory of a run, as it was measured. */
export interface MeasuredPeak {
  readonly bytes: number;
  /** By the system's own mark, or by looking at it from time to time, which may miss the peak. */
  readonly by: 'system' | 'samples';
}

/** A run's memory: as expected, and as measured for that run alone. */
export interface RunMemory extends MemoryEstimate {
  /** The highest resident memory of the process during the run, in bytes. */
  readonly measured: number;
  readonly measuredBy: MeasuredPeak['by'];
}

/** The options of a run that decide its memory. */
type MemoryOptions = Pick<SimulationOptions, 'executor' | 'precision' | 'verify' | 'quality'> &
  Partial<Pick<SimulationOptions, 'baseline' | 'activations'>>;

/** What decides a run's memory beside its plan. */
export interface MemoryUse {
  readonly executor: PassExecutor;
  readonly verify: Verification;
  /** What packed weights are multiplied with; float32 by default. */
  readonly activations?: Activations;
  /** Whether predictions are compared with those of the model's own attention. */
  readonly scored: boolean;
  /** How that is computed; by the same tiles by default. */
  readonly baseline?: Baseline;
  /** Whether they are scored and compared with nothing, as of a shard that the model's own attention cannot have. */
  readonly alone?: boolean;
  /** Resident memory of the process before the model is loaded. */
  readonly processBytes: number;
  /** Whether each layer has the whole prompt at once, whatever its length, and all weights are kept, as of a continuation. */
  readonly whole?: boolean;
  /** What stays in memory beside that, such as a key-value cache, or a baseline for the next scenario. */
  readonly kept?: number;
}

/**
 * Resident memory of an engine process that has loaded ONNX Runtime, a tokenizer and a short prompt: Linux x64, Node 20,
 * measured (docs/memory.md). A process that is there is measured itself.
 */
export const typicalProcessBytes = 118 * 1024 * 1024;

/** The tokenizer with its tables, and memory left over from reading a prompt. */
const preparationBytes = 32 * 1024 * 1024;

/** The process of a run to come: as it was when it was calibrated, and with a prompt; else a typical one. */
export function expectedProcessBytes(calibration: Pick<Calibration, 'idleBytes'> | undefined): number {
  return calibration === undefined ? typicalProcessBytes : calibration.idleBytes + preparationBytes;
}

/**
 * What a run with these options uses. @param processBytes resident memory before the model is loaded
 *
 * @param provider of the device
 */
export function memoryUseOf(
  plan: Plan,
  { executor, precision, verify, quality, baseline, activations }: MemoryOptions,
  { provider, processBytes }: { readonly provider: Exclude<Provider, 'auto'>; readonly processBytes: number },
): MemoryUse {
  return {
    executor: executor === 'auto' ? preferredExecutor(plan, precision, provider) : executor,
    verify,
    scored: quality && plan.tokens > 1 && !looksAhead(plan.scenario, plan.tokens),
    ...(baseline !== undefined && { baseline }),
    ...(activations !== undefined && { activations }),
    processBytes,
  };
}

/** The memory of a planned run to come. @param calibration of the device that the plan is for */
export function expectedMemory(
  plan: Plan,
  options: MemoryOptions & Pick<SimulationOptions, 'provider'>,
  calibration: Pick<Calibration, 'provider' | 'idleBytes'> | undefined,
  processBytes = expectedProcessBytes(calibration),
): MemoryEstimate {
  const provider = plannedProvider(options.provider, calibration);
  return memoryOf(plan, memoryUseOf(plan, options, { provider, processBytes }));
}

/** The resident memory of a planned run. Each part is a function of its own below: a new check adds its term there. */
export function memoryOf(plan: Plan, use: MemoryUse): MemoryEstimate {
  const segments = runSegments(plan, use);
  const parts: Record<MemoryPart, number> = {
    process: Math.ceil(use.processBytes),
    weights: Math.ceil(runWeightBytes(plan, use)),
    run: Math.ceil(runBytes(plan, use, segments)),
    verify: Math.ceil(verifyBytes(plan, use, segments)),
    quality: use.scored ? Math.ceil(qualityBytes(plan, use, segments)) : 0,
  };
  return { ...parts, peak: memoryParts.reduce((sum, part) => sum + parts[part], 0) };
}

/** How a plan is run: in segments tile by tile, where that pays. */
function runSegments(plan: Plan, { executor, whole = false }: MemoryUse): Segments {
  return executor === 'tiles' && !whole ? segmentsOf(plan) : wholeRun(plan);
}

/** What the parts of a run that are not measured may be off by: so much more must be allowed. */
export const memoryMargin = 0.05;

/** The least limit under which a run is not refused, in bytes: a whole number of MiB, as flags have it. */
export function leastLimit({ peak }: Pick<MemoryEstimate, 'peak'>): number {
  return Math.ceil((peak * (1 + memoryMargin)) / mebibyte) * mebibyte;
}

/** Whether a run fits in so many bytes, with the margin. */
export function fitsIn({ peak }: Pick<MemoryEstimate, 'peak'>, bytes: number): boolean {
  return peak * (1 + memoryMargin) <= bytes;
}

const mebibyte = 1024 ** 2;

/** Bytes of a float32 and of a float64. */
const [floatBytes, doubleBytes] = [4, 8];

/** What ONNX Runtime keeps beside codes that it packs for activations in int8, as a share of them: seen, from 0 in Q4_0 to 0.4 in Q8_0. */
const besideInt8 = 0.3;

function runWeightBytes({ model }: Plan, { whole, activations, scored }: MemoryUse): number {
  const beside = activations === 'int8' && model.bytesPerWeight !== undefined ? besideInt8 * weightBytes(model) : 0;
  return modelBytes(model, whole, scored || whole === true) + beside;
}

/**
 * Bytes in float32 of the largest packed matrix that is multiplied as one. Beside float32 and many rows, ONNX Runtime unpacks a whole
 * matrix at every call: that of a large vocabulary would be the peak of a run.
 */
export const mostUnpackedBytes = 128 * 1024 * 1024;

/**
 * A model's weights, and the largest of them once more: it is read, converted or turned beside its copy in float32. Packed ones are read
 * as codes when their turn comes, the output head's where something is predicted, and unpacked some rows at a time; an embedding that
 * is packed stays in its file.
 */
function modelBytes(model: ModelShape, again?: boolean, predicts = true): number {
  const { width, vocabulary, feedForwardWidth, bytesPerWeight } = model;
  if (bytesPerWeight === undefined) {
    return weightBytes(model, again) + floatBytes * width * Math.max(vocabulary, feedForwardWidth);
  }
  const head = predicts ? 0 : bytesPerWeight * width * vocabulary;
  const largest = width * (predicts ? Math.max(vocabulary, feedForwardWidth) : feedForwardWidth);
  return weightBytes(model, again) - head + bytesPerWeight * largest + Math.min(mostUnpackedBytes, floatBytes * largest);
}

/** What a sequence that is one call takes beside the scores of that call and the process: theorem 4.2's packs. */
export function wholeCallBytes(model: ModelShape, tokens: number): number {
  const shape = { tokens, model, oracle: { inputLength: tokens } };
  return modelBytes(model) + liveBytes(shape) + tokenwiseArenas(shape);
}

function runBytes(plan: Plan, { executor, verify, kept = 0 }: MemoryUse, segments: Segments): number {
  const uncollected = Math.min(mostUncollected, uncollectedBytes(plan, executor, verify !== 'none'));
  return tensorBytes(plan.model, segments) + operandBytes(plan) + sessionBytes([plan], executor) + uncollected + kept;
}

/** Scores of one call of the check in float64, which weights take the place of. */
const checkedScores = 2 ** 17;

/** The share of what a check reads that the collector leaves for later: it lives shortly. */
const uncollectedChecks = 0.1;

/**
 * The check in float64: keys and values of one key-value head, 2 N m numbers, for every such head of every layer in turn, and
 * the scores of a call. The probe's head has N queries, keys and values, and the sums over their ranges. N are those that a segment
 * holds, where the run is cut into some. Under a sampling mask, another oracle tries more seeds.
 */
function verifyBytes(plan: Plan, { executor, verify }: MemoryUse, { keys }: Segments): number {
  if (verify === 'none') {
    return 0;
  }
  const { tokens, model, scenario } = plan;
  const head = 2 * doubleBytes * keys * model.headWidth;
  const scores = doubleBytes * Math.max(checkedScores, keys);
  const probe = (3 * floatBytes + doubleBytes) * keys * model.headWidth;
  const later = uncollectedChecks * model.layers * model.keyValueHeads * 2 * doubleBytes * tokens * model.headWidth;
  const room = Math.max(0, mostUncollected - uncollectedBytes(plan, executor, true));
  return head + scores + probe + Math.min(room, later) + (isSampled(scenario) ? attentionArenas([plan]) + operandBytes(plan) : 0);
}

/** Memory for the logits of one slice: two distributions and their intermediates. */
const logitBytes = 96 * 1024 * 1024;

/** Arrays of a slice's rows by the vocabulary that may exist at once, and those that do. */
const [mostLogitArrays, logitArrays] = [6, 5];

/** Rows whose logits fit in memory at once. */
export function logitRows(vocabulary: number): number {
  return Math.max(1, Math.floor(logitBytes / (floatBytes * mostLogitArrays * vocabulary)));
}

function qualityBytes(plan: Plan, use: MemoryUse, segments: Segments): number {
  const { tokens, model } = plan;
  const slice = logitRows(model.vocabulary);
  // From the second slice of a length on, the arena has a block for that length as well.
  const uses = tokens - 1 >= 2 * slice ? 2 : 1;
  const logits = uses * logitArrays * floatBytes * Math.min(tokens - 1, slice) * model.vocabulary;
  const stream = floatBytes * tokens * model.width;
  // What segments hand out is put together again.
  const gathered = segments.steps.length > 1 ? stream : 0;
  const own = gathered + (isNativePlan(plan) || use.alone === true ? 0 : stream + ownBaselineBytes(plan, use, segments));
  // Compiled sessions are gone when predictions are compared, and when a dense pass begins.
  const gone = use.executor === 'compiled' ? sessionBytes([plan], 'compiled') : 0;
  if (use.baseline === 'dense') {
    // The dense pass is over when predictions are compared; its last tensors are left to the collector.
    return gathered + stream + Math.max(0, densePassBytes(plan) - gone, liveBytes(plan) + logits - gone);
  }
  return use.executor === 'compiled' ? Math.max(own, logits - gone) : own + logits;
}

/**
 * What the model's own attention by the same tiles adds to the run before it, whose tensors and results are left to the
 * collector, beside the residual stream that is kept: sessions of tiles that only it needs.
 */
function ownBaselineBytes(plan: Plan, use: MemoryUse, segments: Segments): number {
  const { executor, verify } = use;
  const own = nativePlan(plan);
  const ofOwn = runSegments(own, use);
  const [live, ofRun] = [tensorBytes(own.model, ofOwn), tensorBytes(plan.model, segments)];
  const sessions = sessionBytes([plan, own], executor) - sessionBytes([plan], executor);
  const operands = Math.max(0, operandBytes(own) - operandBytes(plan));
  const first = uncollectedBytes(plan, executor, verify !== 'none');
  const left = Math.min(mostUncollected, 2 * first + ofRun + operandBytes(plan)) - Math.min(mostUncollected, first);
  return sessions + operands + left + Math.max(0, live - ofRun);
}

/** Names of the parts, as texts have them. */
function partName(part: MemoryPart): string {
  switch (part) {
    case 'process':
      return t('process');
    case 'weights':
      return t('weights');
    case 'run':
      return t('layers');
    case 'verify':
      return t('check');
    case 'quality':
      return t('quality');
  }
}

/** The peak of a run that was made, and what was expected of it. */
export function peakText({
  peakRssBytes,
  memory,
}: {
  readonly peakRssBytes: number;
  readonly memory?: MemoryEstimate | undefined;
}): string {
  return memory === undefined
    ? formatBytes(peakRssBytes)
    : t('{0}, expected {1} = {2}', formatBytes(peakRssBytes), formatBytes(memory.peak), memoryDetail(memory));
}

/** What stands behind the memory of a run: its parts, those that there are. */
export function memoryDetail(memory: Readonly<Record<MemoryPart, number>>): string {
  return memoryParts
    .filter((part) => memory[part] > 0)
    .map((part) => `${partName(part)} ${formatBytes(memory[part])}`)
    .join(' + ');
}
