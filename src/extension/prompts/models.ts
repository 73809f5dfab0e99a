import { readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { isInWorkspace } from '../workspace-paths';

/**
 * Decides which models may be loaded.
 *
 * Model files are only read, never executed, but the author of an untrusted workspace could craft them to exploit a bug in
 * the reader. So Restricted Mode refuses a folder of the workspace, no matter who names it.
 */
export class ModelAccess {
  /** @param modelsFolder the folder of the models that ship */
  constructor(readonly modelsFolder: string) {}

  /** @throws InputError for a folder of an untrusted workspace */
  async check(model: string): Promise<void> {
    if (!vscode.workspace.isTrusted && !(await this.ships(model)) && (await isInWorkspace(resolve(model)))) {
      throw new InputError(
        `Model ${JSON.stringify(model)} is in a workspace that is not trusted; trust the workspace, or use a model that ships with Two Heads, such as tiny-docs-5m.`,
      );
    }
  }

  /** @throws InputError for an experiment file of an untrusted workspace */
  checkExperimentFile(): void {
    if (!vscode.workspace.isTrusted) {
      throw new InputError('An experiment file names models to load and files to write; trust the workspace to run it.');
    }
  }

  /**
   * Resolves a model named by a language model: one that ships, the user's own choice, or a folder of the workspace.
   *
   * @param chosen the model of the user's settings
   * @throws InputError for any other folder
   */
  async named(model: string, chosen: string): Promise<string> {
    if (model === chosen || (await this.ships(model))) {
      return model;
    }
    for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
      const folder = isAbsolute(model) ? model : join(uri.fsPath, model);
      if (uri.scheme === 'file' && (await isFolder(folder)) && (await isInWorkspace(folder))) {
        return folder;
      }
    }
    throw new InputError(
      `Model ${JSON.stringify(model)} neither ships with Two Heads nor is a folder of the workspace; use ${(await this.shipped()).join(', ')}, or such a folder.`,
    );
  }

  private async ships(model: string): Promise<boolean> {
    return (await this.shipped()).includes(model);
  }

  private async shipped(): Promise<string[]> {
    const entries = await readdir(this.modelsFolder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }
}

async function isFolder(path: string): Promise<boolean> {
  return vscode.workspace.fs.stat(vscode.Uri.file(path)).then(
    ({ type }) => (type & vscode.FileType.Directory) !== 0,
    () => false,
  );
}
