import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is at a path, links followed. */
export async function kindAt(path: string): Promise<'folder' | 'file' | 'other' | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
}

/** Names of the folders in a folder, also behind links, sorted; none where it cannot be read. */
export async function foldersIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const kinds = await Promise.all(names.map((name) => kindAt(join(folder, name))));
  return names.filter((_, index) => kinds[index] === 'folder').sort();
}

/** A part of a GGUF model in several files: which of how many. */
const part = /-(\d{5})-of-(\d{5})\.gguf$/;

/** Names of the models in GGUF in a folder, sorted: of one in several files the first, and no projectors of images. */
export async function ggufsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.toLowerCase().endsWith('.gguf') && !/^mmproj/i.test(name) && Number(part.exec(name)?.[1] ?? 1) === 1)
    .sort();
}

/** The files of a model in GGUF, of which one is given. */
export function ggufParts(path: string): readonly string[] {
  const [end, , count] = part.exec(path) ?? [];
  if (end === undefined || Number(count) < 1 || Number(count) > 1024) {
    return [path];
  }
  return Array.from(
    { length: Number(count) },
    (_, index) => `${path.slice(0, -end.length)}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`,
  );
}
