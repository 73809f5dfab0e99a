import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import { denseAttentionGraph } from '../../src/engine/attend/graphs/dense';
import { GraphBuilder, type Value } from '../../src/engine/attend/onnx/graph-builder';
import { sessionOptions, type Device } from '../../src/engine/attend/runtime/provider';

/** The domain of ONNX Runtime's own operators. */
const contrib = 'com.microsoft';

/** Attention that others provide, on data of its own: made once, run again and again. */
export interface Peer {
  run(): Promise<unknown>;
  release(): Promise<void>;
}

/** `MultiHeadAttention` of ONNX Runtime, causal, on `[1, N, H m]`. */
export async function multiHeadAttention(
  tokens: number,
  heads: number,
  headWidth: number,
  data: Float32Array,
  device: Device,
): Promise<Peer> {
  const g = new GraphBuilder('multi-head-attention');
  const shape = [1, tokens, heads * headWidth];
  const operands = ['query', 'key', 'value'].map((name) => g.input(name, shape));
  const [out] = g.call({ opType: 'MultiHeadAttention', domain: contrib }, operands, 1, { num_heads: heads, unidirectional: 1 });
  g.output('out', out, shape);
  const operand = new Tensor('float32', data, shape);
  return open(g, device, { query: operand, key: operand, value: operand });
}

/** `GroupQueryAttention` of ONNX Runtime, causal, all heads of their own; a window of -1 is none. */
export async function groupQueryAttention(
  tokens: number,
  heads: number,
  headWidth: number,
  window: number,
  data: Float32Array,
  device: Device,
): Promise<Peer> {
  const g = new GraphBuilder('group-query-attention');
  const shape = [1, tokens, heads * headWidth];
  const [query, key, value] = ['query', 'key', 'value'].map((name) => g.input(name, shape));
  const nothing: Value = { name: '' };
  const lengths = g.input('lengths', [1], 'int32');
  const total = g.input('total', [], 'int32');
  const attributes = { num_heads: heads, kv_num_heads: heads, local_window_size: window };
  const [out, presentKey, presentValue] = g.call(
    { opType: 'GroupQueryAttention', domain: contrib },
    [query, key, value, nothing, nothing, lengths, total],
    3,
    attributes,
  );
  g.output('out', out, shape);
  g.output('presentKey', presentKey, [1, heads, tokens, headWidth]);
  g.output('presentValue', presentValue, [1, heads, tokens, headWidth]);
  const operand = new Tensor('float32', data, shape);
  return open(g, device, {
    query: operand,
    key: operand,
    value: operand,
    lengths: new Tensor('int32', [tokens - 1], [1]),
    total: new Tensor('int32', [tokens], []),
  });
}

/** The plain dense graph: scores of all pairs, mask, softmax, values, in one call. */
export async function denseGraph(tokens: number, heads: number, headWidth: number, data: Float32Array, device: Device): Promise<Peer> {
  const session = await InferenceSession.create(denseAttentionGraph(tokens, headWidth), sessionOptions(device));
  const operand = new Tensor('float32', data, [heads, tokens, headWidth]);
  return { run: () => session.run({ query: operand, key: operand, value: operand }), release: () => session.release() };
}

async function open(g: GraphBuilder, device: Device, feeds: Readonly<Record<string, Tensor>>): Promise<Peer> {
  const session = await InferenceSession.create(g.build({ domains: [contrib] }), sessionOptions(device));
  return { run: () => session.run(feeds), release: () => session.release() };
}
