import { readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { embeddedModel } from '../../../core/options/options';
import { usableMemory } from '../../attend/runtime/machine';
import type { ModelConfig } from './architecture';
import { parametersOf } from '../../model/checkpoint';
import { maximumConfigBytes, parseConfig } from './config';
import { readRegularText } from './regular-file';
import type { RotaryEmbedding } from './rope';
import { CheckpointFiles } from '../../model/shards';
import { shown } from '../../../core/text/printable';
import { WeightReader } from '../../model/weight-reader';
import type { EmbeddingWeight, HeadWeight, OutputAndMlpWeight, ProjectWeight, Weight, Weights } from './weights';

/** Weights of one layer, and the rotary embedding of its queries and keys. */
export interface LayerWeights {
  readonly project: Weights<ProjectWeight>;
  readonly outputAndMlp: Weights<OutputAndMlpWeight>;
  /** Undefined where positions are learned. */
  readonly rotary: RotaryEmbedding | undefined;
}

/** A model in memory. */
export interface LoadedModel extends ModelConfig {
  readonly name: string;
  readonly folder: string;
  readonly embedding: Weights<EmbeddingWeight> & { readonly words: Weight };
  readonly head: Weights<HeadWeight>;
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
 * @param nameOrPath the name of a model that ships with Two Heads, or a folder as Hugging Face has them
 * @param modelsFolder the folder that holds the models that ship
 * @throws InputError where there is no such model or its configuration is broken
 */
export async function openModel(nameOrPath: string, modelsFolder: string): Promise<ModelFolder> {
  const shipped = await shippedModels(modelsFolder);
  const folder = shipped.includes(nameOrPath) ? join(modelsFolder, nameOrPath) : resolve(nameOrPath);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) {
    const hint = isAbsolute(nameOrPath) ? '' : ` (looked for ${shown(folder, 100)})`;
    throw new InputError(
      `Model "${shown(nameOrPath, 100)}" is no folder${hint}; use a model's folder, ${embeddedModel}, or for planning ${shipped.filter((name) => name !== embeddedModel).join(', ')}.`,
    );
  }
  const path = join(folder, 'config.json');
  const text = await readRegularText(
    path,
    maximumConfigBytes,
    'use a folder with config.json and safetensors files',
    "restore the model's config.json",
  );
  return { name: basename(folder), folder, config: parseConfig(text, path) };
}

/** The names of the models that ship: one with its weights, others for planning. */
async function shippedModels(modelsFolder: string): Promise<string[]> {
  const entries = await readdir(modelsFolder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/**
 * Loads a model's weights as float32: each tensor is read once, and shared where several weights lie in it.
 *
 * @throws InputError where they are broken, disagree with the configuration, or would not fit in memory
 */
export async function loadModel({ name, folder, config }: ModelFolder): Promise<LoadedModel> {
  checkSize(name, config);
  const files = await CheckpointFiles.open(folder);
  try {
    const reader = new WeightReader(files, config.checkpoint.prefixes);
    const { words, ...embedding } = await reader.all<EmbeddingWeight>(config.checkpoint.embedding);
    const head = await reader.all<HeadWeight>(config.checkpoint.head);
    const layers: LayerWeights[] = [];
    for (const [index, layer] of config.checkpoint.layers.entries()) {
      layers.push({
        project: await reader.all<ProjectWeight>(layer.project),
        outputAndMlp: await reader.all<OutputAndMlpWeight>(layer.outputAndMlp),
        rotary: config.rotary?.[index],
      });
    }
    if (words === undefined) {
      throw new InputError(`${folder} has no word embedding; use another model.`);
    }
    return { ...config, name, folder, embedding: { ...embedding, words }, head, layers };
  } finally {
    await files.close();
  }
}

/** Refuses a model that would not fit in memory, before it is read. @throws InputError that names its size */
function checkSize(name: string, { checkpoint }: ModelConfig): void {
  const bytes = 4 * parametersOf(checkpoint);
  const free = usableMemory();
  if (bytes > free) {
    throw new InputError(
      `${name} needs ${formatBytes(bytes)} of memory for its weights in float32 and ${formatBytes(free)} may be used; use a smaller model, or plan without a run.`,
    );
  }
}
