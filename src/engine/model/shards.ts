import { join } from 'node:path';
import { InputError } from '../../core/errors';
import { formatBytes } from '../../core/format';
import { SafetensorsFile } from '../read/model/safetensors';
import { indexFile, readIndex, singleFile } from '../read/model/shards';
import { shown } from '../../core/text/printable';
import type { Weight } from '../read/model/weights';

/** The most bytes of headers in all files together: far above those of real checkpoints of what can be run. */
const maximumHeaderBytes = 32 * 1024 * 1024;

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
    let headerBytes = 0;
    try {
      for (const [shard, tensors] of index ?? [[singleFile, undefined] as const]) {
        const file = await SafetensorsFile.open(join(folder, shard));
        files.push(file);
        // One file under the names of many links would be parsed, and kept, once for each.
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
      throw new InputError(`The checkpoint lacks ${shown(tensor)}; it does not belong to this config.json.`);
    }
    return file.read(tensor);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }
}
