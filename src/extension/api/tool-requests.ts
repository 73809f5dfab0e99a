import * as vscode from 'vscode';
import type { SimulationOptions } from '../../core/options/options';
import type * as prompts from '../../engine/read/prompt';
import type { ChoiceStore } from '../choice';
import type { ModelAccess } from '../prompts/models';
import { engineSettings } from '../settings';
import { workspaceFile } from '../workspace-paths';
import type { WantedScenarios } from './lab';
import type { ToolRequest } from './tool-input';

/** A request of a language model, ready to be planned or run. */
export interface ReadyRequest {
  readonly prompt: prompts.Prompt;
  readonly options: SimulationOptions;
}

/** Makes of what a language model gave what the lab takes: nothing outside the workspace, and the user's settings for the rest. */
export class ToolRequests {
  constructor(
    private readonly choices: ChoiceStore,
    private readonly models: ModelAccess,
  ) {}

  /** Of `plan_prompt` and `simulate_prompt`. @throws InputError */
  async prompt(input: unknown): Promise<ReadyRequest> {
    const { readPromptInput } = await import('./tool-input');
    const { scenario, ...request } = readPromptInput(input, this.choices.choice);
    return this.ready(request, scenario);
  }

  /** Of `compare_scenarios`. @throws InputError */
  async comparison(input: unknown): Promise<ReadyRequest & { readonly wanted: WantedScenarios }> {
    const { readCompareInput } = await import('./tool-input');
    const { wanted, ...request } = readCompareInput(input, this.choices.choice);
    return { ...(await this.ready(request, wanted.scenarios[0])), wanted };
  }

  private async ready({ source, blockSize, model }: ToolRequest, scenario: SimulationOptions['scenario']): Promise<ReadyRequest> {
    const settings = engineSettings();
    return {
      prompt: 'file' in source ? await promptOfFile(source.file) : (await promptReader()).promptFromText('the given text', source.text),
      options: {
        ...settings,
        scenario,
        blockSize,
        model: model === undefined ? settings.model : await this.models.named(model, settings.model),
      },
    };
  }
}

/** A file of the workspace as it is in the editor, or on its disk where it is in none. @throws InputError */
async function promptOfFile(file: string): Promise<prompts.Prompt> {
  const uri = await workspaceFile(file);
  const { checkSize, promptFromBytes, promptFromText } = await promptReader();
  const path = vscode.workspace.asRelativePath(uri);
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) {
    return promptFromText(path, open.getText());
  }
  checkSize(path, (await vscode.workspace.fs.stat(uri)).size);
  return promptFromBytes(path, await vscode.workspace.fs.readFile(uri));
}

/** Loaded at first use, as for the API. */
function promptReader(): Promise<typeof prompts> {
  return import('../../engine/read/prompt');
}
