import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, messageOf } from '../core/errors';
import { pictures } from '../core/draw/pictures';
import { writeWhole } from './files';

/**
 * Draws every construction into a folder, which is made where it is missing: one SVG file each.
 *
 * @returns the paths, in the order of docs/constructions.md
 * @throws InputError where the folder cannot be made or written
 */
export async function writePictures(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new InputError(`--pictures ${folder} cannot be made (${messageOf(error)}); give the path of a folder.`);
  });
  const paths: string[] = [];
  for (const { name, svg } of pictures) {
    const path = join(folder, `${name}.svg`);
    await writeWhole(path, svg(), '--pictures');
    paths.push(path);
  }
  return paths;
}
