import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { said } from '../../../core/l10n';
import { quoted, shown } from '../../../core/text/printable';
import { parseJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { readRegularText } from '../input/text';
import { SafetensorsFile } from './safetensors';
import type { TensorPart, TensorSource } from './tensor-source';
import type { Weight } from './weights';

/** Hugging Face's names for a checkpoint of one file, and for the index of a sharded one. */
const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** Limits of an index: far above those of real checkpoints that can run here. */
const maximumShards = 4096;
const maximumShardNameLength = 100;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Refuses a folder without weights. @throws InputError */
export async function checkFolder(folder: string): Promise<void> {
  if (!(await isThere(join(folder, singleFile))) && !(await isThere(join(folder, indexFile)))) {
    const unread = await unreadWeights(folder);
    if (unread !== undefined) {
      throw new InputError(`${folder}: ${unread}.`);
    }
    throw new InputError(
      `${folder} has no weights (${singleFile} cannot be read, and there is no ${indexFile}): such a model can be planned, not run; give a folder with its safetensors files, or get one by two-heads fetch.`,
    );
  }
}

/** Files with weights that are not read, and what people call them. */
const unreadFiles: readonly { readonly ending: RegExp; readonly format: string }[] = [
  { ending: /\.(bin|pth?|ckpt)$/, format: said`PyTorch pickles` },
  { ending: /\.onnx$/, format: 'ONNX' },
  { ending: /\.h5$/, format: 'TensorFlow' },
  { ending: /\.msgpack$/, format: 'Flax' },
  { ending: /\.npz$/, format: said`NumPy archives` },
];

/** What a folder has in the place of safetensors files, and the way out, as a clause; undefined if nothing that is known. */
export async function unreadWeights(folder: string): Promise<string | undefined> {
  for (const place of [folder, join(folder, 'onnx')]) {
    const names = (await readdir(place).catch(() => [])).sort();
    for (const { ending, format } of unreadFiles) {
      const name = names.find((one) => ending.test(one) && !/^(training_args|optimizer|scheduler|rng_state)/.test(one));
      if (name !== undefined) {
        return said`its weights are ${format} (${shown(name)}), which are not read; convert them to safetensors, or use a copy that has them`;
      }
    }
  }
  return undefined;
}

/**
 * The tensors of each shard, in the order of the index; undefined if the folder has a single file.
 *
 * @throws InputError if the folder has neither, the index is broken, or it names something other than a file of the folder
 */
async function readIndex(folder: string): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (await isThere(join(folder, singleFile))) {
    await checkLink(folder, singleFile);
    return undefined;
  }
  await checkFolder(folder);
  const path = join(folder, indexFile);
  await checkLink(folder, indexFile);
  const fix = said`download the model again`;
  const text = await readRegularText(path, inputLimits.shardIndex, fix, fix);
  const index = indexSchema.safeParse(parseJson(text, path, fix));
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
    checkName(folder, shard);
    await checkLink(folder, shard);
    shards.set(shard, [tensor]);
  }
  if (shards.size === 0) {
    throw new InputError(`${join(folder, indexFile)} names no tensor; download the model again.`);
  }
  return shards;
}

function checkName(folder: string, shard: string): void {
  if (!isShardName(shard)) {
    throw new InputError(`${quoted(shard)} is not a safetensors file in the model's folder ${folder}; download the model again.`);
  }
}

/**
 * Whether a name of an index is one of a safetensors file directly in the model's folder: an index comes from elsewhere, so
 * paths in any system's notation are none, and neither are names that messages cannot show.
 */
export function isShardName(shard: string): boolean {
  return (
    shard === basename(shard) &&
    !/[\\/\p{C}\p{Zl}\p{Zp}]/u.test(shard) &&
    shard.endsWith('.safetensors') &&
    shard.length <= maximumShardNameLength
  );
}

/** Where the Hugging Face hub cache keeps the targets of its snapshots' links. */
const hubBlobs = /(^|[\\/])models--[^\\/]+[\\/]blobs$/;

/**
 * Refuses a link that leads out of the model's folder, except into the hub's cache.
 *
 * Links as such must work: each file of a snapshot in the hub's cache is a link to `../../blobs/`, and so were the large
 * files of a download to another folder. An index's text is written by the model's author, but such links are created on
 * this machine, by the cache or by the user who also linked config.json. Any other link may have come with the folder and
 * is not followed.
 */
export async function checkLink(folder: string, file: string): Promise<void> {
  const [real, home, config] = await Promise.all([resolved(join(folder, file)), resolved(folder), resolved(join(folder, 'config.json'))]);
  if (real === undefined) {
    // Nothing is there; opening the file reports that.
    return;
  }
  const place = dirname(real);
  if (place !== home && !hubBlobs.test(place) && (config === undefined || place !== dirname(config))) {
    throw new InputError(
      `${quoted(file)} is a link out of the model's folder ${folder}; put the file itself there, or link config.json to the same place.`,
    );
  }
}

function resolved(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Most bytes of headers in all files together: far above those of real checkpoints that can run here. */
const maximumHeaderBytes = 32 * 1024 * 1024;

/** A checkpoint of one or many safetensors files: tensors by name. */
export class CheckpointFiles implements TensorSource {
  private constructor(private readonly fileOf: ReadonlyMap<string, SafetensorsFile>) {}

  /**
   * Opens the checkpoint of a folder.
   *
   * @throws InputError if there is none, a file is broken, or the index names a file outside the folder, or a tensor that
   * its file does not have
   */
  static async open(folder: string): Promise<CheckpointFiles> {
    const index = await readIndex(folder);
    const fileOf = new Map<string, SafetensorsFile>();
    let headerBytes = 0;
    for (const [shard, tensors] of index ?? [[singleFile, undefined] as const]) {
      const file = await SafetensorsFile.open(join(folder, shard));
      // Otherwise one file under the names of many links would be parsed, and kept, once for each.
      headerBytes += file.headerBytes;
      if (headerBytes > maximumHeaderBytes) {
        throw new InputError(
          `${shown(shard)}: the headers up to this file have ${formatBytes(headerBytes)} and ${formatBytes(maximumHeaderBytes)} are allowed in all; use another model.`,
        );
      }
      for (const tensor of tensors ?? file.names) {
        if (file.shapeOf(tensor) === undefined) {
          throw new InputError(`${shown(shard)} lacks ${shown(tensor)}, which ${indexFile} says it holds; download the model again.`);
        }
        fileOf.set(tensor, file);
      }
    }
    return new CheckpointFiles(fileOf);
  }

  /** Names of all tensors. */
  get names(): Iterable<string> {
    return this.fileOf.keys();
  }

  /** The shape of a tensor; undefined if it does not exist. */
  shapeOf(tensor: string): readonly number[] | undefined {
    return this.fileOf.get(tensor)?.shapeOf(tensor);
  }

  /** The type in which most bytes of its tensors are stored, such as `BF16`; undefined if it has none. */
  get mainType(): string | undefined {
    const bytes = new Map<string, number>();
    for (const [tensor, file] of this.fileOf) {
      const stored = file.storedOf(tensor);
      if (stored !== undefined) {
        bytes.set(stored.type, (bytes.get(stored.type) ?? 0) + stored.bytes);
      }
    }
    return [...bytes].sort(([, one], [, other]) => other - one)[0]?.[0];
  }

  /** Refuses a tensor of a type that is not read. @throws InputError */
  checkType(tensor: string): void {
    this.fileOf.get(tensor)?.checkType(tensor);
  }

  hasRows(tensor: string): boolean {
    return this.holder(tensor).hasRows(tensor);
  }

  /** Reads a tensor as float32. @throws InputError like `SafetensorsFile.read` */
  read(tensor: string, part?: TensorPart): Weight {
    return this.holder(tensor).read(tensor, part);
  }

  private holder(tensor: string): SafetensorsFile {
    const file = this.fileOf.get(tensor);
    if (file === undefined) {
      throw new InputError(`The checkpoint lacks ${shown(tensor)}; it does not belong to this config.json.`);
    }
    return file;
  }

  /** How a tensor is stored; undefined if it does not exist. */
  storedOf(tensor: string): { readonly type: string; readonly shape: readonly number[] } | undefined {
    const file = this.fileOf.get(tensor);
    const [stored, shape] = [file?.storedOf(tensor), file?.shapeOf(tensor)];
    return stored && shape && { type: stored.type, shape };
  }

  /** Reads a tensor's bytes as they are stored. @throws InputError like `SafetensorsFile.readBytes` */
  readBytes(tensor: string): Uint8Array {
    return this.holder(tensor).readBytes(tensor);
  }
}
