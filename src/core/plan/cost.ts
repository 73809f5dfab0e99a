import { attentionWidth, outputAndMlpParameters, projectionParameters, valueWidthOf } from '../shapes';
import { type AttentionCost, attentionRunBytes, flopsPerPair } from './attention-cost';
import { weightBytes } from './weight-bytes';
import type { LayerPlanRequest, PlanRequest } from './request';

/** Calls of the small transformer, counted from the tiles of the plan. */
export interface CallCounts {
  readonly total: number;
  /** Attention calls over all layers, each packed with `H'L'` single-head instances (lemma 3.3). */
  readonly attention: number;
  /**
   * Calls for projections, and for the output projection with the MLP: each reads every token once per layer, M per call.
   */
  readonly tokenwise: number;
  /** Attention and token-wise calls of one layer; where layers differ, the mean over layers. */
  readonly perLayer: number;
}

/** Floating-point operations (a multiply-add is two), over all layers. */
interface FlopCounts {
  readonly project: number;
  /** Executed by the attention calls, including masked and padded pairs. */
  readonly attend: number;
  readonly outputAndMlp: number;
  /** The part of `attend` spent on pairs the mask admits. */
  readonly attendVisible: number;
  /** Attention of one dense call over all N^2 pairs, for comparison. */
  readonly attendDense: number;
}

/** Memory of a run's tensors in bytes: weights as they are kept (`weightBytes`), all else in float32. */
interface ByteCounts {
  /** The model's weights. */
  readonly weights: number;
  /** Residual stream, queries, keys, values and attention states: grows as O(N). */
  readonly activations: number;
  /** Scores, masks and operands of the attention calls in one run: grows as O(M^2). */
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

/** The inputs of a plan's costs: the request, and one layer's attention. */
type CostedRequest = LayerPlanRequest & { readonly attention: AttentionCost; readonly visiblePairs: number };

/** Costs of a plan. */
export function costOf(request: CostedRequest): PlanCost {
  const calls = callsOf(request);
  const flopsByPhase = flopsOf(request);
  const bytesByUse = bytesOf(request, request.attention.calls);
  return {
    calls,
    flops: flopsByPhase.project + flopsByPhase.attend + flopsByPhase.outputAndMlp,
    flopsByPhase,
    bytes: totalBytes(bytesByUse),
    bytesByUse,
  };
}

/**
 * Sums the costs of kinds of layer: their work adds up, and the memory covers all of them. @param request the whole model's
 */
export function sumCosts(request: PlanRequest, parts: readonly PlanCost[]): PlanCost {
  const total = <Field extends string>(records: readonly Readonly<Record<Field, number>>[]): Record<Field, number> =>
    Object.fromEntries(
      Object.keys(records[0]).map((field) => [field, records.reduce((sum, record) => sum + record[field as Field], 0)]),
    ) as Record<Field, number>;
  const calls = total(parts.map((part) => part.calls));
  const flopsByPhase = total(parts.map((part) => part.flopsByPhase));
  // The weights are the whole model's, and all kinds of layer write to the same activations, which are those of the widest.
  const { batches } = total(parts.map((part) => part.bytesByUse));
  const activations = Math.max(...parts.map(({ bytesByUse: { activations: own } }) => own));
  const bytesByUse = { weights: weightBytes(request.model), activations, batches };
  return {
    calls: { ...calls, perLayer: calls.total / request.model.layers },
    flops: flopsByPhase.project + flopsByPhase.attend + flopsByPhase.outputAndMlp,
    flopsByPhase,
    bytes: totalBytes(bytesByUse),
    bytesByUse,
  };
}

function callsOf({ model, oracle, tokens, attention, within }: CostedRequest): CallCounts {
  const tokenwise = within?.counted === false ? 0 : 2 * Math.ceil(tokens / oracle.inputLength);
  return {
    total: model.layers * (attention.calls + tokenwise),
    attention: model.layers * attention.calls,
    tokenwise: model.layers * tokenwise,
    perLayer: attention.calls + tokenwise,
  };
}

function flopsOf({ model, tokens, attention, visiblePairs, within }: CostedRequest): FlopCounts {
  const perPair = flopsPerPair(model);
  const shape = within?.model ?? model;
  // Every token goes once through each of these matrices, which all heads share.
  const tokenwise = within?.counted === false ? 0 : 2 * tokens * model.layers;
  return {
    project: tokenwise * projectionParameters(shape),
    attend: model.layers * attention.flops,
    outputAndMlp: tokenwise * outputAndMlpParameters(shape),
    attendVisible: model.layers * perPair * visiblePairs,
    attendDense: model.layers * perPair * tokens * tokens,
  };
}

/** Bytes of a float32. */
const floatBytes = 4;

function bytesOf(request: LayerPlanRequest, layerCalls: number): ByteCounts {
  const { oracle, tokens, within } = request;
  const model = within?.model ?? request.model;
  const { heads, width, feedForwardWidth } = model;
  const rows = Math.min(tokens, tokenwiseRows(oracle.inputLength));
  // Residual stream; queries, keys, values; the accumulated attention state with float64 normalisers.
  const perToken = floatBytes * (width + attentionWidth(model) + 2 * heads);
  const tokenwiseRun = floatBytes * rows * Math.max(3 * feedForwardWidth, 4 * width + attentionWidth(model) - valueWidthOf(model) * heads);
  return {
    weights: weightBytes(model),
    activations: tokens * perToken + tokenwiseRun,
    batches: attentionRunBytes(request, layerCalls),
  };
}

/** Tokens per token-wise `run()`: whole calls of M tokens, few enough that its intermediates stay bounded. */
export function tokenwiseRows(inputLength: number, most = 2048): number {
  return inputLength * Math.max(1, Math.floor(most / inputLength));
}

function totalBytes({ weights, activations, batches }: ByteCounts): number {
  return weights + activations + batches;
}
