import * as vscode from 'vscode';
import type { ScenarioKind } from '../core/masks';
import { defaultOptions, type Provider, type SimulationOptions, type Verification } from '../core/options';
import type { FormChoice } from '../protocol/panel';

/** The section under which every setting lives. */
export const settingsSection = 'twoHeads';

/** Settings that seed the scenario form. */
const choiceSettings = ['scenario', 'window', 'sinks', 'seed', 'blockSize'].map((name) => `${settingsSection}.${name}`);

/** Whether a change of configuration touches the scenario form's defaults. */
export function affectsChoice(event: vscode.ConfigurationChangeEvent): boolean {
  return choiceSettings.some((setting) => event.affectsConfiguration(setting));
}

/** The scenario form as the settings have it. */
export function choiceFromSettings(): FormChoice {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  return {
    kind: settings.get<ScenarioKind>('scenario', defaultOptions.scenario.kind),
    blockSize: settings.get('blockSize', defaultOptions.blockSize),
    parameters: {
      window: settings.get('window', 512),
      sinks: settings.get('sinks', 4),
      seed: settings.get('seed', 1),
    },
  };
}

/** Everything about a simulation that the scenario form does not choose. */
export function engineSettings(): Omit<SimulationOptions, 'scenario' | 'blockSize'> {
  const settings = vscode.workspace.getConfiguration(settingsSection);
  return {
    construction: defaultOptions.construction,
    model: settings.get('model', defaultOptions.model),
    provider: settings.get<Provider>('provider', defaultOptions.provider),
    threads: settings.get('threads', defaultOptions.threads),
    verify: settings.get<Verification>('verify', defaultOptions.verify),
    quality: settings.get('quality', defaultOptions.quality),
    maxTokens: 0,
    memoryLimit: settings.get('memoryLimit', 0) * 1024 ** 2,
  };
}

/** Whether lenses, hints, hovers and the status item are shown. */
export function hintsEnabled(): boolean {
  return vscode.workspace.getConfiguration(settingsSection).get('hints.enabled', true);
}

/** Languages whose documents count as prompts, beside `.prompt` files. */
export function promptLanguages(): readonly string[] {
  return vscode.workspace.getConfiguration(settingsSection).get<string[]>('languages', ['markdown', 'plaintext']);
}
