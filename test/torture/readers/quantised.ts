import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../src/core/errors';
import type { ConfigJson } from '../../../src/engine/read/model/keys';
import { quantisationBeside } from '../../../src/engine/read/model/quantised/beside';
import { packedWeights, readQuantisation } from '../../../src/engine/read/model/quantised/quantisation';
import { QuantisedTensors } from '../../../src/engine/read/model/quantised/quantised-tensors';
import type { StoredTensors } from '../../../src/engine/read/model/quantised/stored-tensors';
import type { Weight } from '../../../src/engine/read/model/weights';
import { quantisedFolder as folder, quantisedTensors } from '../../support/quantised-cases';
import { nastyStrings, type Next, pick } from '../../support/mutate';
import type { Reader } from './reader';

/** Of whole models one module is enough. */
const cases: readonly (readonly [name: string, only: string])[] = [
  ['fp8-blocks', 'model.layers.0.self_attn.k_proj'],
  ['fp8-channels', 'model.layers.0.self_attn.k_proj'],
  ['fp8-tensors', ''],
  ['mxfp4', ''],
  ['mlx', 'model.layers.1.self_attn.q_proj'],
  ['mlx', 'model.layers.0.mlp.down_proj'],
  ['gptq', 'model.layers.0.self_attn.v_proj'],
  ['gptq-2-bit-v1', ''],
  ['gptq-3-bit-v1', ''],
  ['gptq-8-bit-v1', ''],
  ['awq', 'model.layers.0.self_attn.k_proj'],
];

interface Stored {
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Checkpoint {
  readonly config: ConfigJson;
  readonly tensors: ReadonlyMap<string, Stored>;
}

async function checkpoint(name: string, only: string): Promise<Checkpoint> {
  const path = join(folder, name);
  const tensors = Object.entries(quantisedTensors(name))
    .filter(([tensor]) => tensor.startsWith(only))
    .map(([tensor, { dtype, shape, data }]) => [tensor, { type: dtype, shape, bytes: data }] as const);
  const { quantization_config: usual, quantization } = {
    ...(await quantisationBeside(path)),
    ...(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as ConfigJson),
  };
  // Modules that are not among the tensors may not have bits of their own.
  const own = Object.entries((quantization ?? usual) as ConfigJson).filter(([key]) => !key.startsWith('model.') || key === only);
  return { config: { quantization_config: Object.fromEntries(own) }, tensors: new Map(tensors) };
}

const sizes: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, U8: 1, U32: 4, I32: 4, F8_E4M3: 1, F8_E5M2: 1 };
const elements = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Tensors in memory, as files with a whole header give them; their bytes lie within others. */
class MemoryTensors implements StoredTensors {
  readonly mainType = undefined;

  constructor(
    private readonly tensors: ReadonlyMap<string, Stored>,
    private readonly around: number,
  ) {}

  get names(): Iterable<string> {
    return this.tensors.keys();
  }

  storedOf(tensor: string): Stored | undefined {
    return this.tensors.get(tensor);
  }

  shapeOf(tensor: string): readonly number[] | undefined {
    return this.tensors.get(tensor)?.shape;
  }

  checkType(): void {
    // Floats and parts are checked where they are read.
  }

  readBytes(tensor: string): Uint8Array {
    const { bytes } = this.stored(tensor);
    const place = new Uint8Array(bytes.length + 64).fill(this.around);
    place.set(bytes, 32);
    return place.subarray(32, 32 + bytes.length);
  }

  /** Not what the bits mean, but a number of each, some of which are none. */
  read(tensor: string): Weight {
    const { type, shape, bytes } = this.stored(tensor);
    const data = Float32Array.from({ length: elements(shape) }, (_, index) => bytes[index * (sizes[type] ?? 1)] / 64);
    return { shape, data };
  }

  private stored(tensor: string): Stored {
    const stored = this.tensors.get(tensor);
    if (stored === undefined) {
      throw new InputError(`there is no such tensor; a test asked.`);
    }
    return stored;
  }
}

const lengths = [0, 1, 2, 3, 5, 7, 8, 16, 24, 31, 32, 33, 40, 64, 2 ** 31, 2 ** 53 - 1];
const strange: readonly unknown[] = [
  ...[0, -1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 48, 1e9, 2 ** 53, 1e308, -0, null, true, false, [], {}, [16, 16], [0, 0], [1, 1e9], [24]],
  ...['gptq', 'gptq_v2', 'awq', 'fp8', 'mxfp4', 'mlx', 'gemm', 'gemv', 'FP8', 'e5m2', ...nastyStrings],
];

/** A tensor of another shape: of as many numbers, or with bytes of its own where the file could hold them. */
function reshaped({ type, shape, bytes }: Stored, next: Next): Stored {
  const other = [...shape];
  const at = next(other.length + 1);
  if (next(3) === 0 && other.length > 1) {
    other.reverse();
  } else if (next(4) === 0) {
    other.splice(at, next(2), pick(lengths, next));
  } else {
    other[Math.min(at, Math.max(0, other.length - 1))] = pick(lengths, next);
  }
  const size = elements(other) * (sizes[type] ?? 1);
  if (size > 16_384) {
    return { type, shape, bytes };
  }
  return { type, shape: other, bytes: Uint8Array.from({ length: size }, (_, index) => bytes[index % (bytes.length || 1)] ?? next(256)) };
}

/** A checkpoint with one to three changes to its configuration, its header or its blocks. */
function mutated({ config, tensors }: Checkpoint, next: Next): Checkpoint {
  const fields: Record<string, unknown> = { ...(config.quantization_config as object) };
  const changed = new Map(tensors);
  for (let changes = 1 + next(3); changes > 0; changes -= 1) {
    const name = pick([...changed.keys(), 'a'], next);
    const stored = changed.get(name) ?? { type: 'F16', shape: [2], bytes: new Uint8Array(4) };
    switch (next(7)) {
      case 0:
        fields[pick([...Object.keys(fields), ...nastyStrings, name, 'group_size', 'checkpoint_format'], next)] = pick(strange, next);
        break;
      case 1:
        changed.delete(name);
        break;
      case 2: {
        const type = pick([...Object.keys(sizes), 'I64', 'F64'], next);
        changed.set(name, sizes[type] === sizes[stored.type] ? { ...stored, type } : stored);
        break;
      }
      case 3:
        changed.set(name, reshaped(stored, next));
        break;
      case 4:
        changed.delete(name);
        changed.set(name.replace(/[^.]*$/, pick(['weight', 'scales', 'qweight', 'weight_scale', 'g_idx', 'x_blocks'], next)), stored);
        break;
      default: {
        const bytes = Uint8Array.from(stored.bytes);
        for (let hits = 1 + next(4); hits > 0 && bytes.length > 0; hits -= 1) {
          bytes[next(bytes.length)] = pick([0, 1, 2, 126, 127, 128, 254, 255, next(256)], next);
        }
        changed.set(name, { ...stored, bytes });
      }
    }
  }
  return { config: { quantization_config: fields }, tensors: changed };
}

/** Reads all quantised weights; each has finite numbers, as many as its shape says, or the test fails. */
function readAll({ config, tensors }: Checkpoint, around: number): readonly Float32Array[] {
  const stated = readQuantisation(config);
  if (stated?.quantisation === undefined) {
    throw new InputError(stated?.lacks.join('; ') ?? 'nothing is said');
  }
  const files = new MemoryTensors(tensors, around);
  const source = QuantisedTensors.over(files, stated.format, stated.quantisation);
  const read: Float32Array[] = [];
  for (const name of packedWeights(files, stated.quantisation).keys()) {
    const { data, shape } = source.read(name);
    if (data.length !== elements(shape) || !data.every(Number.isFinite)) {
      throw new Error(`This is no weight: ${name} [${shape.join()}]`);
    }
    read.push(data);
  }
  return read;
}

function joined(weights: readonly Float32Array[]): Buffer {
  return Buffer.concat(weights.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)));
}

/** Quantised checkpoints: their configuration, their headers and their blocks. */
export const quantised: Reader = {
  title: 'quantised checkpoints',
  share: 150,
  open: async () => {
    const originals = await Promise.all(cases.map(([name, only]) => checkpoint(name, only)));
    return (next) => {
      const spoilt = mutated(pick(originals, next), next);
      const weights = readAll(spoilt, 0x47);
      if (next(10) === 0 && Buffer.compare(joined(weights), joined(readAll(spoilt, 0xb8))) !== 0) {
        throw new Error('Something outside of the tensors was read.');
      }
      return Promise.resolve('read');
    };
  },
};
