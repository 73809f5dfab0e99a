import * as vscode from 'vscode';
import { customText, type ChoiceKind } from '../core/scenario/scenario';
import {
  constructionOf,
  defaultOptions,
  wholeNumber,
  type Provider,
  type SimulationOptions,
  type Verification,
} from '../core/options/options';
import type { FormChoice } from '../protocol/panel';

/** The section under which every setting lives. */
export const settingsSection = 'twoHeads';

/** The largest L' and H' that a plan may ask for, as in package.json and on the command line. */
const maximumOracleLayers = 1024;
const maximumOracleHeads = 4096;

/** Settings that seed the scenario form. */
const choiceSettings = ['scenario', 'window', 'sinks', 'seed', 'mask', 'blockSize'].map((name) => `${settingsSection}.${name}`);

/** Whether a change of configuration touches the scenario form's defaults. */
export function affectsChoice(event: vscode.ConfigurationChangeEvent): boolean {
  return choiceSettings.some((setting) => event.affectsConfiguration(setting));
}

/** The scenario form as the settings have it. */
export function choiceFromSettings(): FormChoice {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  return {
    kind: settings.get<ChoiceKind>('scenario', 'native'),
    blockSize: settings.get('blockSize', defaultOptions.blockSize),
    parameters: {
      window: settings.get('window', 512),
      sinks: settings.get('sinks', 4),
      seed: settings.get('seed', 1),
      expression: settings.get('mask', customText.default),
    },
  };
}

/** Everything about a simulation that the scenario form does not choose. @throws InputError for a setting that means nothing */
export function engineSettings(): Omit<SimulationOptions, 'scenario' | 'blockSize'> {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  return {
    construction: constructionOf(settings.get<string>('construction', defaultOptions.construction)),
    oracleLayers: wholeSetting('oracleLayers', 1, 1, maximumOracleLayers),
    // 0: as many as the model has.
    oracleHeads: wholeSetting('oracleHeads', 0, 0, maximumOracleHeads) || undefined,
    model: settings.get('model', defaultOptions.model),
    provider: settings.get<Provider>('provider', defaultOptions.provider),
    executor: defaultOptions.executor,
    precision: defaultOptions.precision,
    threads: threadsSetting(),
    verify: settings.get<Verification>('verify', defaultOptions.verify),
    quality: settings.get('quality', defaultOptions.quality),
    seeds: defaultOptions.seeds,
    epsilon: defaultOptions.epsilon,
    failureProbability: defaultOptions.failureProbability,
    maxTokens: 0,
    memoryLimit: settings.get('memoryLimit', 0) * 1024 ** 2,
  };
}

/** Threads of ONNX Runtime; 0 leaves it to the runtime. */
export function threadsSetting(): number {
  return vscode.workspace.getConfiguration(settingsSection).get('threads', defaultOptions.threads);
}

/** A setting as a whole number. @throws InputError: the settings file may hold anything */
function wholeSetting(name: string, standard: number, minimum: number, maximum: number): number {
  const value: unknown = vscode.workspace.getConfiguration(settingsSection).get(name, standard);
  return wholeNumber(`Setting ${settingsSection}.${name}`, typeof value === 'number' ? value : JSON.stringify(value), minimum, maximum);
}

/** Whether lenses, hints, hovers and the status item are shown. */
export function hintsEnabled(): boolean {
  return vscode.workspace.getConfiguration(settingsSection).get('hints.enabled', true);
}

/** Whether the headings of Markdown prompts have hints too. */
export function headingHintsEnabled(): boolean {
  return hintsEnabled() && vscode.workspace.getConfiguration(settingsSection).get('hints.headings', true);
}

/** Languages whose documents count as prompts, beside `.prompt` files. */
export function promptLanguages(): readonly string[] {
  return vscode.workspace.getConfiguration(settingsSection).get<string[]>('languages', ['markdown', 'plaintext']);
}
