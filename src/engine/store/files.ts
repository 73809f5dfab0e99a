import { randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The ending of files that are being written. One that stays was left behind by a crash. */
export const draftEnding = '.part';

/**
 * Writes a file whole or not at all, whatever ends the process or the machine meanwhile: to a neighbour, which reaches the
 * disk before it is renamed over the target.
 *
 * @throws what the file system says
 */
export async function writeWhole(path: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}${draftEnding}`);
  try {
    const file = await open(draft, 'wx');
    try {
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
