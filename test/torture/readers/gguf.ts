import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layerGroups } from '../../../src/core/scenario/scenario';
import { nativeScenario } from '../../../src/core/shapes';
import { ggufConfig } from '../../../src/engine/read/model/gguf/config';
import { decode, isRead } from '../../../src/engine/read/model/gguf/decode';
import { type MetadataValue, parseGgufHeader, readGgufHeader } from '../../../src/engine/read/model/gguf/header';
import { openGguf } from '../../../src/engine/read/model/gguf/open';
import { GgufTensors } from '../../../src/engine/read/model/gguf/tensors';
import { blockOf } from '../../../src/engine/read/model/gguf/types';
import { elementsOf } from '../../../src/engine/read/model/weights';
import { count, list, type Metadata, real, text, writeGgufFile } from '../../support/llama-cpp/gguf-file';
import { ggufMetadata, writeTinyGguf } from '../../support/model-stores';
import { tokenizerKeys } from '../../../src/engine/read/tokenizer/gguf/vocabulary';
import { mutatedBytes, nastyStrings, nextOf, outcomeOf, pick } from '../../support/mutate';
import type { Reader } from './reader';

/** Of every type that is read, `ggml_type`'s number. */
const storedTypeNumbers = Array.from({ length: 64 }, (_, type) => type).filter(isRead);
/** IQ2_XS. */
const unreadType = 17;

const moe: Metadata = { expert_count: count(8), expert_used_count: count(2), expert_feed_forward_length: count(32) };
const window: Metadata = { 'attention.sliding_window': count(16) };
const samples: readonly (readonly [architecture: string, own: Metadata])[] = [
  ['llama', { 'rope.scaling.type': text('yarn'), 'rope.scaling.factor': real(4) }],
  ['qwen3moe', moe],
  ['gpt-oss', { ...moe, ...window }],
  ['gemma3', { ...window, 'attention.head_count_kv': list([count(2), count(2), count(2), count(2)]) }],
];

async function headers(folder: string): Promise<readonly Buffer[]> {
  const path = join(folder, 'm.gguf');
  const read: Buffer[] = [];
  for (const [architecture, own] of samples) {
    await writeTinyGguf(path, architecture, own);
    read.push(readFileSync(path));
  }
  return read;
}

/** Where changes are: the header is within the first kilobyte. */
const headerBytes = 1100;

/**
 * Whether a header is whole; what was read then is a shape that a plan can have, or the test fails.
 *
 * Not by `expect`, which takes longer than the reader.
 */
function givesShape(bytes: Uint8Array, size: number): boolean {
  const header = parseGgufHeader(bytes, size, 'm.gguf', tokenizerKeys);
  if (header === undefined) {
    return false;
  }
  // Texts that are read later must lie within the header as well.
  const tokens = header.metadata.get('tokenizer.ggml.tokens');
  const texts = typeof tokens === 'object' ? tokens.texts : undefined;
  for (let index = 0; index <= (texts?.length ?? 0); index += 1) {
    if ((texts?.at(index)?.length ?? 0) > bytes.length) {
      throw new Error('A text goes on behind the header.');
    }
  }
  const { shape } = ggufConfig(header, 'm.gguf');
  const { layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, parameters = NaN } = shape;
  const counts = [layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, parameters + 1];
  const groups = layerGroups(nativeScenario(shape), layers);
  if (!counts.every((value) => Number.isSafeInteger(value) && value > 0) || heads % keyValueHeads !== 0 || groups.length === 0) {
    throw new Error(`This is no shape: ${JSON.stringify(shape)}`);
  }
  return true;
}

/** Headers in memory. */
export const ggufHeaders: Reader = {
  title: 'headers of GGUF files',
  share: 200,
  open: async (folder) => {
    const originals = await headers(folder);
    return (next) => {
      // The header's reader is the same for all; the readers of the other configurations take ten times as long as Llama's.
      const which = next(16);
      const bytes = mutatedBytes(originals[which < originals.length ? which : 0], next, headerBytes);
      // The bytes lie within others, which a reader that goes outside would take for the file's.
      const around = new Uint8Array(bytes.length + 64).fill(0x47);
      around.set(bytes, 32);
      const inner = around.subarray(32, 32 + bytes.length);
      return givesShape(inner, bytes.length + (next(10) === 0 ? 1000 : 0)) ? 'read' : 'wants more';
    };
  },
};

/** Random blocks decode to what their own bytes say. */
export const ggufBlocks: Reader = {
  title: 'blocks of GGUF tensors',
  share: 70,
  open: () =>
    Promise.resolve((next) => {
      const type = pick(storedTypeNumbers, next);
      const { elements, bytes } = blockOf(type);
      const block = Uint8Array.from({ length: bytes }, () => next(256));
      const [one, other] = [0, 255].map((around) => {
        const outside = new Uint8Array(bytes + 64).fill(around);
        outside.set(block, 32);
        const values = new Float32Array(elements + 2).fill(7);
        decode(type, outside.subarray(32, 32 + bytes), values.subarray(1, 1 + elements));
        return values;
      });
      if (one[0] !== 7 || one[elements + 1] !== 7 || one.some((value, index) => !Object.is(value, other[index]))) {
        throw new Error(`Type ${type} read or wrote outside of its block.`);
      }
      return 'read';
    }),
};

/** A file of a small Llama with a tensor of every type that is read, and of one that is not. */
async function tensorsOfAllTypes(folder: string): Promise<Buffer> {
  const path = join(folder, 'm.gguf');
  const next = nextOf(4);
  const tensors = [...storedTypeNumbers, unreadType].map((type, index) => {
    const stored = new Uint8Array(2 * (256 / blockOf(type).elements) * blockOf(type).bytes);
    // Bytes below 60 are scales that are small, and numbers that are finite.
    stored.forEach((_, at) => (stored[at] = next(60)));
    const name = ['attn_q', 'attn_k', 'attn_v', 'attn_output'][index % 4];
    return { name: `blk.${index}.${name}.weight`, shape: [256, 2], data: new Float32Array(), stored: { type, bytes: stored } };
  });
  const metadata = ggufMetadata('llama', { 'attention.head_count': count(1), 'attention.head_count_kv': count(1) });
  await writeGgufFile(path, metadata, tensors);
  return readFileSync(path);
}

/** Files, and their tensors. */
export const ggufFiles: Reader = {
  title: 'GGUF files with their tensors',
  share: 12,
  open: async (folder) => {
    const [small, large] = [await headers(folder), await tensorsOfAllTypes(folder)];
    const path = join(folder, 'm.gguf');
    return async (next) => {
      const isSmall = next(3) === 0;
      const bytes = mutatedBytes(isSmall ? pick(small, next) : large, next, headerBytes);
      // The other half of the changes is within tensors.
      for (let changes = next(2) === 0 ? 0 : 1 + next(200); changes > 0; changes -= 1) {
        bytes[next(bytes.length)] = next(256);
      }
      writeFileSync(path, bytes);
      if (isSmall) {
        await openGguf(path);
        return 'read';
      }
      const source = await GgufTensors.open(path);
      for (const name of source.names) {
        const { value } = await outcomeOf(() => source.read(name));
        if (value !== undefined && (value.data.length !== elementsOf(value.shape) || value.shape.join() !== source.shapeOf(name)?.join())) {
          throw new Error(`${name} has another shape than it says.`);
        }
      }
      return 'read';
    };
  },
};

const strange: readonly MetadataValue[] = [
  ...[0, -1, 0.5, 1, 3, 7, 1e9, 2 ** 53, -0, 1e308, NaN, Infinity, true, false],
  ...nastyStrings,
  { length: 2 ** 53, values: undefined },
  { length: 0, values: [] },
  { length: 2, values: [1, 2] },
  { length: 2, values: [NaN, NaN] },
  { length: 4, values: [true, false, true, false] },
];

/** Headers with strange values under known keys. */
export const ggufKeys: Reader = {
  title: 'values of GGUF metadata',
  share: 40,
  open: async (folder) => {
    const path = join(folder, 'm.gguf');
    const all: { readonly architecture: string; readonly header: Awaited<ReturnType<typeof readGgufHeader>> }[] = [];
    for (const [architecture, own] of samples) {
      await writeTinyGguf(path, architecture, own);
      all.push({ architecture, header: await readGgufHeader(path, path) });
    }
    return (next) => {
      const { architecture, header } = pick(all, next);
      const metadata = new Map(header.metadata);
      for (let changes = 1 + next(3); changes > 0; changes -= 1) {
        const key = next(8) === 0 ? `${architecture}.${pick(nastyStrings, next)}` : pick([...header.metadata.keys()], next);
        metadata.set(key, pick(strange, next));
      }
      ggufConfig({ ...header, metadata }, 'm.gguf');
      return 'read';
    };
  },
};
