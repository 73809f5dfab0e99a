import * as vscode from 'vscode';
import { said } from '../core/l10n';
import { editorSettings } from '../core/options/editor';
import { type Choice, wordsOf } from '../core/options/option';
import { readValue } from '../core/options/read';
import { defaultOptions, type OptionName, optionNames, optionOf, type SimulationOptions } from '../core/options/table';
import { type ChoiceKind, kindsWith, numberParameters, type ScenarioParameters, textParameters } from '../core/scenario/scenario';
import { described } from '../core/text/printable';
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

/**
 * The form's values from the settings; a value of the wrong type, as a settings file may hold anything, shows as its default.
 *
 * Ranges are checked where the choice is read; `error` says which of the values that the scenario takes has the wrong type.
 */
export function choiceFromSettings(): { readonly choice: FormChoice; readonly error: string | null } {
  const [kind, kindError] = typed('scenario', isText, defaultOptions.scenario.kind);
  const [blockSize, blockError] = typed('blockSize', isNumber, defaultOptions.blockSize);
  const taken = kindsTaking(kind);
  const errors = [kindError, blockError];
  const parameters: ScenarioParameters = {};
  for (const { name, default: standard } of numberParameters) {
    const [value, error] = typed(name, isNumber, standard);
    parameters[name] = value;
    errors.push(taken(name) ? error : null);
  }
  for (const { name, flag, default: standard } of textParameters) {
    const [value, error] = typed(flag, isText, standard);
    parameters[name] = value;
    errors.push(taken(name) ? error : null);
  }
  // An unknown kind is refused where the choice is read.
  return { choice: { kind: kind as ChoiceKind, blockSize, parameters }, error: errors.find((error) => error !== null) ?? null };
}

function kindsTaking(kind: string): (name: string) => boolean {
  return (name) => kindsWith(name).some((each) => each === kind);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';
const isSwitch = (value: unknown): value is boolean => typeof value === 'boolean';

/** A setting as its file has it, which may be anything. Every setting is read here. */
function given(name: string): unknown {
  return vscode.workspace.getConfiguration(settingsSection).get(name);
}

/** A setting of a type, or its default with what is wrong. */
function typed<T extends string | number | boolean>(
  name: string,
  isType: (value: unknown) => value is T,
  standard: T,
): readonly [T, string | null] {
  const value = given(name) ?? standard;
  return isType(value)
    ? [value, null]
    : [standard, said`Setting ${settingsSection}.${name} of ${described(value)} is not possible; give a ${typeof standard}.`];
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
  return readValue(option, given(name) ?? option.default, `Setting ${settingsSection}.${name}`);
}

/** Where a prompt shows what its blocks cost. */
export type HintPlacement = (typeof editorSettings)['hints.placement']['value']['choices'][number]['value'];

/** What is shaded in overview ruler and gutter. */
export type HintHeat = (typeof editorSettings)['hints.heat']['value']['choices'][number]['value'];

/** Where a prompt shows what its blocks cost; the default where a settings file holds no such word. */
export function hintPlacement(): HintPlacement {
  return wordOf('hints.placement', editorSettings['hints.placement']);
}

/** What is shaded; nothing where prompts show nothing. */
export function hintHeat(): HintHeat {
  return hintsEnabled() ? wordOf('hints.heat', editorSettings['hints.heat']) : 'off';
}

/** Whether lenses, hints, hovers and the status item are shown. */
export function hintsEnabled(): boolean {
  return hintPlacement() !== 'off';
}

/** Whether headings of Markdown prompts get hints too. */
export function headingHintsEnabled(): boolean {
  return typed('hints.headings', isSwitch, editorSettings['hints.headings'].default)[0];
}

/** Fewest tokens of a prompt, and of a section, that has hints. */
export function fewestHintedTokens(): number {
  return typed('hints.minimumTokens', isNumber, editorSettings['hints.minimumTokens'].default)[0];
}

/** Seconds above which an expected time is asked for before a run; 0 for never. */
export function askAboveSeconds(): number {
  return typed('askAboveSeconds', isNumber, editorSettings.askAboveSeconds.default)[0];
}

/** A word of a choice; its default where a settings file holds another. */
function wordOf<Word extends string>(
  name: string,
  setting: { readonly value: { readonly choices: readonly Choice<Word>[] }; readonly default: Word },
): Word {
  return wordsOf(setting).find((word) => word === given(name)) ?? setting.default;
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
  return typed('fleet.broker', isText, editorSettings['fleet.broker'].default)[0].trim();
}

/** The texts of a list; the default where a settings file holds no list, as it may hold anything. */
function listSetting(name: 'languages' | 'files'): readonly string[] {
  const value = given(name);
  return Array.isArray(value) ? value.filter(isText) : editorSettings[name].default;
}

/** Sets the model, where its value would not be hidden: one of the workspace hides that of the user. */
export async function setModel(name: string): Promise<void> {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  const isWorkspaces = settings.inspect('model')?.workspaceValue !== undefined;
  await settings.update('model', name, isWorkspaces ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global);
}
