import * as vscode from 'vscode';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { defaultOptions, type SimulationOptions } from '../../core/options/table';
import type * as prompts from '../../engine/read/prompt';
import type { ChoiceStore } from '../choice';
import type { ModelAccess } from '../prompts/models';
import { engineSettings } from '../settings';
import { workspaceFile } from '../workspace-paths';
import { readCompareInput, readPromptInput, type ToolRequest } from '../../core/options/tool-input';

/** A language model's request, ready to plan or run. */
interface ReadyRequest {
  readonly prompt: prompts.Prompt;
  readonly options: SimulationOptions;
}

/**
 * Turns the input from a language model into arguments for the lab: files of the workspace only, and the user's settings
 * for omitted options.
 */
export class ToolRequests {
  constructor(
    private readonly choices: ChoiceStore,
    private readonly models: ModelAccess,
  ) {}

  /** For the tools that take one scenario. @throws InputError */
  async prompt(input: unknown): Promise<ReadyRequest> {
    const { scenario, ...request } = readPromptInput(input, this.choices.choice);
    return this.ready(request, scenario);
  }

  /** For `compare_scenarios`. @throws InputError */
  async comparison(input: unknown): Promise<ReadyRequest & { readonly wanted: WantedScenarios }> {
    const { wanted, ...request } = readCompareInput(input, this.choices.choice);
    return { ...(await this.ready(request, wanted.scenarios[0])), wanted };
  }

  private async ready({ source, options: given }: ToolRequest, scenario: SimulationOptions['scenario']): Promise<ReadyRequest> {
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
