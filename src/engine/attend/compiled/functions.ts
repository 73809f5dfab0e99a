import type { Precision } from '../../../core/options/table';
import { FunctionBuilder, type ModelFunction } from '../onnx/graph-builder';
import { largestEnd, type Operators, type Value } from '../onnx/operators';

/** A tile's mean values and log-normalisers, as values of a graph. */
export interface StateValues {
  /** `[..., M, m]`. */
  readonly out: Value;
  /** `[..., M, 1]`, natural logarithm. */
  readonly logNormaliser: Value;
}

/**
 * The small transformer as a model-local function: attention of queries to at most M keys, with its log-normaliser.
 *
 * Inputs `query` `[..., M, m]` (scaled by 1/sqrt(m)), `key` and `value` `[..., M, m]`, and in the masked variant `mask`,
 * which is added to the scores, and in the capped ones the number `cap`, c: scores s are bent to `c tanh(s / c)` first. Leading axes are calls and heads, and broadcast. Softmax takes the maximum out before exp;
 * the largest weight is 1 over the sum that it divided by, which gives the log-normaliser without another exp.
 *
 * Both outputs are cut from one tensor, so that using either runs the whole call: a runtime that computed all
 * log-normalisers first would keep the weights of every call, O(N^2), for the values that come later.
 */
function smallTransformer(precision: Precision, { masked, capped }: Record<'masked' | 'capped', boolean>): ModelFunction {
  const f = new FunctionBuilder(`${capped ? 'Capped' : ''}${masked ? 'Masked' : ''}SmallTransformer`);
  const query = f.input('query');
  const key = f.input('key');
  const value = f.input('value');
  // Only products are in float16: a log-normaliser of some hundreds has three digits there, and merging needs more.
  const product = (a: Value, b: Value): Value =>
    precision === 'float32' ? f.matMul(a, b) : f.cast(f.matMul(f.cast(a, 'float16'), f.cast(b, 'float16')), 'float32');
  const plain = product(query, f.transpose(key, [0, 1, 2, 4, 3]));
  const products = capped ? f.cap(plain, f.input('cap')) : plain;
  const scores = masked ? f.add(products, f.input('mask')) : products;
  const weights = f.softmax(scores);
  const logNormaliser = f.subtract(f.reduceMax(scores, -1), f.log(f.reduceMax(weights, -1)));
  const state = f.concat(-1, product(weights, value), logNormaliser);
  f.output('out', f.slice(state, -1, 0, -1));
  f.output('logNormaliser', f.slice(state, -1, -1, largestEnd));
  return f.build('Attention of a query block to key blocks of M tokens, one call each, with the natural logarithm of the softmax sum.');
}

/** One state over the keys of all tiles along axis 0: weights e^(l - max l), as in merging states two by two. */
function mergeTiles(): ModelFunction {
  const f = new FunctionBuilder('MergeTiles');
  const out = f.input('outs');
  const logNormaliser = f.input('logNormalisers');
  const high = f.reduceMax(logNormaliser, 0);
  const weights = f.exp(f.subtract(logNormaliser, high));
  const total = f.reduceSum(weights, 0);
  f.output('out', f.divide(f.reduceSum(f.multiply(weights, out), 0), total));
  f.output('logNormaliser', f.add(high, f.log(total)));
  return f.build('Attention states of disjoint key sets along axis 0, merged into one.');
}

/** The state over the keys of two: associative and commutative; a state whose keys were all hidden weighs nothing. */
function mergeStates(): ModelFunction {
  const f = new FunctionBuilder('MergeStates');
  const leftOut = f.input('leftOut');
  const left = f.input('leftLogNormaliser');
  const rightOut = f.input('rightOut');
  const right = f.input('rightLogNormaliser');
  const high = f.max(left, right);
  const [a, b] = [f.exp(f.subtract(left, high)), f.exp(f.subtract(right, high))];
  const total = f.add(a, b);
  f.output('out', f.divide(f.add(f.multiply(a, leftOut), f.multiply(b, rightOut)), total));
  f.output('logNormaliser', f.add(high, f.log(total)));
  return f.build('Two attention states of disjoint key sets, merged into one.');
}

/** The functions that compiled graphs call, by the precision of the small transformer's products. */
export const compiledFunctions: Readonly<Record<Precision, readonly ModelFunction[]>> = {
  float32: functionsOf('float32'),
  float16: functionsOf('float16'),
};

function functionsOf(precision: Precision): readonly ModelFunction[] {
  return [
    smallTransformer(precision, { masked: false, capped: false }),
    smallTransformer(precision, { masked: true, capped: false }),
    mergeTiles(),
    mergeStates(),
    smallTransformer(precision, { masked: false, capped: true }),
    smallTransformer(precision, { masked: true, capped: true }),
  ];
}

// Calls refer to functions by name and number of outputs, which are the same at every precision.
const [open, masked, tilesMerged, statesMerged, cappedOpen, cappedMasked] = compiledFunctions.float32;

/** What changes the scores of a call to the small transformer. */
interface ScoreChanges {
  /** Added to them. */
  readonly mask: Value | undefined;
  /** c, where scores s are bent to `c tanh(s / c)` before that. */
  readonly cap: number | undefined;
}

/** Calls the small transformer. */
export function callSmallTransformer(g: Operators, query: Value, key: Value, value: Value, { mask, cap }: ScoreChanges): StateValues {
  const [whole, partly] = cap === undefined ? [open, masked] : [cappedOpen, cappedMasked];
  const changes = [...(cap === undefined ? [] : [g.scalar(cap)]), ...(mask === undefined ? [] : [mask])];
  return state(g.call(mask === undefined ? whole : partly, [query, key, value, ...changes], 2));
}

/** Merges the tiles along axis 0. */
export function callMergeTiles(g: Operators, { out, logNormaliser }: StateValues): StateValues {
  return state(g.call(tilesMerged, [out, logNormaliser], 2));
}

/** Merges two states. */
export function callMergeStates(g: Operators, left: StateValues, right: StateValues): StateValues {
  return state(g.call(statesMerged, [left.out, left.logNormaliser, right.out, right.logNormaliser], 2));
}

function state([out, logNormaliser]: readonly Value[]): StateValues {
  return { out, logNormaliser };
}
