import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { InputError, messageOf } from '../../core/errors';
import { embeddedModel } from '../../core/options';
import type { ModelShape } from '../../core/shapes';
import { parseConfig, type ModelConfig } from './config';
import { readSafetensors, type Tensor } from './safetensors';

/** Weights of one Llama layer, float32, each matrix `[out, in]` as in the checkpoint. */
export interface LayerWeights {
  readonly attentionNorm: Float32Array;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly output: Float32Array;
  readonly mlpNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

/** A model in memory. */
export interface LoadedModel extends ModelConfig {
  readonly name: string;
  readonly folder: string;
  /** `[vocabulary, d]`. */
  readonly embedding: Float32Array;
  /** `[vocabulary, d]`; the embedding itself where they are tied. */
  readonly head: Float32Array;
  readonly finalNorm: Float32Array;
  readonly layers: readonly LayerWeights[];
}

/** A model's folder and configuration: what planning needs, without its weights. */
export interface ModelFolder {
  readonly name: string;
  readonly folder: string;
  readonly config: ModelConfig;
}

/**
 * Finds a model and reads its configuration.
 *
 * @param nameOrPath the embedded model's name, or a folder with config.json, model.safetensors and tokenizer.json
 * @param modelsFolder the folder that holds the embedded models
 * @throws InputError where there is no such model or its configuration is broken
 */
export async function openModel(nameOrPath: string, modelsFolder: string): Promise<ModelFolder> {
  const folder = nameOrPath === embeddedModel ? join(modelsFolder, embeddedModel) : resolve(nameOrPath);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) {
    const hint = isAbsolute(nameOrPath) ? '' : ` (looked for ${folder})`;
    throw new InputError(`Model "${nameOrPath}" is no folder${hint}; use ${embeddedModel} or a folder with config.json and model.safetensors.`);
  }
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); use a folder with config.json and model.safetensors.`);
  });
  return { name: basename(folder), folder, config: parseConfig(text, path) };
}

/** Loads a model's weights as float32. @throws InputError where they are broken or disagree with the configuration */
export async function loadModel({ name, folder, config }: ModelFolder): Promise<LoadedModel> {
  const tensors = await readSafetensors(join(folder, 'model.safetensors'));
  const { shape } = config;
  const { width, vocabulary } = shape;
  const take = (key: string, ...expected: readonly number[]): Float32Array => tensorOf(tensors, key, expected);
  const embedding = take('model.embed_tokens.weight', vocabulary, width);
  return {
    ...config,
    name,
    folder,
    embedding,
    head: config.tiedHead ? embedding : take('lm_head.weight', vocabulary, width),
    finalNorm: take('model.norm.weight', width),
    layers: Array.from({ length: shape.layers }, (_, layer) => layerWeights(take, shape, layer)),
  };
}

function layerWeights(take: (key: string, ...shape: readonly number[]) => Float32Array, shape: ModelShape, layer: number): LayerWeights {
  const { width, feedForwardWidth, headWidth, heads, keyValueHeads } = shape;
  const at = (part: string): string => `model.layers.${layer}.${part}.weight`;
  return {
    attentionNorm: take(at('input_layernorm'), width),
    query: take(at('self_attn.q_proj'), heads * headWidth, width),
    key: take(at('self_attn.k_proj'), keyValueHeads * headWidth, width),
    value: take(at('self_attn.v_proj'), keyValueHeads * headWidth, width),
    output: take(at('self_attn.o_proj'), width, heads * headWidth),
    mlpNorm: take(at('post_attention_layernorm'), width),
    gate: take(at('mlp.gate_proj'), feedForwardWidth, width),
    up: take(at('mlp.up_proj'), feedForwardWidth, width),
    down: take(at('mlp.down_proj'), width, feedForwardWidth),
  };
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, key: string, expected: readonly number[]): Float32Array {
  const tensor = tensors.get(key);
  if (tensor === undefined) {
    throw new InputError(`model.safetensors lacks ${key}; it does not belong to this config.json.`);
  }
  if (tensor.shape.join() !== expected.join()) {
    throw new InputError(
      `model.safetensors: ${key} is [${tensor.shape.join(', ')}] but config.json means [${expected.join(', ')}]; correct one of them.`,
    );
  }
  return tensor.data;
}
