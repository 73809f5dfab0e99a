import { randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** File name ending of unfinished files. One that remains is left over from a crash. */
export const draftEnding = '.part';

/**
 * Writes a file atomically, even if the process or the machine stops meanwhile: to a temporary neighbour, which is flushed
 * to disk and then renamed over the target.
 *
 * @throws file system errors
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
