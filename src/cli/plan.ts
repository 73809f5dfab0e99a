import { plannedProvider } from '../core/predict/executor';
import { type Construction, isBlackBox } from '../core/construct/construction';
import { formatBytes, formatCount, formatFlops, formatNumberOf, formatRanges } from '../core/format';
import { breakEvenText, expectedDuration, notesOf } from '../core/hints/expected';
import { type CacheReport, cacheDetail, weightsDetail } from '../core/plan/cache';
import { contextLength, contextText } from '../core/plan/context-length';
import type { PartSummary } from '../core/plan/plan';
import { expectedMemory, memoryDetail, memoryUseOf } from '../core/predict/memory';
import type { PredictionReport } from '../core/predict/prediction';
import { outsideBoxText } from '../core/report/outside-box';
import type { PlanDocument } from '../core/report/report';
import { partsText } from '../core/source/prompt-text';
import { scenarioLabel } from '../core/scenario/scenario';
import { visible } from '../core/text/printable';
import { checkScore } from '../engine/attend/verify/quality';
import { checkMemory, processBytes } from '../engine/memory';
import { readPrompt } from '../engine/read/prompt';
import { planDocument, planPrompt } from '../engine/tasks/plan';
import { jsonOption, print } from './io';
import { type Command, commonOptions, optionsFrom, scenarioOptions } from './options';
import { sourceFrom, sourceOptions } from './source';
import { pairs } from './table';

/** `two-heads plan`: what the prompt costs, without a run. */
export const planCommand: Command = {
  usage: 'plan <file>',
  description: 'what a prompt costs, without a run',
  options: [...scenarioOptions, ...commonOptions, ...sourceOptions, jsonOption],
  run: async ([file], given, io) => {
    const options = optionsFrom(given);
    const planned = await planPrompt(await readPrompt(file, io.stdin, await sourceFrom(given)), options, io);
    checkScore(options, planned.model.config, planned.plan.tokens);
    const before = processBytes();
    if (options.memoryLimit > 0) {
      const provider = plannedProvider(options.provider, planned.calibration);
      checkMemory(planned.plan, memoryUseOf(planned.plan, options, { provider, processBytes: before }), options.memoryLimit);
    }
    const memory = expectedMemory(planned.plan, options, planned.calibration, before);
    const document = planDocument(planned, memory);
    print(io, given, document, () => [planText(document), ...noteLines(document)].join('\n'));
  },
};

/** What a person should know of a plan, a line each. */
export function noteLines(planned: Pick<PlanDocument, 'plan' | 'prediction'>): string[] {
  return notesOf(planned).map((note) => `  note: ${note}`);
}

/** A plan as a person reads it, without its notes. */
export function planText(document: PlanDocument): string {
  const { prompt, model, scenario, oracle, construction, plan, outsideBox, memory, prediction, cache } = document;
  const { calls, bound, flopsByPhase, tilesByKind, parts } = plan;
  const kinds = Object.entries(tilesByKind).filter(([, count]) => count > 0);
  return [
    visible(
      `${prompt.path}: ${formatNumberOf(prompt.tokens, 'token')} under ${scenarioLabel(scenario)}, ${model.name}, M = ${formatCount(oracle.inputLength)}, ${construction}`,
    ),
    pairs([
      ...(prompt.format === undefined
        ? []
        : [
            [
              'read as',
              [prompt.format, ...(prompt.parts === undefined ? [] : [partsText(prompt.format, prompt.parts)])].join(', '),
            ] as const,
          ]),
      ...(contextLength(model.shape) === undefined ? [] : [['context', contextText(prompt.tokens, model.shape)] as const]),
      ['blocks', formatCount(plan.blocks)],
      ['tiles per head', `${formatCount(plan.tiles)} (${kinds.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(', ')})`],
      ...(parts.length > 0 ? [['layers', parts.map(partText).join('; ')] as const] : []),
      ['calls', `${formatCount(calls.total)} = ${formatCount(calls.attention)} attention + ${formatCount(calls.tokenwise)} token-wise`],
      ...(outsideBox === undefined ? [] : [['outside the box', outsideBoxText(outsideBox, plan.flops)] as const]),
      ['bound', `${formatCount(bound.calls)} attention calls (${bound.theorem}: ${bound.formula})`],
      ['rounds', formatCount(plan.rounds)],
      [
        'work',
        `${formatFlops(plan.flops)}, ${formatFlops(flopsByPhase.attend)} of it attention (dense: ${formatFlops(flopsByPhase.attendDense)})`,
      ],
      [
        'memory',
        memory === undefined
          ? `about ${formatBytes(plan.bytes)} of tensors at the peak`
          : `about ${formatBytes(memory.peak)} at the peak = ${memoryDetail(memory)}`,
      ],
      ...(model.storedBytes === undefined ? [] : [['weights', `${formatBytes(model.storedBytes)} ${weightsDetail(model.shape)}`] as const]),
      ...(cache === undefined || cache === null
        ? []
        : [['cache', `${formatBytes(cache.bytes.f16)} ${cacheDetail(cache)} (${keptText(cache)})`] as const]),
      ['expected', predictedText(prediction, construction)],
      ...(prediction?.breakEven ? [['attention', breakEvenText(prediction.breakEven)] as const] : []),
    ]),
  ].join('\n');
}

/** What each kind of layer keeps of the prompt to continue it. */
function keptText({ kinds }: CacheReport): string {
  const kept = kinds.map(({ layers, tokens, width }) => `${layers} x ${formatNumberOf(tokens, 'token')} of ${formatCount(width)}`);
  return `${kept.join('; ')} numbers`;
}

/** One kind of layer, or of heads. */
function partText({ layers, heads, scenario, tiles, calls }: PartSummary): string {
  if (tiles === 0) {
    return `${layers.length} x no attention`;
  }
  const of = heads === undefined ? '' : ` in heads ${formatRanges(heads)}`;
  return `${layers.length} x ${scenarioLabel(scenario)}${of} (${formatNumberOf(tiles, 'tile')} per head, ${formatNumberOf(calls.attention, 'attention call')})`;
}

/** What a plan is expected to take, or why that is not known. */
function predictedText(prediction: PredictionReport | null, construction: Construction): string {
  if (prediction === null) {
    return isBlackBox(construction) ? `not predicted under ${construction}` : 'not known: run two-heads calibrate once';
  }
  const { provider, device, threads } = prediction;
  return `${expectedDuration(prediction)} on ${provider}: ${device}, ${formatNumberOf(threads, 'thread')}`;
}
