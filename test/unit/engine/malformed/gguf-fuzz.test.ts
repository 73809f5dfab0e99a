import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { uniform } from '../../../../src/core/math/random';
import { layerGroups } from '../../../../src/core/scenario/scenario';
import { nativeScenario } from '../../../../src/core/shapes';
import { ggufConfig } from '../../../../src/engine/read/model/gguf/config';
import { decode, isRead } from '../../../../src/engine/read/model/gguf/decode';
import { type MetadataValue, parseGgufHeader, readGgufHeader } from '../../../../src/engine/read/model/gguf/header';
import { openGguf } from '../../../../src/engine/read/model/gguf/open';
import { GgufTensors } from '../../../../src/engine/read/model/gguf/tensors';
import { blockOf } from '../../../../src/engine/read/model/gguf/types';
import { elementsOf } from '../../../../src/engine/read/model/weights';
import { count, list, type Metadata, real, text, writeGgufFile } from '../../../support/llama-cpp/gguf-file';
import { ggufMetadata, writeTinyGguf } from '../../../support/model-stores';
import { tokenizerKeys } from '../../../../src/engine/read/tokenizer/gguf/vocabulary';
import { temporaryFolder } from '../../../support/temporary';
import { nastyStrings, outcomeOf } from './outcome';

const seed = 20_261_129;
/** No header may take this long, in milliseconds: a limit on hanging, not on speed. */
const longestMs = 2000;

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

async function headers(): Promise<readonly Buffer[]> {
  const path = join(temporaryFolder(), 'm.gguf');
  const read: Buffer[] = [];
  for (const [architecture, own] of samples) {
    await writeTinyGguf(path, architecture, own);
    read.push(readFileSync(path));
  }
  return read;
}

type Next = (below: number) => number;

const extremes = [0n, 1n, 255n, 2n ** 16n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n] as const;

/** A copy with one to four changes, mostly within the first kilobyte, where the header is. */
function mutated(original: Buffer, next: Next): Buffer {
  let bytes = Buffer.from(original);
  for (let changes = 1 + next(4); changes > 0 && bytes.length > 16; changes -= 1) {
    const at = next(Math.min(bytes.length - 8, 1100));
    switch (next(6)) {
      case 0:
        bytes[at] = next(256);
        break;
      case 1:
        bytes[at] ^= 1 << next(8);
        break;
      case 2:
        bytes.writeBigUInt64LE(extremes[next(extremes.length)], at);
        break;
      case 3:
        bytes.writeUInt32LE(next(16), at);
        break;
      case 4:
        bytes = next(4) === 0 ? Buffer.from(bytes.subarray(0, at)) : bytes;
        break;
      default: {
        const from = next(bytes.length - 8);
        bytes.copy(bytes, at, from, from + next(40));
      }
    }
  }
  return bytes;
}

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

it('100,000 mutated headers are refused in one line, or have a shape', async () => {
  const originals = await headers();
  const random = uniform(seed);
  const next: Next = (below) => Math.floor(random() * below);
  const outcomes = { read: 0, refused: 0, more: 0 };
  let longest = 0;
  for (let run = 0; run < 100_000; run += 1) {
    // The header's reader is the same for all; the readers of the other configurations take ten times as long as Llama's.
    const bytes = mutated(originals[run % 16 < originals.length ? run % 16 : 0], next);
    // The bytes lie within others, which a reader that goes outside would take for the file's.
    const around = new Uint8Array(bytes.length + 64).fill(0x47);
    around.set(bytes, 32);
    const inner = around.subarray(32, 32 + bytes.length);
    const start = performance.now();
    const { value } = await outcomeOf(() => givesShape(inner, bytes.length + (run % 10 === 0 ? 1000 : 0)));
    longest = Math.max(longest, performance.now() - start);
    outcomes[value === undefined ? 'refused' : value ? 'read' : 'more'] += 1;
  }
  expect(longest).toBeLessThan(longestMs);
  expect(outcomes.read).toBeGreaterThan(5000);
  expect(outcomes.refused).toBeGreaterThan(20_000);
  expect(outcomes.more).toBeGreaterThan(100);
});

it('a thousand files with mutated headers are refused in one line, or opened', async () => {
  const originals = await headers();
  const random = uniform(seed + 1);
  const next: Next = (below) => Math.floor(random() * below);
  const path = join(temporaryFolder(), 'm.gguf');
  let opened = 0;
  for (let run = 0; run < 1000; run += 1) {
    writeFileSync(path, mutated(originals[run % originals.length], next));
    const { value } = await outcomeOf(() => openGguf(path));
    opened += value === undefined ? 0 : 1;
  }
  expect(opened).toBeGreaterThan(50);
});

it('100,000 random blocks decode to what their own bytes say', () => {
  const random = uniform(seed + 3);
  let longest = 0;
  for (let run = 0; run < 100_000; run += 1) {
    const type = storedTypeNumbers[run % storedTypeNumbers.length];
    const { elements, bytes } = blockOf(type);
    const block = Uint8Array.from({ length: bytes }, () => Math.floor(256 * random()));
    const start = performance.now();
    const decoded = [0, 255].map((around) => {
      const outside = new Uint8Array(bytes + 64).fill(around);
      outside.set(block, 32);
      const values = new Float32Array(elements + 2).fill(7);
      decode(type, outside.subarray(32, 32 + bytes), values.subarray(1, 1 + elements));
      return values;
    });
    const [one, other] = decoded;
    longest = Math.max(longest, performance.now() - start);
    if (one[0] !== 7 || one[elements + 1] !== 7 || one.some((value, index) => !Object.is(value, other[index]))) {
      throw new Error(`Type ${type} read or wrote outside of its block.`);
    }
  }
  expect(longest).toBeLessThan(longestMs);
});

/** A file of a small Llama with a tensor of every type that is read, and of one that is not. */
async function tensorsOfAllTypes(): Promise<Buffer> {
  const path = join(temporaryFolder(), 'm.gguf');
  const random = uniform(seed + 4);
  const tensors = [...storedTypeNumbers, unreadType].map((type, index) => {
    const stored = new Uint8Array(2 * (256 / blockOf(type).elements) * blockOf(type).bytes);
    // Bytes below 60 are scales that are small, and numbers that are finite.
    stored.forEach((_, at) => (stored[at] = Math.floor(60 * random())));
    const name = ['attn_q', 'attn_k', 'attn_v', 'attn_output'][index % 4];
    return { name: `blk.${index}.${name}.weight`, shape: [256, 2], data: new Float32Array(), stored: { type, bytes: stored } };
  });
  const metadata = ggufMetadata('llama', { 'attention.head_count': count(1), 'attention.head_count_kv': count(1) });
  await writeGgufFile(path, metadata, tensors);
  return readFileSync(path);
}

it('tensors of 3,000 mutated files are refused in one line, or read in their shape with finite numbers', async () => {
  const original = await tensorsOfAllTypes();
  const random = uniform(seed + 5);
  const next: Next = (below) => Math.floor(random() * below);
  const path = join(temporaryFolder(), 'm.gguf');
  const outcomes = { read: 0, refused: 0 };
  let longest = 0;
  for (let run = 0; run < 3000; run += 1) {
    const bytes = mutated(original, next);
    // The other half of the changes is within tensors.
    for (let changes = run % 2 === 0 ? 0 : 1 + next(200); changes > 0; changes -= 1) {
      bytes[1100 + next(Math.max(1, bytes.length - 1100))] = next(256);
    }
    writeFileSync(path, bytes);
    const start = performance.now();
    const { value: source } = await outcomeOf(() => GgufTensors.open(path));
    outcomes.refused += source === undefined ? 1 : 0;
    for (const name of source?.names ?? []) {
      const { value } = await outcomeOf(() => source?.read(name));
      outcomes[value === undefined ? 'refused' : 'read'] += 1;
      if (value !== undefined && (value.data.length !== elementsOf(value.shape) || value.shape.join() !== source?.shapeOf(name)?.join())) {
        throw new Error(`${name} has another shape than it says.`);
      }
    }
    await source?.close();
    longest = Math.max(longest, performance.now() - start);
  }
  expect(longest).toBeLessThan(longestMs);
  expect(outcomes.read).toBeGreaterThan(5000);
  expect(outcomes.refused).toBeGreaterThan(1000);
});

it('10,000 headers with strange values under known keys are refused in one line, or have a shape', async () => {
  const path = join(temporaryFolder(), 'm.gguf');
  const strange: readonly MetadataValue[] = [
    ...[0, -1, 0.5, 1, 3, 7, 1e9, 2 ** 53, -0, 1e308, NaN, Infinity, true, false],
    ...nastyStrings,
    { length: 2 ** 53, values: undefined },
    { length: 0, values: [] },
    { length: 2, values: [1, 2] },
    { length: 2, values: [NaN, NaN] },
    { length: 4, values: [true, false, true, false] },
  ];
  const random = uniform(seed + 2);
  const next: Next = (below) => Math.floor(random() * below);
  let read = 0;
  for (const [architecture, own] of samples) {
    await writeTinyGguf(path, architecture, own);
    const header = await readGgufHeader(path, path);
    const keys = [...header.metadata.keys()];
    for (let run = 0; run < 2500; run += 1) {
      const metadata = new Map(header.metadata);
      for (let changes = 1 + next(3); changes > 0; changes -= 1) {
        const key = next(8) === 0 ? `${architecture}.${nastyStrings[next(nastyStrings.length)]}` : keys[next(keys.length)];
        metadata.set(key, strange[next(strange.length)]);
      }
      const { value } = await outcomeOf(() => ggufConfig({ ...header, metadata }, 'm.gguf'));
      read += value === undefined ? 0 : 1;
    }
  }
  expect(read).toBeGreaterThan(100);
});
