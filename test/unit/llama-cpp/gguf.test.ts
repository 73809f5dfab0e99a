import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../../src/core/math/random';
import { parseConfig } from '../../../src/engine/read/model/config';
import { typeName } from '../../../src/engine/read/model/gguf/types';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { elementsOf, storedWeights, type Weight } from '../../../src/engine/read/model/weights';
import { compareFileWithLlama, llamaFolder, ourLogits } from '../../support/llama-cpp/compare';
import { Ggml, quantised } from '../../support/llama-cpp/ggml';
import type { Tensor } from '../../support/llama-cpp/gguf-file';
import { writeGguf } from '../../support/llama-cpp/gguf';
import { ggmlRefusal } from '../../support/llama-cpp/install';
import { modelsFolder, root } from '../../support/paths';
import { f32, safetensorsFile } from '../../support/safetensors-writer';
import { temporaryFolder } from '../../support/temporary';

/** Of each family of which GGUF files run, a golden configuration (a Mistral is a Llama here). */
const families = [
  'llama',
  'qwen2-plain',
  'qwen3',
  'smollm3',
  'granite',
  'olmo2',
  'gpt-neox',
  'gpt2',
  'gemma2',
  'gemma3',
  'olmo3',
  'mixtral',
  'qwen3-moe',
  'gpt-oss',
];

/** Values of a golden configuration with which llama.cpp can run it. */
const fixed: Readonly<Record<string, object>> = {
  gemma2: { query_pre_attn_scalar: 64 },
  gemma3: { query_pre_attn_scalar: 64 },
  'gpt-oss': { rope_parameters: { rope_theta: 10, rope_type: 'default' } },
};

const types = { F32: 0, F16: 1, BF16: 30, Q8_0: 8, Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q4_K: 12, Q5_K: 13, Q6_K: 14, MXFP4: 39 };

/** Widths that are whole blocks of every type. */
const wider: Readonly<Record<string, number>> = {
  hidden_size: 256,
  n_embd: 256,
  intermediate_size: 512,
  n_inner: 512,
  head_dim: 64,
  moe_intermediate_size: 256,
};

/** A model of a golden configuration at these widths, with random weights. */
async function widened(golden: string): Promise<LoadedModel> {
  const path = join(root, 'test', 'golden', golden, 'config.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const widths = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, wider[key] ?? value]));
  const text = JSON.stringify({ ...widths, ...fixed[golden] });
  const { run } = parseConfig(text, path);
  if (run === undefined) {
    throw new Error(`${golden} does not run at these widths.`);
  }
  const next = normal(20_261_129);
  const stored = new Map(storedWeights(run.checkpoint).map((weight) => [weight.tensor, weight]));
  const tensors = [...stored.values()].map(({ tensor, shape, offset = 0 }) => {
    const size = shape.length === 1 ? 0.1 : 1 / Math.sqrt(shape[1]);
    const centre = /norm|ln_/.test(tensor) && tensor.endsWith('.weight') ? 1 - offset : 0;
    return [
      tensor,
      f32(
        shape,
        Array.from({ length: elementsOf(shape) }, () => centre + size * next()),
      ),
    ] as const;
  });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), text);
  writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(Object.fromEntries(tensors)));
  return loaded(folder);
}

const tokens = Int32Array.from({ length: 40 }, (_, index) => (index * 71 + 5) % 288);

/** The same with the numbers that llama.cpp reads from it, in float32. */
function dequantised(ggml: Ggml, type: number): (tensor: Tensor) => Tensor {
  const encode = quantised(ggml, type);
  return (tensor) => {
    const { stored, ...plain } = encode(tensor);
    return stored === undefined ? plain : { ...plain, data: ggml.dequantise(stored.type, stored.bytes, tensor.data.length) };
  };
}

async function loaded(path: string): Promise<LoadedModel> {
  return loadModel(await openModel(path, modelsFolder));
}

/**
 * How far llama.cpp's logits may be from ours of the same file, as a share of the largest. Beside weights that are not float32 it rounds
 * activations as well: to the same type beside F16 and BF16, to 8 bits beside quantised ones. So
 * it may choose another expert where two are nearly as good, which moves a position far: there the median over positions counts.
 */
function toleranceOf(type: keyof typeof types, { activation }: LoadedModel): number {
  switch (type) {
    case 'F32':
      return activation.startsWith('gelu') ? 2e-3 : 5e-6;
    case 'F16':
      return 3e-3;
    case 'BF16':
      return 3e-2;
    default:
      return 0.1;
  }
}

/** All weights of a model, those that stay packed as well. */
function weightsOf({ embedding, layers, head }: LoadedModel): Weight[] {
  return [embedding, ...layers.flatMap(({ project, attend, outputAndMlp }) => [project, attend, outputAndMlp]), head].flatMap((weights) =>
    Object.values(weights as Readonly<Record<string, Weight>>),
  );
}

const hasCodes = (model: LoadedModel): boolean => weightsOf(model).some(({ packed }) => packed !== undefined);

const valuesOf = (model: LoadedModel): Buffer[] => weightsOf(model).map(({ data }) => Buffer.from(data.slice().buffer));

const largestOf = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.skipIf(ggmlRefusal !== undefined)('GGUF files against llama.cpp', () => {
  let ggml: Ggml | undefined;
  let missing: string | undefined;

  beforeAll(async () => {
    ggml = await Ggml.open(llamaFolder).catch((error: unknown) => {
      missing = String(error);
      return undefined;
    });
  });

  // What a type means is the same in every family; a stack of experts is stored otherwise than a matrix.
  const typesOf: Readonly<Record<string, readonly string[]>> = {
    ...{ llama: Object.keys(types), gemma3: ['F32', 'Q4_K'] },
    ...{ mixtral: ['F32', 'Q4_K'], 'qwen3-moe': ['F32', 'Q8_0'], 'gpt-oss': ['F32', 'MXFP4'] },
  };
  const cases = families.flatMap((family) => (typesOf[family] ?? ['F32']).map((type) => [family, type as keyof typeof types] as const));

  it.for(cases)(
    'a %s in %s has its dequantised weights, their logits up to rounding, and those of llama.cpp',
    async ([family, name], { annotate, skip }) => {
      skip(ggml === undefined, missing);
      if (ggml === undefined) {
        return;
      }
      const original = await widened(family);
      const type = types[name];
      const folder = temporaryFolder();
      const [path, plain] = [join(folder, 'quantised.gguf'), join(folder, 'plain.gguf')];
      await writeGguf(path, original, 64, quantised(ggml, type));
      await writeGguf(plain, original, 64, dequantised(ggml, type));
      const [model, expected] = [await loaded(path), await loaded(plain)];
      const logits = await ourLogits(model, tokens);
      const own = await ourLogits(expected, tokens);
      // Integer codes are added up in another order than their values.
      const rounding = hasCodes(model) ? 2e-5 * largestOf(own) : 0;
      expect(Math.max(...logits.map((value, index) => Math.abs(value - own[index])))).toBeLessThanOrEqual(rounding);
      const [found, wanted] = [valuesOf(model), valuesOf(expected)];
      expect(found.filter((values, index) => Buffer.compare(values, wanted[index]) !== 0)).toHaveLength(0);
      const { difference, median, positions } = await compareFileWithLlama(model, path, tokens, model);
      const largest = largestOf(logits);
      await annotate(
        `${typeName(type)}: largest difference ${difference.toExponential(1)}, median over positions ${median.toExponential(1)}, of ${largest.toFixed(1)} at ${positions} positions`,
      );
      const chooses = model.experts !== undefined && name !== 'F32';
      expect((chooses ? median : difference) / largest).toBeLessThan(toleranceOf(name, model));
    },
  );
});
