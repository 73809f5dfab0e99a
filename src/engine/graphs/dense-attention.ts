import { GraphBuilder } from '../attend/onnx/graph-builder';
import { causalMask } from './causal-mask';

/**
 * What everyone writes first: scores of all N^2 pairs, a causal mask, softmax, and the weighted values, in one call.
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
