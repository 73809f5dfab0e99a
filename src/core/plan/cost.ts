import {
  outputAndMlpParameters,
  parameterCount,
  projectionParameters,
  type ModelShape,
} from '../shapes';
import type { PlanRequest } from './plan';

/** Calls of the small transformer, counted from the tiles of the plan. */
export interface CallCounts {
  readonly total: number;
  /** Attention tiles, packed `H'L'` single-head instances a call (lemma 3.3), over all layers. */
  readonly attention: number;
  /** Projections, and output projection with the MLP: each reads every block once a layer. */
  readonly tokenwise: number;
  /** Attention and token-wise calls of one layer. */
  readonly perLayer: number;
}

/** Floating-point operations (a multiply-add is two), over all layers. */
export interface FlopCounts {
  readonly project: number;
  /** Executed by the tiles, masked and padded pairs included. */
  readonly attend: number;
  readonly outputAndMlp: number;
  /** The part of `attend` spent on pairs the mask admits. */
  readonly attendVisible: number;
  /** Attention of one dense call over all N^2 pairs, for comparison. */
  readonly attendDense: number;
}

/** Memory of a run's tensors in bytes, as they are allocated in float32. */
export interface ByteCounts {
  readonly weights: number;
  /** Residual stream, queries, keys, values and attention states: grows as O(N). */
  readonly activations: number;
  /** Scores, masks and operands of the two batches of attention calls, open and masked: grows as O(M^2). */
  readonly batches: number;
}

/** The costs of a plan. */
export interface PlanCost {
  readonly calls: CallCounts;
  /** All floating-point operations of the layers. */
  readonly flops: number;
  readonly flopsByPhase: FlopCounts;
  /** Estimated peak memory of the tensors in bytes: weights, activations and batches of attention calls. */
  readonly bytes: number;
  readonly bytesByUse: ByteCounts;
}

/** Costs of `tiles` tiles per head over `blocks` blocks. */
export function costOf(
  request: PlanRequest & { readonly blocks: number; readonly tiles: number; readonly visiblePairs: number },
): PlanCost {
  const calls = callsOf(request);
  const flopsByPhase = flopsOf(request);
  const bytesByUse = bytesOf({ ...request, layerCalls: calls.attention / request.model.layers });
  return {
    calls,
    flops: flopsByPhase.project + flopsByPhase.attend + flopsByPhase.outputAndMlp,
    flopsByPhase,
    bytes: totalBytes(bytesByUse),
    bytesByUse,
  };
}

function callsOf({ model, oracle, blocks, tiles }: PlanRequest & { blocks: number; tiles: number }): CallCounts {
  const attention = Math.ceil((tiles * model.heads) / (oracle.heads * oracle.layers));
  const tokenwise = 2 * blocks;
  return {
    total: model.layers * (attention + tokenwise),
    attention: model.layers * attention,
    tokenwise: model.layers * tokenwise,
    perLayer: attention + tokenwise,
  };
}

function flopsOf({ model, oracle, tokens, tiles, visiblePairs }: PlanRequest & { tiles: number; visiblePairs: number }): FlopCounts {
  const perPair = flopsPerPair(model);
  const read = Math.min(tokens, oracle.inputLength);
  return {
    project: 2 * tokens * model.layers * projectionParameters(model),
    attend: model.layers * perPair * tiles * read * read,
    outputAndMlp: 2 * tokens * model.layers * outputAndMlpParameters(model),
    attendVisible: model.layers * perPair * visiblePairs,
    attendDense: model.layers * perPair * tokens * tokens,
  };
}

/** A score (m multiply-adds) and a weighted value (m multiply-adds) for every head of one layer. */
function flopsPerPair(model: ModelShape): number {
  return 4 * model.headWidth * model.heads;
}

/** Bytes of a float32. */
const floatBytes = 4;

function bytesOf({ model, oracle, tokens, layerCalls }: PlanRequest & { layerCalls: number }): ByteCounts {
  const { heads, keyValueHeads, headWidth, width, feedForwardWidth } = model;
  const rows = Math.min(tokens, tokenwiseRows(oracle.inputLength));
  // Residual stream; queries, keys, values; the accumulated attention state with float64 normalisers.
  const perToken = floatBytes * (width + headWidth * (2 * heads + 2 * keyValueHeads) + 2 * heads);
  const tokenwiseRun = floatBytes * rows * Math.max(3 * feedForwardWidth, 4 * width + headWidth * (heads + 2 * keyValueHeads));
  return {
    weights: floatBytes * parameterCount(model),
    activations: tokens * perToken + tokenwiseRun,
    batches: 2 * callsPerDispatch({ model, oracle, tokens }, layerCalls) * attentionCallBytes({ model, oracle, tokens }),
  };
}

/**
 * Tokens that one token-wise `run()` takes: whole calls of M tokens, few enough that its intermediates stay bounded.
 */
export function tokenwiseRows(inputLength: number): number {
  return inputLength * Math.max(1, Math.floor(2048 / inputLength));
}

/** Bytes of one attention call: scores, weights and mask `[H'L', M, M]`, and operands and results `[H'L', M, m]`. */
function attentionCallBytes({ model, oracle, tokens }: CallShape): number {
  const read = Math.min(oracle.inputLength, tokens);
  const instances = oracle.heads * oracle.layers;
  const masks = model.heads % instances === 0 ? 1 : instances;
  return floatBytes * read * (read * (2 * instances + masks) + 4 * instances * model.headWidth);
}

/** Memory that one batch of attention calls may take, so that one `run()` stays short and cancelling stays prompt. */
const batchBytes = 32 * 1024 * 1024;

/** Attention calls that one `run()` carries: as many as the batch's memory holds, at least one, at most a layer's. */
export function callsPerDispatch(shape: CallShape, layerCalls: number): number {
  return Math.max(1, Math.min(layerCalls, Math.floor(batchBytes / attentionCallBytes(shape))));
}

type CallShape = Pick<PlanRequest, 'model' | 'oracle' | 'tokens'>;

/** The largest power of two M whose plan fits `limit` bytes, or undefined where not even M = 2 does. */
export function largestBlockThatFits(request: PlanRequest, limit: number): number | undefined {
  for (let inputLength = 2 ** Math.floor(Math.log2(request.oracle.inputLength)); inputLength >= 2; inputLength /= 2) {
    // The number of calls only ever lowers the estimate, and small blocks have plenty.
    const estimate = bytesOf({ ...request, oracle: { ...request.oracle, inputLength }, layerCalls: Infinity });
    if (totalBytes(estimate) <= limit) {
      return inputLength;
    }
  }
  return undefined;
}

function totalBytes({ weights, activations, batches }: ByteCounts): number {
  return weights + activations + batches;
}
