import { isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { findBase } from '../../engine/read/model/adapter/adapter';
import { isAdapter } from '../../engine/read/model/adapter/config';
import { findModel, shippedModels } from '../../engine/read/model/found/resolve';
import { type ModelStores, modelStores } from '../../engine/read/model/found/stores';
import { modelPlaces } from '../../engine/read/model/model-places';
import { isInWorkspace, overlapsWorkspace } from '../workspace-paths';

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
    if (vscode.workspace.isTrusted || (await this.ships(model))) {
      return;
    }
    if ((await isInWorkspace(resolve(model))) || (await this.leadsIntoWorkspace(model))) {
      throw new InputError(
        `Model ${JSON.stringify(model)} is in a workspace that is not trusted; trust the workspace, or use a model that ships with Two Heads, such as tiny-docs-5m.`,
      );
    }
  }

  /** Where models may be looked for: in Restricted Mode not where the workspace is, nor in the workspace. */
  async stores(): Promise<ModelStores> {
    const all = modelStores();
    if (vscode.workspace.isTrusted) {
      return all;
    }
    const allowed = async (stores: readonly string[]): Promise<readonly string[]> => {
      const overlap = await Promise.all(stores.map(overlapsWorkspace));
      return stores.filter((_, index) => !overlap[index]);
    };
    const [hub = ''] = await allowed([all.hub]);
    return { hub, lmStudio: await allowed(all.lmStudio), ollama: await allowed(all.ollama) };
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
      if (uri.scheme === 'file' && (await isFolder(folder)) && (await this.isHeld(folder, chosen))) {
        return folder;
      }
    }
    throw new InputError(
      `Model ${JSON.stringify(model)} neither ships with Two Heads nor is a folder of the workspace; use ${(await this.shipped()).join(', ')}, or such a folder.`,
    );
  }

  /** Whether a model lies in the workspace, with links resolved, and an adapter's base with it. */
  private async isHeld(folder: string, chosen: string): Promise<boolean> {
    if (!(await isInWorkspace(folder))) {
      return false;
    }
    for await (const place of modelPlaces(folder, [chosen], this.modelsFolder)) {
      if (!(await isInWorkspace(place))) {
        return false;
      }
    }
    return true;
  }

  /** Whether a name in a store means a model in the workspace: the store itself may lie there. */
  private async leadsIntoWorkspace(model: string): Promise<boolean> {
    const found = await findModel(model, this.modelsFolder).catch(() => undefined);
    if (found === undefined || (await isInWorkspace(found.path))) {
      return found !== undefined;
    }
    // An adapter names another model, its base.
    const base = (await isAdapter(found.path)) ? await findBase(found.path, this.modelsFolder).catch(() => undefined) : undefined;
    return base !== undefined && isInWorkspace(base.base.path);
  }

  private async ships(model: string): Promise<boolean> {
    return (await this.shipped()).includes(model);
  }

  private shipped(): Promise<readonly string[]> {
    return shippedModels(this.modelsFolder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return vscode.workspace.fs.stat(vscode.Uri.file(path)).then(
    ({ type }) => (type & vscode.FileType.Directory) !== 0,
    () => false,
  );
}
