import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path is a folder, or lies in it, by their names alone: links are not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** A path with links resolved; unchanged if nothing is there. */
export function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
