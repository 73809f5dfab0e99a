import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { runtimeDomain } from '../onnx/operators';
import { hiddenScore } from './attend';

/**
 * `[rows, rows]`: 0 up to the diagonal, `hiddenScore` or less after it; ONNX Runtime folds it into a constant when it loads
 * the graph.
 */
export function causalMask(g: GraphBuilder, rows: number): Value {
  const positions = Float32Array.from({ length: rows }, (_, row) => row);
  const ahead = g.subtract(g.floats([1, rows], positions), g.floats([rows, 1], positions));
  return g.multiply(g.relu(ahead), g.scalar(hiddenScore));
}

/**
 * Dense attention in its textbook form: scores of all N^2 pairs, a causal mask, softmax, and the weighted values, in one
 * call.
 *
 * Inputs `query`, `key`, `value` `[heads, N, m]`, queries scaled by 1/sqrt(m); output `out` `[heads, N, m]`. Its memory
 * grows as O(N^2).
 */
export function denseAttentionGraph(tokens: number, headWidth: number): Uint8Array {
  const g = new GraphBuilder('dense-attention');
  const operand = ['heads', tokens, headWidth];
  const query = g.input('query', operand);
  const key = g.input('key', operand);
  const value = g.input('value', operand);
  const scores = g.add(g.matMul(query, g.transpose(key, [0, 2, 1])), causalMask(g, tokens));
  g.output('out', g.matMul(g.softmax(scores), value), operand);
  return g.build();
}

/**
 * `MultiHeadAttention` of ONNX Runtime, causal; it computes all pairs.
 *
 * Inputs `query`, `key`, `value` and output `out`: `[1, N, heads m]`.
 */
export function multiHeadAttentionGraph(tokens: number, heads: number, headWidth: number): Uint8Array {
  const g = new GraphBuilder('multi-head-attention');
  const shape = [1, tokens, heads * headWidth];
  const operands = ['query', 'key', 'value'].map((name) => g.input(name, shape));
  const [out] = g.call({ opType: 'MultiHeadAttention', domain: runtimeDomain }, operands, 1, { num_heads: heads, unidirectional: 1 });
  g.output('out', out, shape);
  return g.build();
}

/**
 * `GroupQueryAttention` of ONNX Runtime, causal, all heads of their own; it skips the pairs that causality hides.
 *
 * Inputs `query`, `key`, `value` `[1, N, heads m]`, int32 `lengths` `[1]` (N - 1) and `total` `[]` (N); outputs `out`, and the
 * cache `presentKey` and `presentValue` `[1, heads, N, m]`.
 * @param window the last tokens that a query sees; -1 for all
 */
export function groupQueryAttentionGraph(tokens: number, heads: number, headWidth: number, window = -1): Uint8Array {
  const g = new GraphBuilder('group-query-attention');
  const shape = [1, tokens, heads * headWidth];
  const [query, key, value] = ['query', 'key', 'value'].map((name) => g.input(name, shape));
  const nothing: Value = { name: '' };
  const [out, presentKey, presentValue] = g.call(
    { opType: 'GroupQueryAttention', domain: runtimeDomain },
    [query, key, value, nothing, nothing, g.input('lengths', [1], 'int32'), g.input('total', [], 'int32')],
    3,
    { num_heads: heads, kv_num_heads: heads, local_window_size: window },
  );
  g.output('out', out, shape);
  g.output('presentKey', presentKey, [1, heads, tokens, headWidth]);
  g.output('presentValue', presentValue, [1, heads, tokens, headWidth]);
  return g.build();
}

/**
 * Attention as a kernel without a mask input computes it: theorem 4.2 packs prompts into such calls.
 *
 * Inputs: `query` `[H_kv, H / H_kv, N, columns]` (queries already scaled), `key` and `value` `[H_kv, 1, N, columns]`;
 * columns are a head's m plus any that the caller appended. Output: `out`, with the shape of `query`. The graph has no
 * information about which pairs should be visible.
 * @param causalTokens builds in a causal flag; the length N is fixed then, as in a graph compiled for one shape
 */
export function packedAttentionGraph(causalTokens?: number): Uint8Array {
  const g = new GraphBuilder('packed-attention');
  const tokens = causalTokens ?? 'N';
  const query = g.input('query', ['keyValueHeads', 'group', tokens, 'columns']);
  const key = g.input('key', ['keyValueHeads', 1, tokens, 'columns']);
  const value = g.input('value', ['keyValueHeads', 1, tokens, 'columns']);

  const products = g.matMul(query, g.transpose(key, [0, 1, 3, 2]));
  const scores = causalTokens === undefined ? products : g.add(products, causalMask(g, causalTokens));
  g.output('out', g.matMul(g.softmax(scores), value), ['keyValueHeads', 'group', tokens, 'columns']);
  return g.build();
}
