import { writeFile } from 'node:fs/promises';
import type { LayerWeights, LoadedModel } from '../../src/engine/model/load';
import type { Weights } from '../../src/engine/model/weights';

/** GGUF's numbers for the types of metadata values, and for float32 tensors. */
const valueTypes = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const float32Tensor = 0;

/** Tensors begin at multiples of this in the file. */
const alignment = 32;

/** A tensor on its way to the file: its shape with the fastest axis first, as GGUF has it. */
interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Value =
  | { readonly type: 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly values: readonly Exclude<Value, { readonly type: 'array' }>[] };

/**
 * Writes a model as a GGUF file, version 3, float32, architecture `llama`, with a vocabulary of placeholders: llama.cpp is
 * given token ids, but does not load a model without a tokenizer.
 *
 * Llama.cpp rotates neighbouring columns of a head where checkpoints rotate halves: query and key rows are reordered for it.
 */
export async function writeGguf(path: string, model: LoadedModel, contextLength: number): Promise<void> {
  const { shape, norm, rotary } = model;
  const count = (value: number): Value => ({ type: 'uint32', value });
  const metadata: Readonly<Record<string, Value>> = {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.name': { type: 'string', value: model.name },
    'general.alignment': count(alignment),
    'llama.block_count': count(shape.layers),
    'llama.context_length': count(contextLength),
    'llama.embedding_length': count(shape.width),
    'llama.feed_forward_length': count(shape.feedForwardWidth),
    'llama.attention.head_count': count(shape.heads),
    'llama.attention.head_count_kv': count(shape.keyValueHeads),
    'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: norm.epsilon },
    'llama.rope.freq_base': { type: 'float32', value: rotary?.[0].theta ?? 10_000 },
    'llama.rope.dimension_count': count(shape.headWidth),
    'llama.vocab_size': count(shape.vocabulary),
    ...placeholderTokenizer(shape.vocabulary),
  };
  const tensors: readonly Tensor[] = [
    { name: 'token_embd.weight', shape: [shape.width, shape.vocabulary], data: model.embedding.words.data },
    { name: 'output_norm.weight', shape: [shape.width], data: required(model.head, 'finalNormWeight') },
    ...model.layers.flatMap((layer, index) => layerTensors(layer, index, model)),
  ];
  await writeFile(path, fileParts(metadata, tensors));
}

/** A SentencePiece vocabulary of so many tokens: the special ones, the bytes, and names for the rest. */
function placeholderTokenizer(vocabulary: number): Readonly<Record<string, Value>> {
  const special = ['<unk>', '<s>', '</s>'];
  const kinds = { normal: 1, unknown: 2, control: 3, byte: 6 };
  const tokens = Array.from({ length: vocabulary }, (_, id) => {
    const byte = id - special.length;
    return special[id] ?? (byte < 256 ? `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>` : `token${id}`);
  });
  const kindOf = (id: number): number => (id === 0 ? kinds.unknown : id < special.length ? kinds.control : id < special.length + 256 ? kinds.byte : kinds.normal);
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'array', values: tokens.map((value) => ({ type: 'string', value })) },
    'tokenizer.ggml.scores': { type: 'array', values: tokens.map((_, id) => ({ type: 'float32', value: -id })) },
    'tokenizer.ggml.token_type': { type: 'array', values: tokens.map((_, id) => ({ type: 'int32', value: kindOf(id) })) },
    'tokenizer.ggml.bos_token_id': { type: 'uint32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'uint32', value: 2 },
    'tokenizer.ggml.unknown_token_id': { type: 'uint32', value: 0 },
  };
}

function layerTensors(layer: LayerWeights, index: number, { shape }: LoadedModel): Tensor[] {
  const { width, heads, keyValueHeads, headWidth, feedForwardWidth } = shape;
  const tensor = (name: string, sizes: readonly number[], data: Float32Array): Tensor => ({ name: `blk.${index}.${name}.weight`, shape: sizes, data });
  return [
    tensor('attn_norm', [width], required(layer.project, 'attentionNormWeight')),
    tensor('attn_q', [width, heads * headWidth], interleaved(required(layer.project, 'queryWeight'), heads, headWidth, width)),
    tensor('attn_k', [width, keyValueHeads * headWidth], interleaved(required(layer.project, 'keyWeight'), keyValueHeads, headWidth, width)),
    tensor('attn_v', [width, keyValueHeads * headWidth], required(layer.project, 'valueWeight')),
    tensor('attn_output', [heads * headWidth, width], required(layer.outputAndMlp, 'outputWeight')),
    tensor('ffn_norm', [width], required(layer.outputAndMlp, 'mlpNormWeight')),
    tensor('ffn_gate', [width, feedForwardWidth], required(layer.outputAndMlp, 'gateWeight')),
    tensor('ffn_up', [width, feedForwardWidth], required(layer.outputAndMlp, 'upWeight')),
    tensor('ffn_down', [feedForwardWidth, width], required(layer.outputAndMlp, 'downWeight')),
  ];
}

/** The numbers of a weight that every Llama has. */
function required<Name extends string>(weights: Weights<Name>, name: Name): Float32Array {
  const weight = weights[name];
  if (weight === undefined) {
    throw new Error(`The model has no ${name}.`);
  }
  return weight.data;
}

/** Rows of each head in the order 0, m/2, 1, m/2 + 1, ...: what was rotated as two halves is rotated as neighbours. */
function interleaved(weight: Float32Array, heads: number, headWidth: number, width: number): Float32Array {
  const half = headWidth / 2;
  const result = new Float32Array(weight.length);
  for (let head = 0; head < heads; head += 1) {
    for (let row = 0; row < headWidth; row += 1) {
      const from = head * headWidth + row;
      const to = head * headWidth + (row < half ? 2 * row : 2 * (row - half) + 1);
      result.set(weight.subarray(from * width, (from + 1) * width), to * width);
    }
  }
  return result;
}

/** The file in parts: header, metadata and tensor descriptions, then the tensors, each padded to the alignment. */
function fileParts(metadata: Readonly<Record<string, Value>>, tensors: readonly Tensor[]): Buffer[] {
  const parts: Buffer[] = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(Object.keys(metadata).length)];
  for (const [key, entry] of Object.entries(metadata)) {
    parts.push(text(key), uint32(valueTypes[entry.type]), encoded(entry));
  }
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    parts.push(text(name), uint32(shape.length), ...shape.map(uint64), uint32(float32Tensor), uint64(offset));
    offset += padded(data.byteLength);
  }
  const header = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(Buffer.alloc(padded(header) - header));
  for (const { data } of tensors) {
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength), Buffer.alloc(padded(data.byteLength) - data.byteLength));
  }
  return parts;
}

function encoded(entry: Value): Buffer {
  switch (entry.type) {
    case 'array':
      return Buffer.concat([uint32(valueTypes[entry.values[0].type]), uint64(entry.values.length), ...entry.values.map(encoded)]);
    case 'string':
      return text(entry.value);
    case 'float32':
      return float32(entry.value);
    default:
      return uint32(entry.value);
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function float32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}
