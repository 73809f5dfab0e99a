import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { shown } from '../../../core/text/printable';
import { usableMemory } from '../../machine';
import { inputLimits } from '../input/limits';
import { readRegularText } from '../input/text';
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
import {
  type AttendWeight,
  type Checkpoint,
  elementsOf,
  type EmbeddingWeight,
  type HeadWeight,
  type OutputAndMlpWeight,
  parametersOf,
  type ProjectWeight,
  type StoredLayer,
  type StoredWeight,
  storedInLayer,
  storedWeights,
  type StoredWeights,
  transpose,
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
  const path = join(folder, 'config.json');
  const text = await readRegularText(
    path,
    inputLimits.config,
    'use a folder with config.json and safetensors files',
    "restore the model's config.json",
  );
  const config = parseConfig(text, path, await quantisationBeside(folder));
  const stored = config.stored && { storedType: config.stored.format };
  const bytes = await storedBytes(folder);
  const unread = bytes === undefined ? await unreadWeights(folder) : undefined;
  const known = unread === undefined ? config : { ...config, lacks: [...config.lacks, unread], run: undefined };
  return { name, folder, config: known, storedBytes: bytes, ...stored };
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
 * Loads a model's weights as float32. Each tensor is read once, and shared if it contains several weights.
 *
 * @throws InputError if they are broken, contradict the configuration, or would not fit in memory
 */
export async function loadModel(model: ModelFolder): Promise<LoadedModel> {
  const { name, folder } = model;
  const config = runConfig(model);
  checkSize(name, config);
  const files = await openTensors(model);
  try {
    const reader = new WeightReader(files, config.checkpoint);
    checkAllRead(files, reader.names, config.modelType);
    await checkPaddedBiases(files, reader.names, config.modelType);
    const { words, ...embedding } = await reader.all<EmbeddingWeight>(config.checkpoint.embedding);
    const head = await reader.all<HeadWeight>(config.checkpoint.head);
    const layers: LayerWeights[] = [];
    for (const [index, layer] of config.checkpoint.layers.entries()) {
      layers.push({
        project: await reader.all<ProjectWeight>(layer.project),
        attend: await reader.all<AttendWeight>(layer.attend ?? {}),
        outputAndMlp: await reader.all<OutputAndMlpWeight>(layer.outputAndMlp),
        rotary: config.rotary?.[index],
      });
      reader.forget(layer);
    }
    if (words === undefined) {
      throw new InputError(`${folder} has no word embedding; use another model.`);
    }
    return { ...config, name, folder, embedding: { ...embedding, words }, head, layers };
  } finally {
    await files.close();
  }
}

/**
 * Checks all of a checkpoint that can be checked without reading a tensor.
 *
 * @throws InputError as `loadModel` does
 */
export function checkLoadable(model: ModelFolder, files: TensorSource): void {
  const config = runConfig(model);
  checkSize(model.name, config);
  const reader = new WeightReader(files, config.checkpoint);
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
function checkSize(name: string, { checkpoint }: ModelConfig): void {
  const bytes = 4 * parametersOf(checkpoint);
  const free = usableMemory();
  if (bytes > free) {
    throw new InputError(
      `${name} needs ${formatBytes(bytes)} of memory for its weights in float32 and ${formatBytes(free)} may be used; use a smaller model, or plan without a run.`,
    );
  }
}

/** Reads weights from a checkpoint, each tensor once. */
export class WeightReader {
  /** Tensors in the layout of weights; several weights may be rows of the same tensor. */
  private readonly tensors = new Map<string, Weight>();

  constructor(
    private readonly files: TensorSource,
    private readonly checkpoint: Checkpoint,
  ) {}

  /** Names in the files of all tensors that the checkpoint's model reads. */
  get names(): ReadonlySet<string> {
    return new Set(
      storedWeights(this.checkpoint).flatMap(({ tensor, unless }) =>
        [tensor, ...(unless === undefined ? [] : [unless])].map((name) => this.nameOf(name)),
      ),
    );
  }

  /** Looks for every weight. @throws InputError if one is missing, of another shape, or of a type that is not read */
  check(): void {
    for (const stored of storedWeights(this.checkpoint)) {
      this.files.checkType(this.found(stored));
    }
  }

  /** Reads some weights. @throws InputError if one is missing, broken, or not of the shape that the configuration implies */
  async all<Name extends string>(weights: StoredWeights<Name>): Promise<Weights<Name>> {
    const read: [string, Weight][] = [];
    for (const [name, weight] of Object.entries(weights as Readonly<Record<string, StoredWeight>>)) {
      read.push([name, await this.one(weight)]);
    }
    return Object.fromEntries(read) as unknown as Weights<Name>;
  }

  /** Lets go of a layer's tensors, of which some weights may be copies: no other layer reads them. */
  forget(layer: StoredLayer): void {
    storedInLayer(layer).forEach(({ tensor }) => this.tensors.delete(tensor));
  }

  private async one(weight: StoredWeight): Promise<Weight> {
    const { offset, neighbours } = weight;
    const rows = await this.rows(weight);
    const apart = neighbours === undefined ? rows : pairsApart(rows, neighbours);
    return offset === undefined ? apart : { ...apart, data: apart.data.map((x) => x + offset) };
  }

  private async rows(weight: StoredWeight): Promise<Weight> {
    const whole = weight.expert === undefined ? await this.tensor(weight) : await this.expert(weight, weight.expert);
    if (weight.rows === undefined) {
      return whole;
    }
    const [from, to] = weight.rows;
    const rowSize = elementsOf(whole.shape.slice(1));
    const part = (first: number): Float32Array => whole.data.subarray((first + from) * rowSize, (first + to) * rowSize);
    const { every = whole.shape[0] } = weight;
    const groups = whole.shape[0] / every;
    const size = (to - from) * rowSize;
    const data = groups === 1 ? part(0) : new Float32Array(groups * size);
    for (let group = 0; groups > 1 && group < groups; group += 1) {
      data.set(part(group * every), group * size);
    }
    return { shape: [groups * (to - from), ...whole.shape.slice(1)], data };
  }

  /** One matrix or bias of a stack. */
  private async expert({ transposed, ...stored }: StoredWeight, index: number): Promise<Weight> {
    const {
      shape: [, ...shape],
      data,
    } = await this.read(stored);
    const size = elementsOf(shape);
    const one = { shape, data: data.subarray(index * size, (index + 1) * size) };
    return transposed === true ? transpose(one) : one;
  }

  private async tensor(stored: StoredWeight): Promise<Weight> {
    const { unless, ...usual } = stored;
    if (unless === undefined || this.files.shapeOf(this.nameOf(unless)) === undefined) {
      return this.read(usual);
    }
    // Most such heads are the embedding once more: one of them is enough to keep.
    const [own, tied] = [await this.read({ ...usual, tensor: unless }), await this.read(usual)];
    const same = own.data.every((value, index) => value === tied.data[index]);
    this.tensors.set(unless, same ? tied : own);
    return same ? tied : own;
  }

  private async read(weight: StoredWeight): Promise<Weight> {
    const { tensor, transposed } = weight;
    const known = this.tensors.get(tensor);
    if (known !== undefined) {
      return known;
    }
    const stored = await this.files.read(this.found(weight));
    const turned = transposed === true ? transpose(stored) : stored;
    this.tensors.set(tensor, turned);
    return turned;
  }

  /** The name in the files of a weight's tensor. @throws InputError if it is missing, or of another shape */
  private found({ tensor, shape }: StoredWeight): string {
    const name = this.nameOf(tensor);
    const found = this.files.shapeOf(name);
    if (found === undefined) {
      throw new InputError(`The checkpoint lacks ${tensor}; it does not belong to its configuration.`);
    }
    if (found.join() !== shape.join()) {
      throw new InputError(
        `The checkpoint's ${tensor} is [${shown(found.join(', '))}] but its configuration means [${shape.join(', ')}]; correct one of them.`,
      );
    }
    return name;
  }

  /** The tensor's name in the checkpoint: with a prefix, or with early BERT's names for the parts of a norm. */
  private nameOf(tensor: string): string {
    const older = tensor.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    const { prefixes, base } = this.checkpoint;
    const rest = base !== undefined && tensor.startsWith(base.name) ? tensor.slice(base.name.length) : undefined;
    const names = [...prefixes, '']
      .flatMap((prefix) => [`${prefix}${tensor}`, `${prefix}${older}`])
      .concat(rest === undefined ? [] : (base?.others ?? []).map((other) => `${other}${rest}`));
    return names.find((name) => this.files.shapeOf(name) !== undefined) ?? tensor;
  }
}

/** Rows 0, 1, 2, 3, ... of each head in the order 0, 2, ..., 1, 3, ...: queries and keys change alike, so that their products stay. */
function pairsApart({ shape, data }: Weight, headWidth: number): Weight {
  const rowSize = elementsOf(shape.slice(1));
  const apart = new Float32Array(data.length);
  for (let row = 0; row < shape[0]; row += 1) {
    const column = row % headWidth;
    const to = row - column + Math.floor(column / 2) + (column % 2) * (headWidth / 2);
    apart.set(data.subarray(row * rowSize, (row + 1) * rowSize), to * rowSize);
  }
  return { shape, data: apart };
}
