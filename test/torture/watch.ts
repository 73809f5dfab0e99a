import fs from 'node:fs';
import promises from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { relative, resolve } from 'node:path';

/** Calls of Node's that take a path first; of those that take two, both count. */
const names = [
  ...[
    'access',
    'appendFile',
    'chmod',
    'chown',
    'copyFile',
    'cp',
    'link',
    'lstat',
    'mkdir',
    'mkdtemp',
    'open',
    'opendir',
    'readFile',
    'readdir',
  ],
  ...['readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs', 'symlink', 'truncate', 'unlink', 'utimes', 'writeFile'],
  ...['createReadStream', 'createWriteStream', 'existsSync'],
];

/**
 * Notes every path outside of some folders that a file is asked for at, as it is asked: also where the answer would be
 * refused, and where the asker ignores that.
 *
 * @param folders absolute paths
 * @returns takes what was noted since it was last asked
 */
export function watchPaths(folders: readonly string[]): () => readonly string[] {
  const noted: string[] = [];
  const note = (path: unknown): void => {
    if (typeof path !== 'string' && !(path instanceof URL)) {
      return;
    }
    const full = resolve(typeof path === 'string' ? path : fileURLToPath(path));
    if (!folders.some((folder) => !relative(folder, full).startsWith('..'))) {
      noted.push(full);
    }
  };
  for (const from of [fs, promises] as unknown as Record<string, unknown>[]) {
    for (const name of names.flatMap((each) => [each, `${each}Sync`])) {
      const own = from[name];
      if (typeof own === 'function') {
        from[name] = Object.assign(function (this: unknown, ...given: unknown[]): unknown {
          note(given[0]);
          if (/^(copyFile|cp|link|rename)/.test(name)) {
            note(given[1]);
          }
          return Reflect.apply(own, this, given) as unknown;
        }, own);
      }
    }
  }
  return () => noted.splice(0);
}
