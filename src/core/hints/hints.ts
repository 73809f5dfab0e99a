import { largestTokens, type BreakEven } from '../device/break-even';
import { formatBytes, formatCompact, formatCount, formatDuration, formatFlops, formatNumberOf, formatShare } from '../format';
import { callsPerInstance } from '../constructions/slice';
import { scenarioLabel } from '../masks';
import { callsOfBlock } from '../plan/block-calls';
import { blockEnd, blockStart } from '../plan/partition';
import { isUniform, layerParts } from '../plan/parts';
import type { Plan, PlanPart } from '../plan/plan';
import type { TileRun } from '../plan/tiles';
import { attentionMs, type DevicePrediction, type PredictionReport } from '../report/prediction';

/** A plan's figures, without its tiles. */
type PlanFigures = Omit<Plan, 'queryBlocks' | 'parts'>;

/** What the editor says about one block of the prompt. */
export interface BlockCost {
  /** 0-based. */
  readonly block: number;
  readonly firstToken: number;
  /** The token after the block's last one. */
  readonly endToken: number;
  /** Tiles that the block's queries read, of one head of one layer. */
  readonly tiles: number;
  /** Attention calls that the block causes over all layers. */
  readonly calls: number;
  /** Single-head instances of attention calls that the block causes, of one head of one layer. */
  readonly instances: number;
  /** Share of the prompt's instances. */
  readonly share: number;
}

/** The cost of one block of a plan. */
export function blockCost(plan: Plan, block: number): BlockCost {
  const own = plan.queryBlocks[block];
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

/** The lens above a prompt: tokens, blocks, calls, scenario. */
export function planHeadline(plan: PlanFigures): string {
  return [
    formatNumberOf(plan.tokens, 'token'),
    `${formatNumberOf(plan.blocks, 'block')} of ${formatCount(plan.blockSize)}`,
    formatNumberOf(plan.calls.total, 'call'),
    scenarioLabel(plan.scenario),
  ].join(' · ');
}

/** What a calibrated device is expected to take: time and memory, to go behind a headline. */
export function expectation({ wallMs, peakBytes }: Pick<DevicePrediction, 'wallMs' | 'peakBytes'>): string {
  return `about ${formatDuration(wallMs)} · ${formatBytes(peakBytes)}`;
}

/** The hint at a block's first token: with a prediction also the time of its share of the attention. */
export function blockLabel(cost: BlockCost, prediction: DevicePrediction | null = null): string {
  return `block ${cost.block + 1} · ${formatNumberOf(cost.calls, 'call')} · ${formatShare(cost.share)}${expectedTime(cost.share, prediction)}`;
}

/** The time of a share of the attention, to go behind its figures; nothing without a prediction. */
export function expectedTime(share: number, prediction: DevicePrediction | null): string {
  return prediction === null ? '' : ` · ${formatDuration(share * attentionMs(prediction))}`;
}

/** Where a prediction comes from and when the simulation wins, as Markdown; without a calibration, how to get one. */
export function predictionArithmetic(prediction: PredictionReport | null): string {
  if (prediction === null) {
    return 'Time is not known: run **Two Heads: Calibrate This Machine** once. The black-box constructions are not predicted.';
  }
  const { provider, device, threads, phases, breakEven } = prediction;
  const parts = Object.entries(phases).filter(([, time]) => time > 0);
  return [
    `Expected on ${provider} (${device}, ${threads} threads): **${expectation(prediction)}** = ${parts.map(([phase, time]) => `${phase} ${formatDuration(time)}`).join(' + ')}.`,
    ...(breakEven === null ? [] : [`Attention: ${breakEvenText(breakEven)}.`]),
  ].join('\n\n');
}

/** What the simulation's attention and dense attention take, and from when on the simulation is faster. */
export function breakEvenText({ attentionMs: simulated, denseMs, fromTokens }: BreakEven): string {
  const here = `${formatDuration(simulated)} against ${formatDuration(denseMs)} as one dense causal call`;
  return fromTokens === undefined
    ? `${here}; dense attention is faster at every length up to ${formatCount(largestTokens)} tokens`
    : `${here}; faster from ${formatCount(fromTokens)} tokens on`;
}

/** The arithmetic behind a block's hint, as Markdown. */
export function blockArithmetic(plan: Plan, block: number): string {
  const cost = blockCost(plan, block);
  const { model, oracle } = plan;
  const runs = plan.queryBlocks[block].runs.map(describeRun).join(', ');
  const perCall = oracle.heads * oracle.layers;
  return [
    `**Block ${block + 1} of ${formatCount(plan.blocks)}**: tokens ${formatCount(cost.firstToken + 1)} to ${formatCount(cost.endToken)}, ${scenarioLabel(plan.scenario)}`,
    `Reads ${formatCount(cost.tiles)} of ${formatNumberOf(plan.tiles, 'tile')} (${formatShare(cost.share)}): ${runs}.`,
    `${instancesOf(plan, cost.instances)} × ${model.heads} heads ÷ ${perCall} instances a call${isUniform(plan) ? ` × ${model.layers} layers` : ''} = **${formatNumberOf(cost.calls, 'attention call')}**.`,
  ].join('\n\n');
}

/** The arithmetic behind the whole prompt's figures, as Markdown. */
export function planArithmetic(plan: Plan): string {
  const { calls, model, bound, flopsByPhase } = plan;
  return [
    `N = ${formatNumberOf(plan.tokens, 'token')}, M = ${formatCount(plan.oracle.inputLength)}, ${blocksOf(plan)}, ${scenarioLabel(plan.scenario)}, construction ${plan.construction}`,
    `${layerParts(plan).map(packedText).join(' + ')} = **${formatCount(calls.attention)} attention calls**; bound: ${formatCount(bound.calls)} (${bound.theorem}: \`${bound.formula}\`).`,
    `2 × ⌈N/M⌉ × ${model.layers} layers = ${formatCount(calls.tokenwise)} token-wise calls.`,
    `${formatFlops(plan.flops)} in all, ${formatFlops(flopsByPhase.attend)} of it attention (dense attention: ${formatFlops(flopsByPhase.attendDense)}); about ${formatBytes(plan.bytes)} of tensors at the peak.`,
  ].join('\n\n');
}

/** The status item: short. */
export function planStatus(plan: PlanFigures): string {
  return `${formatCompact(plan.tokens)} tok · ${formatCompact(plan.calls.total)} calls`;
}

/** T and where it comes from: a black box has no room for M tokens of its own in every call. */
function blocksOf({ construction, blocks, blockSize }: PlanFigures): string {
  return construction === 'fused' ? `T = ⌈N/M⌉ = ${formatNumberOf(blocks, 'block')}` : `${formatNumberOf(blocks, 'block')} of ${formatNumberOf(blockSize, 'token')}`;
}

/** What the calls of layers are rounded up from: instances of one reading at a time, since two readings share no call. */
function packedText({ layers, plan }: PlanPart): string {
  const { oracle, model } = plan;
  const readings = callsPerInstance(plan.construction);
  const instances = instancesOf(plan, plan.instances / readings);
  return `${readings === 1 ? '' : `${readings} readings × `}⌈${instances} × ${model.heads} heads ÷ ${oracle.heads * oracle.layers} instances a call⌉ × ${formatNumberOf(layers.length, 'layer')}`;
}

/** What is packed into calls: tiles, or the instances that a black box makes of them. */
function instancesOf({ construction }: PlanFigures, count: number): string {
  return formatNumberOf(count, construction === 'fused' ? 'tile' : 'instance');
}

function describeRun({ from, to, kind }: TileRun): string {
  return to === from + 1 ? `${kind} ${from + 1}` : `${kind} ${from + 1}–${to}`;
}
