import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';

/** Whether a path is a folder, or lies in it, by their names alone: links are not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** A path with links resolved; unchanged if nothing is there. */
export function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** Where a path is or would be made, with links resolved; undefined for a link that leads nowhere, which a write would follow. */
export async function realPlace(path: string): Promise<string | undefined> {
  const there = await realpath(path).catch(() => undefined);
  if (there !== undefined || dirname(path) === path) {
    return there ?? path;
  }
  if (await lstat(path).catch(() => undefined)) {
    return undefined;
  }
  const folder = await realPlace(dirname(path));
  return folder === undefined ? undefined : join(folder, basename(path));
}
