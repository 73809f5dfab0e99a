import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import { denseAttentionGraph, groupQueryAttentionGraph, multiHeadAttentionGraph } from '../../src/engine/attend/graphs/dense';
import { sessionOptions, type Device } from '../../src/engine/attend/runtime/provider';

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
  const operand = new Tensor('float32', data, [1, tokens, heads * headWidth]);
  return open(multiHeadAttentionGraph(tokens, heads, headWidth), device, { query: operand, key: operand, value: operand });
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
  const operand = new Tensor('float32', data, [1, tokens, heads * headWidth]);
  return open(groupQueryAttentionGraph(tokens, heads, headWidth, window), device, {
    query: operand,
    key: operand,
    value: operand,
    lengths: new Tensor('int32', [tokens - 1], [1]),
    total: new Tensor('int32', [tokens], []),
  });
}

/** The plain dense graph: scores of all pairs, mask, softmax, values, in one call. */
export async function denseGraph(tokens: number, heads: number, headWidth: number, data: Float32Array, device: Device): Promise<Peer> {
  const operand = new Tensor('float32', data, [heads, tokens, headWidth]);
  return open(denseAttentionGraph(tokens, headWidth), device, { query: operand, key: operand, value: operand });
}

async function open(graph: Uint8Array, device: Device, feeds: Readonly<Record<string, Tensor>>): Promise<Peer> {
  const session = await InferenceSession.create(graph, sessionOptions(device));
  // Of operators that also give a cache, only the output: what is handed to JavaScript is copied.
  return { run: () => session.run(feeds, ['out']), release: () => session.release() };
}
