import * as vscode from 'vscode';
import { editorSettings } from '../core/options/editor';
import { readValue } from '../core/options/read';
import { defaultOptions, type OptionName, optionNames, optionOf, type SimulationOptions } from '../core/options/table';
import { type ChoiceKind, numberParameters, textParameters } from '../core/scenario/scenario';
import type { FormChoice } from '../protocol/panel';

/** The section of all settings. */
export const settingsSection = 'twoHeads';

/** Settings with the form's initial values. */
const choiceSettings = [
  'scenario',
  'blockSize',
  ...numberParameters.map(({ name }) => name),
  ...textParameters.map(({ flag }) => flag),
].map((name) => `${settingsSection}.${name}`);

/** Whether a configuration change affects the form's initial values. */
export function affectsChoice(event: vscode.ConfigurationChangeEvent): boolean {
  return choiceSettings.some((setting) => event.affectsConfiguration(setting));
}

/** The form's values from the settings. They are validated where the choice is read. */
export function choiceFromSettings(): FormChoice {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  return {
    kind: settings.get<ChoiceKind>('scenario', defaultOptions.scenario.kind),
    blockSize: settings.get('blockSize', defaultOptions.blockSize),
    parameters: {
      ...Object.fromEntries(numberParameters.map(({ name, default: standard }) => [name, settings.get(name, standard)])),
      ...Object.fromEntries(textParameters.map(({ name, flag, default: standard }) => [name, settings.get(flag, standard)])),
    },
  };
}

/** All options of a simulation that are not in the scenario form. @throws InputError for an invalid setting */
export function engineSettings(): Omit<SimulationOptions, 'scenario' | 'blockSize'> {
  const names = optionNames.filter((name) => name !== 'blockSize');
  return Object.fromEntries(names.map((name) => [name, optionSetting(name)])) as Omit<SimulationOptions, 'scenario' | 'blockSize'>;
}

/** Threads of ONNX Runtime; 0 leaves the number to the runtime. @throws InputError */
export function threadsSetting(): number {
  return optionSetting('threads') as number;
}

function optionSetting(name: OptionName): string | number | boolean {
  const option = optionOf(name);
  const given: unknown = vscode.workspace.getConfiguration(settingsSection).get(name, option.default);
  return readValue(option, given, `Setting ${settingsSection}.${name}`);
}

/** Whether lenses, hints, hovers and the status item are shown. */
export function hintsEnabled(): boolean {
  return vscode.workspace.getConfiguration(settingsSection).get<boolean>('hints.enabled', editorSettings['hints.enabled'].default);
}

/** Whether headings of Markdown prompts get hints too. */
export function headingHintsEnabled(): boolean {
  return (
    hintsEnabled() &&
    vscode.workspace.getConfiguration(settingsSection).get<boolean>('hints.headings', editorSettings['hints.headings'].default)
  );
}

/** Identifiers of the languages whose documents are prompts. */
export function promptLanguages(): readonly string[] {
  return listSetting('languages');
}

/** Patterns of the files that are prompts. */
export function promptFiles(): readonly string[] {
  return listSetting('files');
}

/** Address of the broker whose workers run experiments; empty where none is set. */
export function brokerSetting(): string {
  const given: unknown = vscode.workspace.getConfiguration(settingsSection).get('fleet.broker');
  return typeof given === 'string' ? given.trim() : editorSettings['fleet.broker'].default;
}

/** The texts of a list; the default where a settings file holds no list, as it may hold anything. */
function listSetting(name: 'languages' | 'files'): readonly string[] {
  const given: unknown = vscode.workspace.getConfiguration(settingsSection).get(name);
  return Array.isArray(given) ? given.filter((entry) => typeof entry === 'string') : editorSettings[name].default;
}

/** Sets the model, where its value would not be hidden: one of the workspace hides that of the user. */
export async function setModel(name: string): Promise<void> {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  const isWorkspaces = settings.inspect('model')?.workspaceValue !== undefined;
  await settings.update('model', name, isWorkspaces ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global);
}
