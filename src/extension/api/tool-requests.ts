import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { defaultOptions } from '../../core/options/table';
import { readExperimentInput, type ToolDefaults, type ToolRequest } from '../../core/options/tool-input';
import { type ReadyRequest, ToolRequests } from '../../core/options/tool-requests';
import type { ScenarioChoice } from '../../core/scenario/scenario';
import type * as prompts from '../../engine/read/prompt';
import type { OutlookRequest } from '../../engine/tasks/evaluate/outlook';
import type { ChoiceStore } from '../choice';
import type { ModelAccess } from '../prompts/models';
import { engineSettings } from '../settings';
import { diskFolders, workspaceFile } from '../workspace-paths';

/**
 * Turns the input from a language model into arguments for the lab: files of the workspace only, and the user's settings
 * for omitted options.
 */
export class WorkspaceRequests extends ToolRequests<prompts.Prompt> {
  constructor(
    private readonly choices: ChoiceStore,
    private readonly models: ModelAccess,
  ) {
    super();
  }

  /** For `run_experiment`. @returns also the path as the user knows it @throws InputError */
  async experiment(input: unknown): Promise<{ readonly given: string; readonly request: OutlookRequest }> {
    const uri = await workspaceFile(readExperimentInput(input));
    const given = vscode.workspace.asRelativePath(uri);
    if (uri.scheme !== 'file') {
      throw new InputError(`Experiment ${JSON.stringify(given)} is not on this machine's disk, where its prompts are read; copy it there.`);
    }
    const within = { folders: diskFolders(), models: [engineSettings().model] };
    return { given, request: { file: uri.fsPath, within } };
  }

  protected get defaults(): ToolDefaults {
    return this.choices.choice;
  }

  protected async ready({ source, options: given }: ToolRequest, scenario: ScenarioChoice): Promise<ReadyRequest<prompts.Prompt>> {
    const settings = { ...engineSettings(), blockSize: defaultOptions.blockSize };
    return {
      prompt: 'file' in source ? await promptOfFile(source.file) : (await promptReader()).promptFromText('the given text', source.text),
      options: {
        ...settings,
        ...given,
        scenario,
        model: given.model === undefined ? settings.model : await this.models.named(given.model, settings.model),
      },
    };
  }
}

/** A file of the workspace: the editor's version if it is open, else the one on disk. @throws InputError */
async function promptOfFile(file: string): Promise<prompts.Prompt> {
  const uri = await workspaceFile(file);
  const { checkPromptSize, promptFromBytes, promptFromText } = await promptReader();
  const path = vscode.workspace.asRelativePath(uri);
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) {
    return promptFromText(path, open.getText());
  }
  checkPromptSize(path, (await vscode.workspace.fs.stat(uri)).size);
  return promptFromBytes(path, await vscode.workspace.fs.readFile(uri));
}

/** Loaded at first use, like in the API. */
function promptReader(): Promise<typeof prompts> {
  return import('../../engine/read/prompt');
}
