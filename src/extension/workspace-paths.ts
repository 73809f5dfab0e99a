import { isAbsolute, normalize, resolve } from 'node:path';
import * as vscode from 'vscode';
import { InputError } from '../core/errors';
import { isInside, realPath } from '../engine/read/input/inside';

/** Paths of the workspace's folders that are on this machine's disk. */
export function diskFolders(): readonly string[] {
  return (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri }) => (uri.scheme === 'file' ? [uri.fsPath] : []));
}

/** Whether a path on disk lies in a folder of the workspace, with links resolved; the folder itself counts. */
export async function isInWorkspace(path: string): Promise<boolean> {
  const real = await realPath(path);
  for (const folder of diskFolders()) {
    if (isInside(await realPath(folder), real)) {
      return true;
    }
  }
  return false;
}

/** Whether a folder on disk lies in a folder of the workspace, or the other way round, with links resolved. */
export async function overlapsWorkspace(folder: string): Promise<boolean> {
  const real = await realPath(folder);
  const own = await Promise.all(diskFolders().map(realPath));
  return own.some((path) => isInside(path, real) || isInside(real, path));
}

/**
 * Resolves a file of the workspace, in any file system, from a path given by someone else.
 *
 * @param file relative to a folder of the workspace, or absolute
 * @throws InputError if it does not exist, or lies outside the workspace
 */
export async function workspaceFile(file: string): Promise<vscode.Uri> {
  const shown = JSON.stringify(file);
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) {
    throw new InputError(`File ${shown} cannot be looked up, since no folder is open; open one.`);
  }
  const inside = folders.flatMap((folder) => placesIn(folder, file));
  for (const uri of inside) {
    const found = await vscode.workspace.fs.stat(uri).then(
      (stat) => stat,
      () => undefined,
    );
    if (found !== undefined && (found.type & vscode.FileType.File) !== 0) {
      if (uri.scheme === 'file' && !(await isInWorkspace(uri.fsPath))) {
        throw new InputError(`File ${shown} is a link that leads outside the workspace; give a file inside it.`);
      }
      return uri;
    }
  }
  throw new InputError(
    inside.length === 0
      ? `File ${shown} is outside the workspace; give a file inside it.`
      : `File ${shown} is no file of the workspace; give a path relative to its folder.`,
  );
}

/**
 * Candidate locations of a file in a folder: its relative path, also with the folder's name in front, as multi-root
 * workspaces show it. An absolute path is a file on this machine's disk.
 */
function placesIn({ uri, name }: vscode.WorkspaceFolder, file: string): vscode.Uri[] {
  if (isAbsolute(file)) {
    return uri.scheme === 'file' && isInside(uri.fsPath, resolve(file)) ? [vscode.Uri.file(resolve(file))] : [];
  }
  const ways = [file, ...(file.startsWith(`${name}/`) ? [file.slice(name.length + 1)] : [])];
  return ways.filter((way) => !/^\.\.([\\/]|$)/.test(normalize(way))).map((way) => vscode.Uri.joinPath(uri, way));
}
