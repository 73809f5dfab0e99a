import * as vscode from 'vscode';
import { MEMORY_SCHEME } from './protocol';

/** A file system that is on no disk: what a virtual workspace is made of. */
export class MemoryFiles implements vscode.FileSystemProvider {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;

  /** @param files their content by path */
  constructor(private readonly files: Readonly<Record<string, string>>) {}

  static register(files: Readonly<Record<string, string>>): vscode.Disposable {
    return vscode.workspace.registerFileSystemProvider(MEMORY_SCHEME, new MemoryFiles(files), { isReadonly: true });
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat({ path }: vscode.Uri): vscode.FileStat {
    const isRoot = path === '/';
    return {
      type: isRoot ? vscode.FileType.Directory : vscode.FileType.File,
      ctime: 0,
      mtime: 0,
      size: isRoot ? 0 : this.content(path).length,
    };
  }

  readDirectory(): [string, vscode.FileType][] {
    return Object.keys(this.files).map((path) => [path.slice(1), vscode.FileType.File]);
  }

  readFile({ path }: vscode.Uri): Uint8Array {
    return this.content(path);
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  private content(path: string): Uint8Array {
    if (!(path in this.files)) {
      throw vscode.FileSystemError.FileNotFound(path);
    }
    return new TextEncoder().encode(this.files[path]);
  }
}
