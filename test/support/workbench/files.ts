import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, posix } from 'node:path';
import type * as vscode from 'vscode';
import { emitter, EventEmitter, onReset } from './events';
import { FileType, Uri } from './values';

/** What is open: folders, and whether they are trusted. */
interface Opened {
  folders: vscode.WorkspaceFolder[] | undefined;
  trusted: boolean;
}

const closed: Opened = { folders: undefined, trusted: true };
export const opened: Opened = { ...closed };
onReset(() => void Object.assign(opened, closed));

const trustGranted = emitter<undefined>();
export const onDidGrantWorkspaceTrust = trustGranted.event;
const foldersChanged = emitter<undefined>();
export const onDidChangeWorkspaceFolders = foldersChanged.event;

/** Opens folders of this machine's disk, or of another file system. */
export function openFolders(...folders: readonly (string | vscode.Uri)[]): void {
  opened.folders = folders.map((folder, index) => {
    const uri = typeof folder === 'string' ? Uri.file(folder) : folder;
    return { uri, name: basename(uri.path), index };
  });
  foldersChanged.fire(undefined);
}

/** Opens the workspace in Restricted Mode. */
export function restrict(): void {
  opened.trusted = false;
}

/** The user trusts the workspace. */
export function trust(): void {
  opened.trusted = true;
  trustGranted.fire(undefined);
}

/** The path of a file within its folder, behind the folder's name where there are several; an address elsewhere as it is. */
export function asRelativePath(given: vscode.Uri | string): string {
  const path = typeof given === 'string' ? given : given.path;
  const folder = opened.folders?.find(({ uri }) => path.startsWith(`${uri.path}/`));
  if (folder === undefined) {
    return path;
  }
  const relative = posix.relative(folder.uri.path, path);
  return (opened.folders?.length ?? 0) > 1 ? `${folder.name}/${relative}` : relative;
}

/** Files of other file systems than this machine's, by address. */
export const otherFiles = new Map<string, Uint8Array>();
onReset(() => otherFiles.clear());

/** A path of this machine; other file systems hold what `otherFiles` does, and can be read only. @throws as an editor says it */
function diskPath(uri: vscode.Uri): string {
  if (uri.scheme !== 'file') {
    throw new Error(`NoPermissions (FileSystemError): Unable to write '${uri.toString()}'`);
  }
  return uri.fsPath;
}

/** The folder that a file is in. */
export function getWorkspaceFolder(uri: vscode.Uri): vscode.WorkspaceFolder | undefined {
  return opened.folders?.find((folder) => folder.uri.scheme === uri.scheme && uri.path.startsWith(folder.uri.path.replace(/\/?$/, '/')));
}

const filesRenamed = emitter<vscode.FileRenameEvent>();
export const onDidRenameFiles = filesRenamed.event;

/** The user renames a file or a folder in the editor. */
export function renameFile(oldUri: vscode.Uri, newUri: vscode.Uri): void {
  filesRenamed.fire({ files: [{ oldUri, newUri }] });
}

/** What watches files: the test says when one has changed. */
export const fileWatchers: { readonly pattern: unknown; readonly changed: EventEmitter<void>; disposed: boolean }[] = [];
onReset(() => void fileWatchers.splice(0));

export function createFileSystemWatcher(pattern: unknown): {
  onDidChange: unknown;
  onDidCreate: unknown;
  onDidDelete: unknown;
  dispose(): void;
} {
  const watcher = { pattern, changed: new EventEmitter<void>(), disposed: false };
  fileWatchers.push(watcher);
  const dispose = (): void => {
    watcher.disposed = true;
    watcher.changed.dispose();
  };
  const event = watcher.changed.event;
  return { onDidChange: event, onDidCreate: event, onDidDelete: new EventEmitter<vscode.Uri>().event, dispose };
}

/** Files, as far as the extension asks for them. */
export const fs = {
  /** Of file systems that are known: this machine's, one of notes, and one of older versions. */
  isWritableFileSystem: (scheme: string): boolean | undefined => ({ file: true, notes: true, git: false })[scheme],
  stat: async (uri: vscode.Uri): Promise<{ type: number; size: number }> => {
    const other = otherFiles.get(uri.toString());
    if (other !== undefined) {
      return { type: FileType.File, size: other.length };
    }
    const found = await stat(diskPath(uri));
    const noFile = found.isDirectory() ? FileType.Directory : FileType.Unknown;
    return { type: found.isFile() ? FileType.File : noFile, size: found.size };
  },
  readFile: async (uri: vscode.Uri): Promise<Uint8Array> => otherFiles.get(uri.toString()) ?? (await readFile(diskPath(uri))),
  /** Folders that are missing are made. */
  writeFile: async (uri: vscode.Uri, content: Uint8Array): Promise<void> => {
    await mkdir(dirname(diskPath(uri)), { recursive: true });
    await writeFile(diskPath(uri), content);
  },
  rename: async (from: vscode.Uri, to: vscode.Uri, { overwrite = false } = {}): Promise<void> => {
    if (!overwrite && (await stat(diskPath(to)).catch(() => undefined)) !== undefined) {
      throw new Error(`FileExists (FileSystemError): '${to.toString()}'`);
    }
    await rename(diskPath(from), diskPath(to));
  },
  delete: (uri: vscode.Uri): Promise<void> => rm(diskPath(uri)),
};
