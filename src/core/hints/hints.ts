import { callsPerInstance } from '../construct/slice';
import { formatBytes, formatCompact, formatCount, formatDuration, formatFlops, formatNumberOf, formatShare } from '../format';
import { t } from '../l10n';
import { cacheDetail, type CacheReport } from '../plan/cache';
import { contextLength, contextNote, contextText } from '../plan/context-length';
import { blockEnd, blockStart } from '../plan/partition';
import {
  callsOfBlock,
  callsOfBlocks,
  hasHeadParts,
  instancesOfBlocks,
  isUniform,
  layerParts,
  type Plan,
  type PlanPart,
} from '../plan/plan';
import { queryBlockAt } from '../plan/query-blocks';
import type { TileRun } from '../plan/tiles';
import { type MemoryEstimate, memoryDetail } from '../predict/memory';
import { attentionMs, type DevicePrediction } from '../predict/prediction';
import { scenarioLabel } from '../scenario/scenario';

/** A plan's figures, without its tiles. */
type PlanFigures = Omit<Plan, 'queryBlocks' | 'parts'>;

/** What the editor shows about one block of the prompt. */
export interface BlockCost {
  /** 0-based. */
  readonly block: number;
  readonly firstToken: number;
  /** The token after the block's last one. */
  readonly endToken: number;
  /** Tiles read by the block's queries, of one head of one layer. */
  readonly tiles: number;
  /** Attention calls of the block over all layers. */
  readonly calls: number;
  /** Single-head instances of the block's attention calls, of one head of one layer. */
  readonly instances: number;
  /** Share of the prompt's instances. */
  readonly share: number;
}

/** The cost of one block of a plan. */
export function blockCost(plan: Plan, block: number): BlockCost {
  const own = queryBlockAt(plan.queryBlocks, block);
  return {
    block,
    firstToken: blockStart(plan, block),
    endToken: blockEnd(plan, block),
    tiles: own.tiles,
    instances: own.instances,
    calls: callsOfBlock(plan, block),
    share: own.instances / plan.instances,
  };
}

/** The lens above a prompt: tokens of the model's context, blocks, calls, scenario. */
export function planHeadline(plan: PlanFigures): string {
  return [
    contextText(plan.tokens, plan.model),
    blocksOfSize(plan.blocks, formatCount(plan.blockSize)),
    // Hints show shares of the attention calls, which add up to this number.
    t('{0} ({1} attention)', formatNumberOf(plan.calls.total, 'call'), formatCount(plan.calls.attention)),
    scenarioLabel(plan.scenario),
  ].join(' · ');
}

/** What a block's hint says, short enough for the end of a line. @see hintFigures */
export function blockLabel({ block, calls, share }: BlockCost, prediction: DevicePrediction | null = null): string {
  return t('block {0} · {1} · {2}', block + 1, ...hintFigures(calls, share, prediction));
}

/** What the hint of the blocks `first` to `last` says, 0-based, which begin on one line. */
export function blocksLabel(plan: Plan, first: number, last: number, prediction: DevicePrediction | null): string {
  if (first === last) {
    return blockLabel(blockCost(plan, first), prediction);
  }
  const share = instancesOfBlocks(plan, first, last + 1) / plan.instances;
  return t('blocks {0}–{1} · {2} · {3}', first + 1, last + 1, ...hintFigures(callsOfBlocks(plan, first, last + 1), share, prediction));
}

/** Calls and share of the cost; with a prediction the share and the expected time of that attention, since calls are in the hover. */
function hintFigures(calls: number, share: number, prediction: DevicePrediction | null): [string, string] {
  return prediction === null
    ? [formatNumberOf(calls, 'call'), formatShare(share)]
    : [formatShare(share), formatDuration(share * attentionMs(prediction))];
}

/** The arithmetic behind the hint of the blocks `first` to `last`, 0-based: that of the first, and that there are more. */
export function blocksArithmetic(plan: Plan, first: number, last: number): string {
  const more = first === last ? [] : [t('And {0} more on this line.', formatNumberOf(last - first, 'block'))];
  return [blockArithmetic(plan, first), ...more].join('\n\n');
}

/** The arithmetic behind a block's hint, as Markdown. */
export function blockArithmetic(plan: Plan, block: number): string {
  const cost = blockCost(plan, block);
  const { model, oracle } = plan;
  const runs = queryBlockAt(plan.queryBlocks, block).runs.map(describeRun).join(', ');
  const perCall = oracle.heads * oracle.layers;
  const instances = instancesOf(plan, cost.instances);
  const calls = formatNumberOf(cost.calls, 'attention call');
  return [
    t(
      '**Block {0} of {1}**: tokens {2} to {3}, {4}',
      block + 1,
      formatCount(plan.blocks),
      formatCount(cost.firstToken + 1),
      formatCount(cost.endToken),
      scenarioLabel(plan.scenario),
    ),
    t(
      'Reads {0} of {1} ({2}), the key blocks: {3}.',
      formatCount(cost.tiles),
      formatNumberOf(plan.tiles, 'tile'),
      formatShare(cost.share),
      runs,
    ),
    hasHeadParts(plan)
      ? t('{0} of all heads ÷ {1} instances a call = **{2}**.', instancesOf(plan, cost.instances * model.heads), perCall, calls)
      : isUniform(plan)
        ? t('{0} × {1} heads ÷ {2} instances a call × {3} layers = **{4}**.', instances, model.heads, perCall, model.layers, calls)
        : t('{0} × {1} heads ÷ {2} instances a call = **{3}**.', instances, model.heads, perCall, calls),
  ].join('\n\n');
}

/** The arithmetic behind the whole prompt's figures, and what the model keeps of it, as Markdown. */
export function planArithmetic(plan: Plan, cache: CacheReport | null, memory: MemoryEstimate): string {
  const { calls, model, bound, flopsByPhase } = plan;
  const past = contextNote(plan.tokens, model);
  return [
    t(
      'N = {0}, M = {1}, {2}, {3}, construction {4}',
      formatNumberOf(plan.tokens, 'token'),
      formatCount(plan.oracle.inputLength),
      blocksOf(plan),
      scenarioLabel(plan.scenario),
      plan.construction,
    ),
    ...(contextLength(model) === undefined ? [] : [t('Context: {0}.', contextText(plan.tokens, model))]),
    ...(past === undefined ? [] : [`⚠ ${past}`]),
    t(
      '{0} = **{1} attention calls**; bound: {2} ({3}: `{4}`).',
      layerParts(plan)
        .filter(({ plan: { tiles } }) => tiles > 0)
        .map(packedText)
        .join(' + '),
      formatCount(calls.attention),
      formatCount(bound.calls),
      bound.theorem,
      bound.formula,
    ),
    t('2 × ⌈N/M⌉ × {0} layers = {1} token-wise calls.', model.layers, formatCount(calls.tokenwise)),
    t(
      '{0} in all, {1} of it attention (dense attention: {2}).',
      formatFlops(plan.flops),
      formatFlops(flopsByPhase.attend),
      formatFlops(flopsByPhase.attendDense),
    ),
    t('Memory of a run: about {0} at the peak = {1}.', formatBytes(memory.peak), memoryDetail(memory)),
    ...(cache === null ? [] : [t('Key-value cache: {0}.', `${formatBytes(cache.bytes.f16)} ${cacheDetail(cache)}`)]),
  ].join('\n\n');
}

/** The short text of the status bar item. */
export function planStatus(plan: PlanFigures): string {
  return t('{0} · {1} calls', contextText(plan.tokens, plan.model), formatCompact(plan.calls.total));
}

/** The text of the status bar item while text is selected: how many of the prompt's tokens begin in it. */
export function selectionStatus(selected: number, tokens: number): string {
  return t('{0} of {1} selected', formatCount(selected), formatNumberOf(tokens, 'token'));
}

/** T and its formula: a black box does not have M rows for tokens in every call. */
function blocksOf({ construction, blocks, blockSize }: PlanFigures): string {
  return construction === 'fused'
    ? `T = ⌈N/M⌉ = ${formatNumberOf(blocks, 'block')}`
    : blocksOfSize(blocks, formatNumberOf(blockSize, 'token'));
}

function blocksOfSize(blocks: number, size: string): string {
  return t(blocks === 1 ? '{0} block of {1}' : '{0} blocks of {1}', formatCount(blocks), size);
}

/**
 * The numbers behind rounded-up calls of layers: instances of one reading at a time, since two readings never share a call.
 */
function packedText({ layers, plan }: PlanPart): string {
  const { oracle, model } = plan;
  const readings = callsPerInstance(plan.construction);
  const packed = [
    instancesOf(plan, plan.instances / readings),
    model.heads,
    oracle.heads * oracle.layers,
    formatNumberOf(layers.length, 'layer'),
  ];
  return readings === 1
    ? t('⌈{0} × {1} heads ÷ {2} instances a call⌉ × {3}', ...packed)
    : t('{4} readings × ⌈{0} × {1} heads ÷ {2} instances a call⌉ × {3}', ...packed, readings);
}

/** What is packed into calls: tiles, or a black box's instances. */
function instancesOf({ construction }: PlanFigures, count: number): string {
  return formatNumberOf(count, construction === 'fused' ? 'tile' : 'instance');
}

function describeRun({ from, to, kind }: TileRun): string {
  const blocks = to === from + 1 ? String(to) : `${from + 1}–${to}`;
  switch (kind) {
    case 'full':
      return t('full {0}', blocks);
    case 'partial':
      return t('partial {0}', blocks);
    case 'sampled':
      return t('sampled {0}', blocks);
    case 'chosen':
      return t('chosen from {0}', blocks);
  }
}

/** The note in tooltips whose figures are outdated. */
export function staleNote(): string {
  return t('Outdated by the last edit or choice; updating.');
}

/**
 * A text with figures, marked if they are outdated; otherwise `fresh` takes the mark's place, so that nothing after it
 * moves.
 */
export function markStale(text: string, stale: boolean, fresh = ''): string {
  return `${text}${stale ? '…' : fresh}`;
}
