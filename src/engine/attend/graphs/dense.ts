import { GraphBuilder } from '../onnx/graph-builder';
import { causalMask } from '../../graphs/causal-mask';

/**
 * Attention as a kernel without a mask input computes it: what theorem 4.2 packs prompts into.
 *
 * Inputs: `query` `[H_kv, H / H_kv, N, columns]` (queries already scaled), `key` and `value` `[H_kv, 1, N, columns]`;
 * columns are a head's m and whatever the caller appended to them. Output: `out`, shaped as `query`. Nothing tells the
 * graph which pairs are to be visible.
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
