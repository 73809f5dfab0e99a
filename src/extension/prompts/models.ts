import { readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import type { TokenizerDescription } from '../../core/report/report';
import type { ModelFolder } from '../../engine/read/model/load';
import type { TokenIndex } from '../../engine/read/tokenizer/token-index';
import type { PromptTokenizer } from '../../engine/read/tokenizer/tokenizer';
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

/** The parts of a model that planning needs: its shape and its tokenizer. */
export interface PlanningModel {
  readonly folder: ModelFolder;
  readonly tokenizer: TokenizerDescription;
  /** The index of an empty prompt: a document's own is edited from it, version by version. */
  readonly emptyIndex: TokenIndex;
}

/** Reads models' configurations and tokenizers, each once; the readers themselves load at first use. */
export class ModelReader {
  private readonly models = new Map<string, Promise<PlanningModel>>();

  constructor(private readonly access: ModelAccess) {}

  /** The model of a name or path. @throws InputError if there is none, or it may not be loaded */
  async read(nameOrPath: string): Promise<PlanningModel> {
    // Checked every time, because trust can change.
    await this.access.check(nameOrPath);
    let model = this.models.get(nameOrPath);
    if (model === undefined) {
      model = this.load(nameOrPath);
      this.models.set(nameOrPath, model);
      // Retry a broken folder next time, because it may have been fixed.
      model.catch(() => this.models.delete(nameOrPath));
    }
    return model;
  }

  private async load(nameOrPath: string): Promise<PlanningModel> {
    const [{ openModel }, { PromptTokenizer: Loader }] = await Promise.all([
      import('../../engine/read/model/load'),
      import('../../engine/read/tokenizer/tokenizer'),
    ]);
    const folder = await openModel(nameOrPath, this.access.modelsFolder);
    const tokenizer: PromptTokenizer = await Loader.load(folder.folder);
    return { folder, tokenizer: tokenizer.source, emptyIndex: tokenizer.emptyIndex };
  }
}
