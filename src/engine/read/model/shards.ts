import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../../core/errors';
import { readRegularText } from './regular-file';
import { quoted, shown } from '../../../core/text/printable';

/** The names that Hugging Face gives a checkpoint of one file, and the index of one of many. */
export const singleFile = 'model.safetensors';
export const indexFile = 'model.safetensors.index.json';

/** Limits of an index: far above those of real checkpoints of what can be run. */
const maximumIndexBytes = 16 * 1024 * 1024;
const maximumShards = 4096;
const maximumShardNameLength = 100;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The tensors of each shard, in the order of the index; undefined where the folder has a single file.
 *
 * @throws InputError where the folder has neither, the index is broken, or it names what is not a file of the folder
 */
export async function readIndex(folder: string): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (await isThere(join(folder, singleFile))) {
    await checkLink(folder, singleFile);
    return undefined;
  }
  const path = join(folder, indexFile);
  if (!(await isThere(path))) {
    throw new InputError(
      `${folder} has no weights (${singleFile} cannot be read, and there is no ${indexFile}): such a model can be planned, not run; put its safetensors files there.`,
    );
  }
  await checkLink(folder, indexFile);
  const text = await readRegularText(path, maximumIndexBytes, 'download the model again', 'download the model again');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path} is not JSON (${shown(messageOf(error))}); download the model again.`);
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
    checkName(folder, shard);
    await checkLink(folder, shard);
    shards.set(shard, [tensor]);
  }
  if (shards.size === 0) {
    throw new InputError(`${join(folder, indexFile)} names no tensor; download the model again.`);
  }
  return shards;
}

/**
 * Refuses a name that is not one of a file right in the model's folder: an index comes from elsewhere and is not trusted with
 * paths, in the writing of any system, nor with names that messages cannot show.
 */
function checkName(folder: string, shard: string): void {
  if (
    shard !== basename(shard) ||
    /[\\/\p{C}\p{Zl}\p{Zp}]/u.test(shard) ||
    !shard.endsWith('.safetensors') ||
    shard.length > maximumShardNameLength
  ) {
    throw new InputError(`${quoted(shard)} is not a safetensors file in the model's folder ${folder}; download the model again.`);
  }
}

/** Where the cache of Hugging Face's hub keeps what its snapshots link to. */
const hubBlobs = /(^|[\\/])models--[^\\/]+[\\/]blobs$/;

/**
 * Refuses a link that leads out of the model's folder to where nobody keeps its weights.
 *
 * Links as such must work: each file of a snapshot in the hub's cache is one to `../../blobs/`, and so were the large files
 * alone of a download to another folder. Text in an index is written by the model's author, but such links are made on this
 * machine, by the cache or by who linked config.json too. Any other may have come with the folder, and is not followed.
 */
async function checkLink(folder: string, file: string): Promise<void> {
  const [real, home, config] = await Promise.all([resolved(join(folder, file)), resolved(folder), resolved(join(folder, 'config.json'))]);
  if (real === undefined) {
    // Nothing is there; opening it says so.
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
