import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { said } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { usableMemory } from '../../memory';
import { inputLimits } from '../input/limits';
import { readRegularText } from '../input/text';
import { standInName } from '../tokenizer/encodings';
import type { ModelConfig, ReadConfig } from './architecture';
import { type Adapter, findBase } from './adapter/adapter';
import { isAdapter } from './adapter/config';
import { parseConfig } from './config';
import { type FoundModel, findModel } from './found/resolve';
import type { ModelStores } from './found/stores';
import { openGguf } from './gguf/open';
import type { RotaryEmbedding } from './rope';
import { openTensors } from './open-tensors';
import { quantisationBeside } from './quantised/beside';
import { unreadWeights } from './shards';
import type { TensorSource } from './tensor-source';
import { checkAllRead, checkPaddedBiases } from './tensors';
import { WeightReader } from './weight-reader';
import {
  type AttendWeight,
  type EmbeddingWeight,
  type HeadWeight,
  type OutputAndMlpWeight,
  type ProjectWeight,
  type Weight,
  type Weights,
} from './weights';

/** Weights of one layer, and the rotary embedding of its queries and keys. */
export interface LayerWeights {
  readonly project: Weights<ProjectWeight>;
  readonly attend: Weights<AttendWeight>;
  readonly outputAndMlp: Weights<OutputAndMlpWeight>;
  /** Undefined if positions are learned, or the layer knows none. */
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

/** A model's place and configuration: enough for planning, without weights. */
export interface ModelFolder {
  /** How reports name it. */
  readonly name: string;
  /** Its folder, or its GGUF file; of an adapter, that of its base. */
  readonly folder: string;
  /** An adapter that is merged into the weights as they are loaded. */
  readonly adapter?: Adapter;
  readonly config: ReadConfig;
  /** Bytes of its safetensors or GGUF files; undefined if there are none. */
  readonly storedBytes: number | undefined;
  /** How most of its weights are stored, such as `Q4_K`; known of GGUF files and quantised checkpoints. */
  readonly storedType?: string;
}

/**
 * Finds a model and reads its configuration.
 *
 * @param asked what `findModel` takes
 * @param modelsFolder the folder of the models that ship
 * @throws InputError if there is no such model or its configuration is broken
 */
export async function openModel(asked: string, modelsFolder: string, stores?: ModelStores): Promise<ModelFolder> {
  const { notes, ...found } = await findModel(asked, modelsFolder, stores);
  const model = await openFound(found, modelsFolder, stores);
  return notes.length === 0 ? model : { ...model, config: { ...model.config, notes: [...notes, ...model.config.notes] } };
}

/**
 * Reads the configuration of a model that was found; of an adapter, that of its base.
 *
 * @throws InputError if it is broken, or an adapter's base is not on this machine
 */
export async function openFound(
  { name, path: folder, kind }: Omit<FoundModel, 'notes'>,
  modelsFolder: string,
  stores?: ModelStores,
): Promise<ModelFolder> {
  if (kind === 'folder' && (await isAdapter(folder))) {
    const { adapter, base } = await findBase(folder, modelsFolder, stores);
    if (base.kind === 'folder' && (await isAdapter(base.path))) {
      throw new InputError(`${shown(folder)} adapts ${shown(base.name)}, which is an adapter itself; merge that one into its base first.`);
    }
    const model = await openFound(base, modelsFolder, stores);
    const own = await storedBytes(folder);
    const bytes = model.storedBytes === undefined ? undefined : model.storedBytes + (own ?? 0);
    return { ...model, name: `${name} on ${model.name}`, adapter, storedBytes: bytes };
  }
  if (kind === 'gguf') {
    return { name, folder, ...(await openGguf(folder)) };
  }
  if (modelsFolder !== '' && folder === join(modelsFolder, name)) {
    await checkGenerated(name, folder);
  }
  const path = join(folder, 'config.json');
  const text = await readRegularText(
    path,
    inputLimits.config,
    said`use a folder with config.json and safetensors files`,
    said`restore the model's config.json`,
  );
  const config = parseConfig(text, path, await quantisationBeside(folder));
  const stored = config.stored && { storedType: config.stored.format };
  const bytes = await storedBytes(folder);
  const unread = bytes === undefined ? await unreadWeights(folder) : undefined;
  const known = unread === undefined ? config : { ...config, lacks: [...config.lacks, unread], run: undefined };
  return { name, folder, config: known, storedBytes: bytes, ...stored };
}

/** Refuses a model that ships where its files were not made yet, as in a clone of the sources. @throws InputError */
async function checkGenerated(name: string, folder: string): Promise<void> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  // A preset plans only, perhaps by another encoding than its own; what has no configuration is made as a whole.
  if (!names.includes('config.json') || !(names.includes('tokenizer.json') || names.includes(standInName))) {
    throw new InputError(`Model "${name}" ships, and its files are not made yet here; run npm run generate in the sources of Two Heads.`);
  }
}

/** What opens a model again in another process, and names its content: its folder, or its adapter's. */
export function placeOf({ folder, adapter }: Pick<ModelFolder, 'folder' | 'adapter'>): string {
  return adapter?.folder ?? folder;
}

/** Bytes of a folder's safetensors files; undefined if there are none. */
async function storedBytes(folder: string): Promise<number | undefined> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.safetensors'));
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return names.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Loads a model's weights: all are read, and checked. Those of a large model, and codes, are not kept but read again when they are
 * asked for (`WeightReader`).
 *
 * @param keepsFloats whether what is not packed stays in memory; by its size, by default
 * @throws InputError if they are broken, contradict the configuration, or would not fit in memory
 */
export async function loadModel(model: ModelFolder, keepsFloats?: boolean): Promise<LoadedModel> {
  const { name, folder } = model;
  const config = runConfig(model);
  const files = await openTensors(model);
  const reader = new WeightReader(files, config.checkpoint, keepsFloats);
  checkSize(name, reader);
  checkAllRead(files, reader.names, config.modelType);
  checkPaddedBiases(files, reader.names, config.modelType);
  const { words, ...embedding } = reader.all<EmbeddingWeight>(config.checkpoint.embedding);
  const head = reader.all<HeadWeight>(config.checkpoint.head);
  const layers: LayerWeights[] = [];
  for (const [index, layer] of config.checkpoint.layers.entries()) {
    // Reading blocks the thread; an interrupt comes between two layers.
    await new Promise((resolve) => setImmediate(resolve));
    layers.push({
      project: reader.all<ProjectWeight>(layer.project),
      attend: reader.all<AttendWeight>(layer.attend ?? {}),
      outputAndMlp: reader.all<OutputAndMlpWeight>(layer.outputAndMlp),
      rotary: config.rotary?.[index],
    });
  }
  if (words === undefined) {
    throw new InputError(`${folder} has no word embedding; use another model.`);
  }
  return { ...config, name, folder, embedding: { ...embedding, words }, head, layers };
}

/**
 * Checks all of a checkpoint that can be checked without reading a tensor.
 *
 * @throws InputError as `loadModel` does
 */
export function checkLoadable(model: ModelFolder, files: TensorSource): void {
  const config = runConfig(model);
  const reader = new WeightReader(files, config.checkpoint);
  checkSize(model.name, reader);
  checkAllRead(files, reader.names, config.modelType);
  reader.check();
}

/** What a run needs. @throws InputError for a model that can only be planned, with what a run would lack */
export function runConfig({ name, config: { run, lacks } }: Pick<ModelFolder, 'name' | 'config'>): ModelConfig {
  if (run === undefined) {
    throw new InputError(`${shown(name)} can be planned, not run: ${lacks.join('; ')}.`);
  }
  return run;
}

/** Refuses a model that would not fit in memory, before reading it. @throws InputError that names its size */
function checkSize(name: string, { bytes }: WeightReader): void {
  const free = usableMemory();
  if (bytes > free) {
    throw new InputError(
      `${name} needs ${formatBytes(bytes)} of memory for its weights and ${formatBytes(free)} may be used; use a smaller model, or plan without a run.`,
    );
  }
}
