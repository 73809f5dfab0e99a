import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { formatBytes } from '../../core/format';
import { SafetensorsFile } from './safetensors';
import type { Weight } from './weights';

/** The names that Hugging Face gives a checkpoint of one file, and the index of one of many. */
const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** Limits of an index: far above those of real checkpoints. */
const maximumIndexBytes = 64 * 1024 * 1024;
const maximumShards = 4096;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A checkpoint of one or many safetensors files: tensors by name, each read once. */
export class CheckpointFiles {
  private constructor(
    private readonly files: readonly SafetensorsFile[],
    private readonly fileOf: ReadonlyMap<string, SafetensorsFile>,
  ) {}

  /**
   * Opens the checkpoint of a folder.
   *
   * @throws InputError where there is none, a file is broken, or the index names a file outside the folder, or a tensor that
   * its file does not have
   */
  static async open(folder: string): Promise<CheckpointFiles> {
    const index = await readIndex(folder);
    const files: SafetensorsFile[] = [];
    const fileOf = new Map<string, SafetensorsFile>();
    try {
      for (const [shard, tensors] of index ?? [[singleFile, undefined] as const]) {
        const file = await SafetensorsFile.open(join(folder, shard));
        files.push(file);
        for (const tensor of tensors ?? file.names) {
          if (file.shapeOf(tensor) === undefined) {
            throw new InputError(`${shard} lacks ${tensor.slice(0, 120)}, which ${indexFile} says it holds; download the model again.`);
          }
          fileOf.set(tensor, file);
        }
      }
      return new CheckpointFiles(files, fileOf);
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
  }

  /** The shape of a tensor; undefined where there is none of that name. */
  shapeOf(tensor: string): readonly number[] | undefined {
    return this.fileOf.get(tensor)?.shapeOf(tensor);
  }

  /** Reads a tensor as float32. @throws InputError as `SafetensorsFile.read` */
  async read(tensor: string): Promise<Weight> {
    const file = this.fileOf.get(tensor);
    if (file === undefined) {
      throw new InputError(`The checkpoint lacks ${tensor}; it does not belong to this config.json.`);
    }
    return file.read(tensor);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }
}

/** The tensors of each shard, in the order of the index; undefined where the folder has a single file. */
async function readIndex(folder: string): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (await isThere(join(folder, singleFile))) {
    await checkInside(folder, singleFile);
    return undefined;
  }
  const path = join(folder, indexFile);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new InputError(`${folder} has no weights (${singleFile} cannot be read, and there is no ${indexFile}): such a model can be planned, not run; put its safetensors files there.`);
  }
  if (found.size > maximumIndexBytes) {
    throw new InputError(`${path} has ${formatBytes(found.size)}; the limit is ${formatBytes(maximumIndexBytes)}: download the model again.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InputError(`${path} is not JSON (${messageOf(error).replace(/\s+/g, ' ').slice(0, 120)}); download the model again.`);
  }
  const index = indexSchema.safeParse(json);
  if (!index.success) {
    throw new InputError(`${path} has no weight_map from tensors to files; download the model again.`);
  }
  return shardsOf(index.data.weight_map, folder);
}

async function shardsOf(weightMap: Readonly<Record<string, string>>, folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    const tensors = shards.get(shard);
    if (tensors !== undefined) {
      tensors.push(tensor);
      continue;
    }
    if (shards.size === maximumShards) {
      throw new InputError(`${indexFile} names more than ${maximumShards} files; download the model again.`);
    }
    await checkInside(folder, shard);
    shards.set(shard, [tensor]);
  }
  if (shards.size === 0) {
    throw new InputError(`${join(folder, indexFile)} names no tensor; download the model again.`);
  }
  return shards;
}

/**
 * Refuses a shard that is not a file right in the model's folder: an index is not trusted with paths.
 *
 * A link may lead out of the folder only to where that of config.json leads, as in the cache of Hugging Face's hub.
 */
async function checkInside(folder: string, shard: string): Promise<void> {
  const outside = new InputError(`${JSON.stringify(shard.slice(0, 120))} is not a safetensors file in the model's folder ${folder}; download the model again.`);
  if (shard !== basename(shard) || /[\\/\0]/.test(shard) || !shard.endsWith('.safetensors')) {
    throw outside;
  }
  const [real, home, config] = await Promise.all([resolved(join(folder, shard)), resolved(folder), resolved(join(folder, 'config.json'))]);
  if (real !== undefined && dirname(real) !== home && (config === undefined || dirname(real) !== dirname(config))) {
    throw outside;
  }
}

function resolved(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
